"""What lies under results/: how each run ended, and what is wrong with its files."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from evidence import SCHEMA, TABLES, Run, SizeupError, access_log_lines, arrow_schema, list_runs, open_run, read_meta, run_status
from evidence.spool import read_frames_at

MEMBERS = ("schema", "id", "status", "started_at", "ended_at", "target", "plan", "phases", "counts", "generator", "synthetic")
"""What every run.json has, beside what a later schema adds."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run as `sizeup runs list` shows it; `status` is unreadable where run.json is broken."""

    id: str
    status: str
    started_at: str | None
    seconds: float | None
    requests: int | None
    errors: int | None
    valid_windows: int | None
    windows: int | None
    size_bytes: int
    synthetic: bool | None

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found: `fault` where the run can't be trusted in it, `note` where a reader should know."""

    level: str
    file: str
    what: str
    mend: str

    def as_json(self) -> dict[str, str]:
        return {"level": self.level, "file": self.file, "what": self.what, "mend": self.mend}


def run_lines(results: Path) -> list[RunLine]:
    """Describe every run under `results`, newest first."""
    return [run_line(path) for path in list_runs(results)]


def run_line(path: Path) -> RunLine:
    """Describe one run from its run.json and its files' sizes."""
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    try:
        meta = read_meta(path)
    except SizeupError:
        return RunLine(path.name, "unreadable", None, None, None, None, None, None, size, None)
    phases, counts = meta.get("phases", []), meta.get("counts", {})
    return RunLine(
        id=path.name, status=run_status(meta), started_at=meta.get("started_at"),
        seconds=_seconds(meta.get("started_at"), meta.get("ended_at")), requests=counts.get("requests"),
        errors=counts.get("errors"), valid_windows=sum(bool(p.get("valid")) for p in phases), windows=len(phases), size_bytes=size,
        synthetic=bool(meta.get("synthetic")),
    )  # fmt: skip


def table_rows(run: Run) -> dict[str, int]:
    """Return how many rows each table of a run has, the access log's lines with them."""
    return {name: getattr(run, name).height for name in (*TABLES, "access_log")}


def check_run(path: Path) -> list[Finding]:
    """Look for what is wrong in a run's files, and between them.

    Raises
    ------
    SizeupError
        Where the folder is no run.
    """
    meta = read_meta(path)
    findings = [*_check_meta(meta), *_check_tables(path, meta), *_check_logs(path), *_check_spools(path)]
    if not any(f.level == "fault" for f in findings):
        run = open_run(path)
        findings += [*_check_counts(run), *_check_join(run)]
    return findings


def _check_meta(meta: dict[str, Any]) -> Iterator[Finding]:
    for name in MEMBERS:
        if name not in meta:
            yield Finding("fault", "run.json", f'"{name}" is missing', "restore the file, or load again")
    if run_status(meta) == "crashed":
        yield Finding("note", "run.json", "the run crashed; what was measured until then is kept", "load again for a whole one")


def _check_tables(path: Path, meta: dict[str, Any]) -> Iterator[Finding]:
    for table in TABLES:
        files = sorted((path / "requests").glob("*.parquet")) if table == "requests" else [path / f"{table}.parquet"]
        for file in files:
            if file.exists():
                yield from _check_file(file, table, file.relative_to(path).as_posix())
            elif meta["status"] != "running":
                yield Finding("fault", file.name, "the file is missing", "restore it, or load again")


def _check_file(file: Path, table: str, name: str) -> Iterator[Finding]:
    """Compare one Parquet file with the schema; read it whole, since damage may lie in any page."""
    try:
        schema = pq.read_table(file).schema
    except (OSError, pa.ArrowException) as broken:
        yield Finding("fault", name, f"can't be read ({str(broken).splitlines()[0]})", "restore it, or load again")
        return
    said = (schema.metadata or {}).get(b"sizeup.schema", b"").decode()
    if said != SCHEMA:
        yield Finding("fault", name, f'its sizeup.schema says "{said}", not "{SCHEMA}"', "read it with the sizeup that wrote it")
    for want in arrow_schema(table):
        at = schema.get_field_index(want.name)
        if at < 0:
            yield Finding("fault", name, f"column {want.name} is missing", "load again")
        elif schema.field(at).type != want.type:
            yield Finding("fault", name, f"column {want.name} is {schema.field(at).type}, not {want.type}", "load again")


def _check_logs(path: Path) -> Iterator[Finding]:
    """Name each access log that isn't whole: its lines up to there are read, the rest is nobody's."""
    for file in sorted((path / "alb").glob("*.log.gz")):
        try:
            with gzip.open(file) as lines:
                while lines.read(1 << 20):
                    pass
        except (OSError, EOFError, zlib.error) as broken:
            yield Finding("note", f"alb/{file.name}", f"can't be read to its end ({broken})", "restore it, or collect it again")


def _check_spools(path: Path) -> Iterator[Finding]:
    """Report what a kill tore: bytes after a spool's last whole frame."""
    for spool in sorted((path / ".spool").glob("*.spool")):
        whole = max((end for end, _, _ in read_frames_at(spool, 0)), default=0)
        torn = spool.stat().st_size - whole
        if torn:
            yield Finding("note", f".spool/{spool.name}", f"its last {torn} bytes were torn off at the kill", "the rest is read")


def _check_counts(run: Run) -> Iterator[Finding]:
    twice = run.requests.height - run.requests.select("worker", "seq").n_unique()
    if twice:
        yield Finding("fault", "requests/", f"{twice} rows stand twice (worker and seq)", "load again")
    said = run.meta["counts"].get("requests", 0)
    if run.status == "complete" and said != run.requests.height:
        yield Finding("fault", "run.json", f"says {said} requests, the files hold {run.requests.height}", "load again")


def _check_join(run: Run) -> Iterator[Finding]:
    """Hold request rows against access-log lines: each that reached the load balancer has exactly one line, and the other way round."""
    if run.access_log.is_empty():
        if run.requests.height:
            yield Finding("note", "alb/", "no access log lies here, so rows can't be joined to it", "nothing to do where none can be had")
        return
    if odd := sum(1 for _ in access_log_lines(run.path / "alb")) - run.access_log.height:
        yield Finding("note", "alb/", f"{odd} lines are no access log's and count for nothing", "look at them where they are many")
    key = ["worker", "seq"]
    lines = run.access_log.filter(pl.col("trace_run") == run.meta.get("trace_run")).select(pl.col("worker").cast(pl.Int64), "seq")
    rows = run.requests.select(pl.col(k).cast(pl.Int64) for k in key)
    answered = run.requests.filter(pl.col("status") > 0).select(pl.col(k).cast(pl.Int64) for k in key)
    level = "fault" if run.status == "complete" else "note"
    if twice := lines.height - lines.n_unique():
        yield Finding("fault", "alb/", f"{twice} lines carry a trace id that another one has", "load again")
    lost = answered.join(lines, on=key, how="anti").sort(key)
    if lost.height:
        what = f"{lost.height} answered requests have no line, their lines were on the way at the end: {_names(lost)}"
        yield Finding(level, "alb/", what, "collect the rest of the access log")
    flying = lines.join(rows, on=key, how="anti").sort(key)
    if flying.height:
        what = f"{flying.height} lines have no row, in flight at the end: {_names(flying)}"
        yield Finding(level, "requests/", what, "load again where it matters")


def _names(rows: pl.DataFrame, most: int = 10) -> str:
    names = [f"{worker}-{seq}" for worker, seq in rows.head(most).iter_rows()]
    return ", ".join(names) + (f" and {rows.height - most} more" if rows.height > most else "")


def _seconds(start: str | None, end: str | None) -> float | None:
    if not start or not end:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
