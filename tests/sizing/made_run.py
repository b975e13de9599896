"""A run of known truth: arrivals, CPU and memory made by formula with a seed, in the columns of a real one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from evidence import TABLES, Run

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MIB = 1 << 20
PRESENT = {"frontend": "t3.small", "api": "t3.small"}


@dataclass(frozen=True)
class Truth:
    """What the made service costs; `demand_s` by request name on the API."""

    demand_s: dict[str, float] = field(default_factory=lambda: {"GET /boards": 0.004, "POST /boards": 0.004})
    weights: tuple[float, ...] = (0.8, 0.2)
    background_cores: float = 0.01
    api_bytes: int = 300 * MIB
    rates: tuple[float, ...] = (5.0, 10.0, 20.0)
    step_s: int = 60
    deploy: bool = True
    wait_s: float = 0.002
    present: str = "t3.small"
    errors: float = 0.0
    seed: int = 1


def made_run(truth: Truth) -> Run:
    """Make a run in which every request goes from outside straight to the API."""
    rng = np.random.default_rng(truth.seed)
    names = list(truth.demand_s)
    starts, kinds = [], []
    events = []
    at = 0.0
    for k, rate in enumerate(truth.rates):
        count = rng.poisson(rate * truth.step_s)
        starts.append(at + np.sort(rng.uniform(0, truth.step_s, count)))
        kinds.append(rng.choice(len(names), count, p=truth.weights))
        events.append(_phase(f"step-{k + 1}", at, at + truth.step_s, rate))
        at += truth.step_s
    if truth.deploy:
        events.append((_at(at - 6), _at(at - 2), "deploy", "api", "{}"))
    start, kind = np.concatenate(starts), np.concatenate(kinds)
    demand = np.array([truth.demand_s[n] for n in names])[kind] * rng.exponential(1.0, len(kind))
    length = demand + truth.wait_s
    seconds = int(at)
    cpu = np.full(seconds, truth.background_cores)
    for s, e, d in zip(start, start + length, demand, strict=True):
        for b in range(int(s), min(int(e) + 1, seconds)):
            cpu[b] += d * max(0.0, min(e, b + 1) - max(s, b)) / (e - s)
    hosts = [_host(b + 1, "api", c) for b, c in enumerate(cpu)] + [_host(b + 1, "frontend", 0.01) for b in range(seconds)]
    processes = [_process(b + 1, "api", "api", "blue", truth.api_bytes) for b in range(seconds)]
    processes += [_process(b + 1, "frontend", "frontend", None, 60 * MIB) for b in range(seconds)]
    failed = rng.uniform(size=len(start)) < truth.errors
    log = [
        {
            "at": _at(s + w),
            "created_at": _at(s),
            "target_group": "moco-api",
            "target": "127.0.0.1:1",
            "method": names[k].split()[0],
            "url": "http://api.example.run:80" + names[k].split()[1],
            "host": "api.example.run",
            "client": "127.0.0.1:5",
            "user_agent": "made",
            "status": 503 if bad else 200,
            "target_status": 200,
            "target_s": float(w),
            "total_s": float(w),
            "received_bytes": 200,
            "sent_bytes": 2000,
            "trace_id": "",
            "trace_run": "made",
            "worker": 0,
            "seq": i,
        }
        for i, (s, w, k, bad) in enumerate(zip(start, length, kind, failed, strict=True))
    ]
    requests = [
        (
            0,
            i,
            _us(s),
            100,
            50,
            1000,
            int(w * 1e6),
            int(w * 1e6) + 150,
            names[k],
            "board",
            "api.example.run",
            names[k].split()[0],
            200,
            None,
            True,
            200,
            2000,
        )
        for i, (s, w, k) in enumerate(zip(start, length, kind, strict=True))
    ]
    topology = {
        "target_groups": [
            {"name": "moco-api", "class": "api", "targets": []},
            {"name": "moco-frontend", "class": "frontend", "targets": []},
        ],
        "instances": [{"id": f"i-{c}", "class": c, "type": truth.present, "credit_mode": "standard"} for c in ("api", "frontend")],
    }
    return Run(
        path=Path("20261124T120000Z-made-steps"),
        meta={"schema": "1", "id": "made", "status": "complete", "synthetic": False, "trace_run": "made", "generator": {}},
        requests=_frame("requests", requests),
        hosts=_frame("hosts", hosts),
        processes=_frame("processes", processes),
        metrics=_frame("metrics", []),
        events=_frame("events", [(_us_of(a), _us_of(u), *rest) for a, u, *rest in events]),
        access_log=pl.DataFrame(log, schema_overrides=_LOG),
        topology=topology,
        catalogue={},
        settings_toml="",
    )


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=float(seconds))


def _us_of(at: datetime) -> int:
    return round(at.timestamp() * 1e6)


def _us(seconds: float) -> int:
    return _us_of(_at(seconds))


def _phase(name: str, start: float, end: float, rate: float) -> tuple[datetime, datetime, str, str, str]:
    return (_at(start), _at(end), "phase", name, f'{{"offered_per_s": {rate}}}')


def _host(second: int, name: str, cpu: float) -> tuple[object, ...]:
    named = {
        "at": _us(second),
        "interval_s": 1.0,
        "host": name,
        "class": name,
        "source": "process_group",
        "vcpus": 2,
        "cpu_user_s": cpu,
        "cpu_system_s": 0.0,
        "cpu_steal_s": 0.0,
        "agent_cpu_s": 0.0,
        "gap": False,
    }
    return tuple(named.get(c.name) for c in TABLES["hosts"])


def _process(second: int, host: str, group: str, color: str | None, size: int) -> tuple[object, ...]:
    named = {
        "at": _us(second),
        "host": host,
        "group": group,
        "color": color,
        "pids": 1,
        "cpu_s": 0.0,
        "rss_bytes": size,
        "pss_bytes": size,
        "pss_estimated": False,
        "threads": 4,
        "restarts": 0,
    }
    return tuple(named.get(c.name) for c in TABLES["processes"])


_LOG = {"at": pl.Datetime("us", "UTC"), "created_at": pl.Datetime("us", "UTC"), "worker": pl.Int32}
_KINDS = {
    "ts": pl.Int64,
    "i16": pl.Int16,
    "i32": pl.Int32,
    "i64": pl.Int64,
    "f32": pl.Float32,
    "f64": pl.Float64,
    "str": pl.String,
    "bool": pl.Boolean,
}


def _frame(table: str, rows: list[tuple[object, ...]]) -> pl.DataFrame:
    columns = TABLES[table]
    frame = pl.DataFrame(rows, schema={c.name: _KINDS[c.kind] for c in columns}, orient="row")
    return frame.with_columns(pl.col(c.name).cast(pl.Datetime("us", "UTC")) for c in columns if c.kind == "ts")
