"""A run's folder: its name, its run.json (replaced atomically), and who still writes to it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evidence.errors import SizeupError
from evidence.trace import trace_run

RUN_SCHEMA = "1"


def rfc3339(at: datetime) -> str:
    """Write a UTC time as RFC 3339 with Z, to the microsecond where it has any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def micros(at: datetime) -> int:
    """Return UTC microseconds since 1970, the in-memory form of a `ts` column."""
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def write_atomic(path: Path, data: bytes) -> None:
    """Replace a file so that a reader sees the old or the new one, never half of it."""
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    try:
        half.write_bytes(data)
        os.replace(half, path)
    except OSError:
        half.unlink(missing_ok=True)
        raise


class RunFolder:
    """One run being written; `meta` is what run.json says and changes only through `update`."""

    def __init__(self, path: Path, meta: dict[str, Any]) -> None:
        self.path = path
        self.meta = meta

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def spool(self) -> Path:
        return self.path / ".spool"

    def update(self, **fields: Any) -> None:
        """Set fields of run.json and replace it."""
        self.meta.update(fields)
        write_json(self.path / "run.json", self.meta)

    def finish(self, status: str, at: datetime, **fields: Any) -> None:
        """Say how the run ended: complete, stopped or crashed."""
        self.meta.pop("writer", None)
        self.update(status=status, ended_at=rfc3339(at), **fields)


def create_run(results: Path, target: str, plan: str, at: datetime, **fields: Any) -> RunFolder:
    """Make `<results>/<UTC>-<target>-<plan>` with a running run.json.

    Raises
    ------
    SizeupError
        Where the folder can't be made.
    """
    run_id = f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{target}-{plan}"
    path = results / run_id
    try:
        (path / ".spool").mkdir(parents=True)
    except FileExistsError:
        raise SizeupError(f"{path}: a run of this second stands there already; start it again.") from None
    except OSError as refused:
        raise SizeupError(f"{results}: no run folder can be made there ({refused.strerror}); name another with --results.") from None
    return start_run(path, target, plan, at, **fields)


def start_run(path: Path, target: str, plan: str, at: datetime, **fields: Any) -> RunFolder:
    """Make an existing or new folder a run by a running run.json; its name becomes the run's id.

    Raises
    ------
    SizeupError
        Where it can't be written to.
    """
    run_id = path.resolve().name
    try:
        (path / ".spool").mkdir(parents=True, exist_ok=True)
    except OSError as refused:
        raise SizeupError(f"{path}: no run folder can be made there ({refused.strerror}); name another.") from None
    meta: dict[str, Any] = {
        "schema": RUN_SCHEMA, "id": run_id, "status": "running", "started_at": rfc3339(at), "ended_at": None,
        "target": target, "plan": {"name": plan}, "phases": [], "counts": {"requests": 0, "errors": 0, "workers": 0},
        "knee_per_s": None, "saturation_per_s": None, "objectives": [], "clocks": [],
        "generator": {"cores": None, "cpu_ratio_max": None, "lateness_p99_us": None}, "versions": {}, "git_commit": None,
        "cost_usd": "0", "synthetic": False, "trace_run": trace_run(run_id), "writer": process_mark(os.getpid()),
    }  # fmt: skip
    folder = RunFolder(path, meta)
    folder.update(**fields)
    return folder


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a JSON file; keys keep their order, and what is no number is null: JSON knows no NaN."""
    write_atomic(path, (json.dumps(numbers_only(value, []), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def numbers_only(value: Any, lost: list[str], path: str = "") -> Any:
    """Return a value with None for each float that is no number; the paths of those, as `hosts[0].latency`, go into `lost`."""
    if isinstance(value, float) and not math.isfinite(value):
        lost.append(path)
        return None
    if isinstance(value, Mapping):
        return {key: numbers_only(each, lost, f"{path}.{key}" if path else str(key)) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [numbers_only(each, lost, f"{path}[{n}]") for n, each in enumerate(value)]
    return value


def process_mark(pid: int) -> dict[str, Any]:
    """Name a process so that a later one under the same id is not taken for it: its id and, on Linux, its start tick."""
    return {"pid": pid, "start": process_start(pid)}


def process_start(pid: int) -> int | None:
    """Return the process's start in clock ticks since boot; None where none such lives (one not yet reaped has ended) or without /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if stat[0] in ("Z", "X") else int(stat[19])


def is_alive(mark: Mapping[str, Any] | None) -> bool:
    """Tell whether the very process that `process_mark` named still runs."""
    if not mark:
        return False
    try:
        os.kill(mark["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return mark["start"] is None or process_start(mark["pid"]) == mark["start"]
