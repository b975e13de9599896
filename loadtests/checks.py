"""What an answer must be besides its status: `check.json("content.0.id")`, or any function of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Answered(Protocol):
    """What a check sees of an answer."""

    @property
    def status(self) -> int: ...

    @property
    def content(self) -> bytes: ...

    def json(self) -> Any: ...


Check = Callable[[Answered], bool]


class check:
    """Ready checks; each returns a function of the answer that says whether it holds."""

    @staticmethod
    def json(path: str) -> Check:
        """Hold where the body is JSON and has something other than null at `path` (`id`, `content.0.id`)."""
        keys = path.split(".")
        return lambda answer: _at(answer.json(), keys) is not None


def holds(wanted: Check, answer: Answered) -> bool:
    """Whether a check holds; one that stumbles over the answer doesn't."""
    try:
        return bool(wanted(answer))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return False


def _at(value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value
