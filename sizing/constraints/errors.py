"""Errors: the share of requests that fail, as the run showed it, against the objective."""

from __future__ import annotations

import numpy as np

from sizing.constraints import Constraint
from sizing.types import F8, World


def need(world: World) -> F8:
    """Share of requests that failed in the run, with the doubt that a finite run leaves, shape (1, S)."""
    return world.model.error_ratio_draws[None, :]


def limit(world: World) -> F8:
    """The objective's limit, shape (1, 1)."""
    return np.array([[world.error_limit_ratio]])


CONSTRAINT = Constraint(
    asks="do few enough requests fail?", unit="ratio", need=need, have=limit
)
