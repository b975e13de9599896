"""Zone loss: whether enough hosts are left in another zone when one zone is gone; asked for by policy alone."""

from __future__ import annotations

import numpy as np

from sizing.constraints import Constraint
from sizing.types import F8, World


def need(world: World) -> F8:
    """Hosts needed so that one is left, shape (1, 1)."""
    return np.array([[2.0]])


def have(world: World) -> F8:
    """Hosts of each candidate, shape (C, 1)."""
    return np.array([[float(c.count)] for c in world.candidates])


CONSTRAINT = Constraint(
    asks="does a host stay when a zone is lost?",
    unit="hosts",
    need=need,
    have=have,
    applies=lambda world: world.survive_zone_loss,
)
