"""Memory after growth: what a soak saw the host gain by the hour, carried on for a week, against what the type's kernel reports."""

from __future__ import annotations

from sizing.constraints import Constraint
from sizing.constraints.memory_steady import usable
from sizing.model.memory import need_on_bytes
from sizing.types import F8, World

WEEK_H = 168.0
"""How long a copy is taken to run from one deployment to the next, the week that credits are judged over."""


def need(world: World) -> F8:
    """Bytes held a week after the start, shape (C, S) or (1, S)."""
    held = need_on_bytes(world, copies=False)
    for part in world.model.memory:
        if part.growth_bytes_per_h_draws is not None:
            held = held + part.growth_bytes_per_h_draws * WEEK_H
    return held


def soaked(world: World) -> bool:
    """Whether any copy ran for long enough to tell growth from settling."""
    return any(part.growth_bytes_per_h_draws is not None for part in world.model.memory)


CONSTRAINT = Constraint(
    asks="does memory that grows from hour to hour last a week?",
    unit="bytes",
    need=need,
    have=usable,
    applies=soaked,
)
