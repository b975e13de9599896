"""What a collector is, and which there are: the files of collectors/sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence import discover

if TYPE_CHECKING:
    from collectors.aws import AwsSession


@dataclass(frozen=True, slots=True)
class Asked:
    """What a collection asks of each source.

    Attributes
    ----------
    topology : Mapping
        What topology.json holds.
    start, end : datetime
        The span, its end not in it.
    folder : Path
        The run's; a source that was interrupted finds there what it kept.
    say : Callable
        Tells the person what is going on.
    """

    aws: AwsSession
    topology: Mapping[str, Any]
    start: datetime
    end: datetime
    folder: Path
    say: Callable[[str], None]


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
    gather : Callable or None
        What `sizeup collect` runs once the topology is known: it puts what it finds into the run's folder, rows into a spool
        of `.spool/`, and returns how many there were. It may be run again after a failure, and then adds what is missing; a row
        that is there twice counts once.
    """

    asks: str
    fills: str
    calls: tuple[str, ...]
    collect: Callable[..., Any]
    gather: Callable[[Asked], int] | None = None


@cache
def collectors() -> Mapping[str, Collector]:
    """Return every collector by its file's name."""
    return discover("collectors.sources", "COLLECTOR", Collector)
