"""How fast is a core of one type beside another's? A range over the benchmarks that both ran, for they disagree.

t4g.small is 0.8 (PassMark), 1.05 (static web server) or 1.6 (stress-ng) of a t3.small: no single figure is honest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import log
from typing import Literal, NamedTuple

from catalogue.tables import EVERYWHERE, read_rows

ONE_THREAD = "one thread"
SERVERS = ("static web server, 1 kB file, best of runs", "nginx, wrk 8 threads 400 connections")
"""Whole-machine tests that resemble what is sized here; compared a vCPU, and only between types of as many vCPUs."""

Benchmark = tuple[str, str]
"""Its name, and the region where it ran: the reference machine differs."""


@dataclass(frozen=True, slots=True)
class SpeedRange:
    """Speed of one core (one thread) over another's: least, middle and greatest of the benchmarks; 1 of a type to itself.

    basis "none": no benchmark that both ran; lo, mid and hi are then None.
    """

    lo: float | None
    mid: float | None
    hi: float | None
    basis: Literal["benchmark", "none"]
    sources: tuple[str, ...]


class _Run(NamedTuple):
    ratio: float
    vcpus: int
    source: str


def speed_range(name: str, relative_to: str) -> SpeedRange:
    """Compare two types over the benchmarks they share, each relative to the same reference machine.

    Within a family the processors are the same, so the middle is 1 and the benchmarks only give the width: they are single
    runs on single hosts. A type that nobody ran stands for itself with its family's median.
    """
    if name == relative_to:
        return SpeedRange(1.0, 1.0, 1.0, "benchmark", ())
    ours, theirs = _runs_of(name), _runs_of(relative_to)
    shared = {key: (ours[key], theirs[key]) for key in ours.keys() & theirs.keys() if _comparable(key, ours[key], theirs[key])}
    same_family = name.partition(".")[0] == relative_to.partition(".")[0]
    ratios = sorted([a.ratio / b.ratio for a, b in shared.values()] + [1.0] * same_family)
    if not ratios:
        return SpeedRange(None, None, None, "none", ())
    cited = tuple(sorted({f"{key[0]}: {run.source}" for key, pair in shared.items() for run in pair}))
    return SpeedRange(ratios[0], 1.0 if same_family else _median(ratios), ratios[-1], "benchmark", cited)


def speed_rows(name: str) -> list[dict[str, str | float]]:
    """Return what a run keeps of a type's speed: each benchmark relative to its m5, with its source."""
    runs = sorted(_runs_of(name).items())
    return [{"benchmark": key[0], "region": key[1], "relative_to_m5": run.ratio, "source": run.source} for key, run in runs]


def _runs_of(name: str) -> Mapping[Benchmark, _Run]:
    runs = _runs()
    return runs[name] if name in runs else _family_runs().get(name.partition(".")[0], {})


def _comparable(key: Benchmark, a: _Run, b: _Run) -> bool:
    return key[0] not in SERVERS or a.vcpus == b.vcpus


@cache
def _runs() -> Mapping[str, Mapping[Benchmark, _Run]]:
    """Each type's runs relative to an m5, a thread or a vCPU; a run that failed (ratio 0) is none."""
    found: dict[str, dict[Benchmark, _Run]] = {}
    for row in read_rows("core_speed", EVERYWHERE):
        ratio = float(row["relative_to_m5"] or 0)
        if ratio > 0 and (row["scope"] == ONE_THREAD or row["benchmark"] in SERVERS):
            key = (row["benchmark"], row["region"])
            found.setdefault(row["instance_type"], {})[key] = _Run(ratio, int(row["vcpus"]), f"{row['source']}, {row['seen_on']}")
    return found


@cache
def _family_runs() -> Mapping[str, Mapping[Benchmark, _Run]]:
    """A family's runs of one thread: the median over its sizes, each benchmark by itself."""
    pooled: dict[str, dict[Benchmark, list[_Run]]] = {}
    for name, runs in _runs().items():
        for key, run in runs.items():
            if key[0] not in SERVERS:
                pooled.setdefault(name.partition(".")[0], {}).setdefault(key, []).append(run)
    return {family: {key: sorted(runs, key=lambda r: r.ratio)[len(runs) // 2] for key, runs in by.items()} for family, by in pooled.items()}


def _median(ratios: list[float]) -> float:
    """The middle one; of two middles the geometric mean, since a ratio and its inverse must agree."""
    half = len(ratios) // 2
    if len(ratios) % 2:
        return ratios[half]
    return float(2 ** ((log(ratios[half - 1], 2) + log(ratios[half], 2)) / 2))
