"""What a candidate must hold: one file a constraint, each a need against what the type has, in every sampled world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from evidence import discover
from sizing.types import F8, Bools, World

__all__ = ["Constraint", "constraints"]


def always(world: World) -> bool:
    """The constraint is judged whatever the policy says."""
    return True


@dataclass(frozen=True, slots=True)
class Constraint:
    """One thing that must fit.

    Attributes
    ----------
    asks : the question, for people
    unit : of `need` and `have`
    need : World to shape (C, S), or what broadcasts to it
    have : World to shape (C, S), or what broadcasts to it; the same in every world
    applies : whether the policy asks for it at all
    excused : World to shape (C, 1), where it can't fail because it costs instead; None: nowhere
    """

    asks: str
    unit: str
    need: Callable[[World], F8]
    have: Callable[[World], F8]
    applies: Callable[[World], bool] = always
    excused: Callable[[World], Bools] | None = None


@cache
def constraints() -> dict[str, Constraint]:
    """Return every constraint of this folder by its file's name."""
    return discover(__name__, "CONSTRAINT", Constraint)
