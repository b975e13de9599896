"""Which parts of a run may be used: steady load, a generator that kept up, a host that nobody stole from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import polars as pl

from evidence import Run, rfc3339
from sizing.model.arrivals import named_log
from sizing.settings import Objective
from sizing.types import Window

LATENESS_OF_LIMIT = 0.1
GENERATOR_CORE_RATIO = 0.7
COMPLETED_RATIO, COMPLETED_REQUESTS = 0.01, 2
STEAL_RATIO = 0.02
# Credits: an instance that ran out earns and spends at once, so that an average may show a trace of one.
NO_CREDIT = 0.05
# The sampler's beat: a window that touches a deployment loses this much on either side.
EDGE = timedelta(seconds=1)


def windows(run: Run, latency_limit_s: float) -> list[Window]:
    """Cut a run into steady, warm-up and deployment windows and say of each whether it is valid (docs/reference/definitions.md)."""
    deploys = run.events.filter(pl.col("kind") == "deploy").drop_nulls("until").sort("at")
    breaks = [(row["at"] - EDGE, row["until"] + EDGE) for row in deploys.iter_rows(named=True)]
    cut: list[Window] = []
    for phase in _phases(run):
        kind: Literal["steady", "warmup"] = "warmup" if phase.name.startswith("warm") else "steady"
        for start, end, deploying in _split(phase.start, phase.end, breaks):
            window = replace(phase, start=start, end=end, kind="deploy" if deploying else kind)
            cut.append(_judged(run, window, latency_limit_s))
    return cut


def _phases(run: Run) -> list[Window]:
    """Put the workers' notes of each step together: the span that all of them shared, the sum of what they offered."""
    notes = run.events.filter(pl.col("kind") == "phase").drop_nulls("until")
    notes = notes.with_columns(offered=pl.col("detail").str.json_path_match("$.offered_per_s").cast(pl.Float64))
    steps = notes.group_by("subject").agg(pl.col("at").max(), pl.col("until").min(), pl.col("offered").sum()).sort("at")
    return [Window(s["subject"], s["at"], s["until"], "steady", s["offered"], 0.0, True, "") for s in steps.iter_rows(named=True)]


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


def _judged(run: Run, window: Window, limit_s: float) -> Window:
    rows = between(run.requests, "intended_at", window.start, window.end)
    done = rows.filter(pl.col("error").is_null() | ~pl.col("error").is_in(["aborted"]))
    faults = [*_generator_faults(run, rows, done, limit_s), *_host_faults(run, window)]
    return replace(window, achieved_per_s=done.height / window.seconds, valid=not faults, why="; ".join(faults))


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
    faults += [f"the CPU credits of {host} had run out" for host in _throttled(run, window)]
    return faults


def _throttled(run: Run, window: Window) -> list[str]:
    """Name the instances in standard mode whose credit balance CloudWatch saw at nothing meanwhile."""
    unlimited = {i["id"] for i in run.topology.get("instances", ()) if i.get("credit_mode") == "unlimited"}
    # A point stands at its period's start, and holds until the period's end.
    spent = run.metrics.filter(
        (pl.col("namespace") == "AWS/EC2")
        & (pl.col("metric") == "CPUCreditBalance")
        & (pl.col("value") <= NO_CREDIT)
        & (pl.col("at") < window.end)
        & (pl.col("at") + pl.duration(seconds=pl.col("period_s").cast(pl.Int64)) > window.start)
    )
    hosts = {json.loads(text).get("InstanceId", "a host") for text in spent["dimensions"]}
    return sorted(hosts - unlimited)


def between(frame: pl.DataFrame, column: str, start: datetime, end: datetime) -> pl.DataFrame:
    """Return the rows whose time lies in (start, end]."""
    return frame.filter((pl.col(column) > start) & (pl.col(column) <= end))


def phase_rows(cut: Sequence[Window]) -> list[dict[str, Any]]:
    """Write windows as run.json's `phases`."""
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


def measured_objectives(run: Run, cut: Sequence[Window], objectives: Sequence[Objective]) -> list[dict[str, Any]]:
    """Write run.json's `objectives`: each with what its request showed in the valid steady windows; null where nothing did."""
    return _objectives_in(run.requests, named_log(run), [w for w in cut if w.valid and w.kind == "steady"], objectives)


def objectives_by_window(run: Run, cut: Sequence[Window], objectives: Sequence[Objective]) -> list[list[dict[str, Any]]]:
    """As `measured_objectives`, of each window alone, valid or not."""
    log = named_log(run)
    return [_objectives_in(run.requests, log, [window], objectives) for window in cut]


def _objectives_in(
    requests: pl.DataFrame, log: pl.DataFrame, kept: Sequence[Window], objectives: Sequence[Objective]
) -> list[dict[str, Any]]:
    rows = pl.concat([between(requests, "intended_at", w.start, w.end) for w in kept]) if kept else requests.clear()
    lines = pl.concat([between(log, "created_at", w.start, w.end) for w in kept]) if kept else log.clear()
    return [_measured(o, _asked_for(rows, o.request), _asked_for(lines, o.request)) for o in objectives]


def _asked_for(rows: pl.DataFrame, request: str) -> pl.DataFrame:
    return rows if request == "*" else rows.filter(pl.col("name") == request)


def _measured(objective: Objective, rows: pl.DataFrame, lines: pl.DataFrame) -> dict[str, Any]:
    value: Any = None
    if objective.name == "errors":
        limit = objective.limit_ratio
        value = float((~rows["ok"]).sum()) / rows.height if rows.height else None
    else:
        limit = objective.limit_s
        times = lines["target_s"].drop_nulls() if objective.at == "target" else rows["response_us"] / 1e6
        value = times.quantile(objective.quantile) if len(times) else None
    ok = None if value is None or limit is None else bool(value <= limit)
    return {**objective.model_dump(exclude_none=True), "value": value, "ok": ok}
