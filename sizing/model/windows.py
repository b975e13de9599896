"""Which parts of a run may be used: steady load, a generator that kept up, a host that nobody stole from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import polars as pl

from evidence import Run
from sizing.types import Window

LATENESS_OF_LIMIT = 0.1
GENERATOR_CORE_RATIO = 0.7
COMPLETED_RATIO, COMPLETED_REQUESTS = 0.01, 2
STEAL_RATIO = 0.02
# The sampler's beat: a window that touches a deployment loses this much on either side.
EDGE = timedelta(seconds=1)


def windows(run: Run, latency_limit_s: float) -> list[Window]:
    """Cut a run into steady, warm-up and deployment windows and say of each whether it is valid (CONTRACT section 5)."""
    phases = run.events.filter(pl.col("kind") == "phase").drop_nulls("until").sort("at")
    deploys = run.events.filter(pl.col("kind") == "deploy").drop_nulls("until").sort("at")
    breaks = [(row["at"] - EDGE, row["until"] + EDGE) for row in deploys.iter_rows(named=True)]
    cut: list[Window] = []
    for phase in phases.iter_rows(named=True):
        kind: Literal["steady", "warmup"] = "warmup" if phase["subject"].startswith("warm") else "steady"
        for start, end, deploying in _split(phase["at"], phase["until"], breaks):
            cut.append(Window(phase["subject"], start, end, "deploy" if deploying else kind, 0.0, 0.0, True, ""))
    schedule = {phase["subject"]: _offered(phase["detail"]) for phase in phases.iter_rows(named=True)}
    return [_judged(run, window, schedule.get(window.name, 0.0), latency_limit_s) for window in cut]


def _split(start: datetime, end: datetime, breaks: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime, bool]]:
    """Cut [start, end) at the deployments; pieces under two seconds are dropped."""
    pieces: list[tuple[datetime, datetime, bool]] = []
    at = start
    for begin, stop in breaks:
        if stop <= at or begin >= end:
            continue
        pieces.append((at, max(at, begin), False))
        pieces.append((max(at, begin), min(end, stop), True))
        at = min(end, stop)
    pieces.append((at, end, False))
    return [piece for piece in pieces if piece[1] - piece[0] >= 2 * EDGE]


def _offered(detail: str) -> float:
    import json

    return float(json.loads(detail or "{}").get("offered_per_s", 0.0))


def _judged(run: Run, window: Window, offered_per_s: float, limit_s: float) -> Window:
    rows = between(run.requests, "intended_at", window.start, window.end)
    done = rows.filter(pl.col("error").is_null() | ~pl.col("error").is_in(["aborted"]))
    faults = [*_generator_faults(run, rows, done, limit_s), *_host_faults(run, window)]
    return replace(
        window, offered_per_s=offered_per_s, achieved_per_s=done.height / window.seconds, valid=not faults, why="; ".join(faults)
    )


def _generator_faults(run: Run, rows: pl.DataFrame, done: pl.DataFrame, limit_s: float) -> list[str]:
    faults = []
    late_us = rows["lateness_us"].quantile(0.99) if rows.height else 0.0
    if late_us is not None and late_us > LATENESS_OF_LIMIT * limit_s * 1e6:
        faults.append(f"sends were {late_us / 1000:.0f} ms late at p99, over a tenth of the {limit_s * 1000:.0f} ms limit")
    busy = run.meta.get("generator", {}).get("cpu_ratio_max")
    if busy is not None and busy > GENERATOR_CORE_RATIO:
        faults.append(f"the generator took {busy:.0%} of its core, over {GENERATOR_CORE_RATIO:.0%}")
    missing = rows.height - done.height
    if missing > max(COMPLETED_RATIO * rows.height, COMPLETED_REQUESTS):
        faults.append(f"{missing} of {rows.height} requests did not complete")
    return faults


def _host_faults(run: Run, window: Window) -> list[str]:
    hosts = between(run.hosts, "at", window.start, window.end)
    faults = []
    time_s = float((hosts["interval_s"] * hosts["vcpus"]).sum() or 0.0)
    steal_s = float(hosts["cpu_steal_s"].sum() or 0.0)
    if time_s and steal_s / time_s > STEAL_RATIO:
        faults.append(f"the hypervisor took {steal_s / time_s:.1%} of the hosts' CPU time (steal), over {STEAL_RATIO:.0%}")
    jumps = run.events.filter((pl.col("kind") == "clock_jump") & pl.col("at").is_between(window.start, window.end))
    if jumps.height:
        faults.append("the clock jumped")
    return faults


def between(frame: pl.DataFrame, column: str, start: datetime, end: datetime) -> pl.DataFrame:
    """Return the rows whose time lies in (start, end]."""
    return frame.filter((pl.col(column) > start) & (pl.col(column) <= end))


def phase_rows(cut: Sequence[Window]) -> list[dict[str, Any]]:
    """Write windows as run.json's `phases`."""
    from evidence import rfc3339

    return [
        {
            "name": w.name,
            "kind": w.kind,
            "start": rfc3339(w.start),
            "end": rfc3339(w.end),
            "offered_per_s": round(w.offered_per_s, 3),
            "achieved_per_s": round(w.achieved_per_s, 3),
            "valid": w.valid,
            "why": w.why,
        }
        for w in cut
    ]
