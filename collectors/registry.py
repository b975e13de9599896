"""What a collector is, and which there are: the files of collectors/sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from evidence import discover


@dataclass(frozen=True, slots=True)
class Collector:
    """A source of evidence.

    Attributes
    ----------
    asks : str
        The question that it answers.
    fills : str
        The run's table or file that its answer becomes.
    calls : tuple of str
        Every AWS action that it needs, as a policy names them; all read-only.
    collect : Callable
        The function that collects.
    """

    asks: str
    fills: str
    calls: tuple[str, ...]
    collect: Callable[..., Any]


@cache
def collectors() -> Mapping[str, Collector]:
    """Return every collector by its file's name."""
    return discover("collectors.sources", "COLLECTOR", Collector)
