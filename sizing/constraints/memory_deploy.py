"""Memory at a deployment: all that a host must hold while two copies run fits what the type offers."""

from __future__ import annotations

from sizing.constraints import Constraint
from sizing.constraints.memory_steady import usable
from sizing.model.memory import need_on_bytes
from sizing.types import F8, World


def need(world: World) -> F8:
    """Bytes held while a deployment runs the coloured group twice, shape (C, S) or (1, S)."""
    return need_on_bytes(world, copies=True)


CONSTRAINT = Constraint(
    asks="does the deployment peak fit MemTotal?",
    unit="bytes",
    need=need,
    have=usable,
    applies=lambda world: world.deploy == "blue_green",
)
