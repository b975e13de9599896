"""Memory under load: every group, the kernel and a warm page cache against what the type's kernel reports."""

from __future__ import annotations

import numpy as np

from sizing.constraints import Constraint
from sizing.model.memory import need_on_bytes
from sizing.types import F8, World


def need(world: World) -> F8:
    """Bytes held under load, shape (C, S) or (1, S)."""
    return need_on_bytes(world, copies=False)


def usable(world: World) -> F8:
    """MemTotal of each candidate as its kernel reports it, shape (C, 1)."""
    return np.array([[float(c.instance.usable_bytes)] for c in world.candidates])


CONSTRAINT = Constraint(
    asks="does what the host holds under load fit MemTotal?", unit="bytes", need=need, have=usable
)
