"""Network at the peak: what the class sends against the type's baseline bandwidth; bursts above it are never counted on."""

from __future__ import annotations

import numpy as np

from sizing.constraints import Constraint
from sizing.types import F8, World


def need(world: World) -> F8:
    """Bits a second that one host sends at the peak, shape (C, S)."""
    arrivals = world.traffic.peak_draws[None, :] * float(world.model.per_external.sum())
    bits: F8 = arrivals * world.model.bytes_per_request * 8 / world.hosts_left
    return bits


def have(world: World) -> F8:
    """Baseline bandwidth of each candidate, shape (C, 1); where it isn't known, without end."""
    return np.array([[float(c.instance.network_baseline_bit_per_s or np.inf)] for c in world.candidates])


CONSTRAINT = Constraint(
    asks="does the baseline bandwidth carry the peak?",
    unit="bit_per_s",
    need=need,
    have=have,
)
