"""CPU at the peak: busy vCPUs against the vCPUs that the type really has, hyper-threads counted for what they add."""

from __future__ import annotations

import numpy as np

from sizing.constraints import Constraint
from sizing.types import F8, World


def need(world: World) -> F8:
    """Busy vCPUs at the peak, shape (C, S), scaled by how the world's hyper-threads differ from the mid ones."""
    busy: F8 = world.peak_busy_draws * have(world) / world.threads_draws
    return busy


def have(world: World) -> F8:
    """Full threads' worth of work that the vCPUs do together, shape (C, 1)."""
    return np.median(world.threads_draws, axis=1, keepdims=True)


CONSTRAINT = Constraint(
    asks="do the vCPUs carry the peak?", unit="vcpus", need=need, have=have
)
