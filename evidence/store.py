"""A run as frames: what is compacted into Parquet merged with the spools' tails, whatever moment a writer died at."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from evidence.alb_log import parse_line
from evidence.columns import SCHEMA, TABLES
from evidence.errors import SizeupError
from evidence.folder import RunFolder, is_alive
from evidence.spool import read_frames_at
from evidence.trace import parse_trace

_POLARS: dict[str, Any] = {
    "ts": pl.Datetime("us", "UTC"),
    "i16": pl.Int16,
    "i32": pl.Int32,
    "i64": pl.Int64,
    "f32": pl.Float32,
    "f64": pl.Float64,
    "str": pl.String,
    "bool": pl.Boolean,
}
_ARROW: dict[str, pa.DataType] = {
    "ts": pa.timestamp("us", "UTC"),
    "i16": pa.int16(),
    "i32": pa.int32(),
    "i64": pa.int64(),
    "f32": pa.float32(),
    "f64": pa.float64(),
    "str": pa.string(),
    "bool": pa.bool_(),
}
_DELTA = {"ts", "i32", "i64"}
_ACCESS_LOG: dict[str, Any] = {
    "at": pl.Datetime("us", "UTC"),
    "created_at": pl.Datetime("us", "UTC"),
    "target_group": pl.String,
    "target": pl.String,
    "method": pl.String,
    "url": pl.String,
    "host": pl.String,
    "client": pl.String,
    "user_agent": pl.String,
    "status": pl.Int32,
    "target_status": pl.Int32,
    "target_s": pl.Float64,
    "total_s": pl.Float64,
    "received_bytes": pl.Int64,
    "sent_bytes": pl.Int64,
    "trace_id": pl.String,
    "trace_run": pl.String,
    "worker": pl.Int32,
    "seq": pl.Int64,
}
COVERED = b"sizeup.spools"


@dataclass(frozen=True, slots=True)
class Run:
    """One run, read: `meta` is run.json; each frame has the reference's columns.

    `access_log` holds the load balancer's lines (at, created_at, target_group, target, method, url, host, client, user_agent, status,
    target_status, target_s, total_s, received_bytes, sent_bytes, trace_id, trace_run, worker, seq); the last three are
    null where the Root isn't of our shape, and `trace_run` equals run.json's where the generator sent it.
    """

    path: Path
    meta: Mapping[str, Any]
    requests: pl.DataFrame
    hosts: pl.DataFrame
    processes: pl.DataFrame
    metrics: pl.DataFrame
    events: pl.DataFrame
    access_log: pl.DataFrame
    topology: Mapping[str, Any]
    catalogue: Mapping[str, Any]
    settings_toml: str

    @property
    def id(self) -> str:
        return str(self.meta["id"])

    @property
    def status(self) -> str:
        return run_status(self.meta)

    @property
    def synthetic(self) -> bool:
        return bool(self.meta.get("synthetic"))


def run_status(meta: Mapping[str, Any]) -> str:
    """Return running, complete, stopped or crashed; a running one whose writer is gone has crashed."""
    status = str(meta["status"])
    return "crashed" if status == "running" and not is_alive(meta.get("writer")) else status


def read_meta(path: Path) -> dict[str, Any]:
    """Read run.json alone.

    Raises
    ------
    SizeupError
        Where the folder is no run, or its run.json can't be read.
    """
    try:
        meta = json.loads((path / "run.json").read_bytes())
    except FileNotFoundError:
        raise SizeupError(f"{path}: no run.json stands there, so it is no run; see sizeup runs list.") from None
    except (OSError, ValueError) as broken:
        raise SizeupError(f"{path}/run.json: can't be read ({broken}); restore it, or load again.") from None
    if not isinstance(meta, dict) or not {"schema", "id", "status"} <= meta.keys():
        raise SizeupError(f"{path}/run.json: lacks schema, id or status; restore it, or load again.")
    if not str(meta["schema"]).isdigit() or int(meta["schema"]) > int(SCHEMA):
        raise SizeupError(f"{path}/run.json: schema {meta['schema']} is newer than this sizeup reads ({SCHEMA}); update sizeup.")
    return meta


def open_run(path: Path) -> Run:
    """Read one run folder, whole or torn.

    Raises
    ------
    SizeupError
        Where the folder is no run, or one of its files can't be read.
    """
    path = Path(path)
    meta = read_meta(path)
    try:
        tables = {name: _read_table(path, name) for name in TABLES}
        log = _read_access_log(path / "alb")
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as broken:
        raise SizeupError(f"run {path.name}: a file can't be read ({broken}); see sizeup runs check {path.name}.") from None
    settings = path / "settings.toml"
    return Run(
        path=path,
        meta=meta,
        **tables,
        access_log=log,
        topology=_read_json(path / "topology.json"),
        catalogue=_read_json(path / "catalogue.json"),
        settings_toml=settings.read_text() if settings.exists() else "",
    )


def list_runs(results: Path) -> list[Path]:
    """Return the run folders under `results`, newest first (by their id's time)."""
    if not results.is_dir():
        return []
    return sorted((p.parent for p in results.glob("*/run.json")), key=lambda p: p.name, reverse=True)


def find_run(results: Path, spec: str | None, *, synthetic: bool = True) -> Path | None:
    """Resolve a RUN argument: a path or an id; None means the newest complete run.

    Parameters
    ----------
    synthetic : bool
        Whether the newest one may be a demo's.

    Raises
    ------
    SizeupError
        Where `spec` names no run.
    """
    if spec is not None:
        for path in (Path(spec), results / spec):
            if (path / "run.json").is_file():
                return path
        raise SizeupError(f"run {spec!r}: neither a run folder nor an id under {results}; see sizeup runs list.")
    for path in list_runs(results):
        meta = read_meta(path)
        if run_status(meta) == "complete" and (synthetic or not meta.get("synthetic")):
            return path
    return None


def compact(path: Path) -> int:
    """Move whole spool frames into Parquet; return the rows moved. Safe to be killed at, and to repeat."""
    moved = 0
    for table in TABLES:
        rows, covered = _spool_tail(path, table, _covered(path, table))
        if rows.height:
            moved += rows.height
            if table == "requests":
                _write_requests(path, rows, covered)
            else:
                old = path / f"{table}.parquet"
                _write(old, table, pl.concat([pl.read_parquet(old), rows], how="diagonal") if old.exists() else rows, covered)
    return moved


def tidy(path: Path, tables: Iterable[str]) -> None:
    """Move the spools into Parquet for good, and put the tables' rows in their order, each once (the last told value counts).

    Safe to be killed at, and to repeat; afterwards spools may begin anew under their old names.
    """
    compact(path)
    for spool in (path / ".spool").glob("*.spool"):
        spool.unlink()
    for table in tables:
        file, key = path / f"{table}.parquet", [c.name for c in TABLES[table] if c.name != "value"]
        if file.exists():
            _write(file, table, pl.read_parquet(file).unique(key, keep="last", maintain_order=True).sort(key), {})


def seal(folder: RunFolder, status: str, at: datetime, **fields: Any) -> None:
    """End a run: compact, drop the spools, write the empty tables too, and say how it ended."""
    compact(folder.path)
    for table in TABLES:
        single = folder.path / f"{table}.parquet"
        if table != "requests" and not single.exists():
            _write(single, table, _empty(table), {})
    folder.finish(status, at, **fields)
    for spool in folder.spool.glob("*.spool"):
        spool.unlink()
    if folder.spool.is_dir() and not any(folder.spool.iterdir()):
        folder.spool.rmdir()


def settle(results: Path, now: datetime) -> list[str]:
    """Seal every run whose writer died, as crashed; return their ids. What was measured stays."""
    settled = []
    for path in list_runs(results):
        try:
            meta = read_meta(path)
        except SizeupError:
            continue
        if meta["status"] == "running" and run_status(meta) == "crashed":
            seal(RunFolder(path, meta), "crashed", now)
            settled.append(path.name)
    return settled


def _read_table(path: Path, table: str) -> pl.DataFrame:
    files = sorted((path / "requests").glob("*.parquet")) if table == "requests" else [f for f in [path / f"{table}.parquet"] if f.exists()]
    tail, _ = _spool_tail(path, table, _covered(path, table))
    frames = [pl.read_parquet(f) for f in files] + [tail]
    return pl.concat(frames, how="diagonal_relaxed").select(pl.col(c.name).cast(_POLARS[c.kind]) for c in TABLES[table])


def _spool_tail(path: Path, table: str, covered: Mapping[str, int]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the table's rows that no Parquet file holds yet, and up to where each spool is read."""
    frames, ends = [_empty(table)], dict(covered)
    for spool in sorted((path / ".spool").glob("*.spool")):
        for end, name, columns in read_frames_at(spool, covered.get(spool.name, 0)):
            if name == table:
                frames.append(_frame(table, columns))
                ends[spool.name] = end
    return pl.concat(frames), ends


def _covered(path: Path, table: str) -> dict[str, int]:
    """Return how many bytes of each spool the table's Parquet files already hold."""
    files = (path / "requests").glob("*.parquet") if table == "requests" else [path / f"{table}.parquet"]
    ends: dict[str, int] = {}
    for file in files:
        if file.exists():
            for name, end in json.loads((pq.read_schema(file).metadata or {}).get(COVERED, b"{}")).items():
                ends[name] = max(end, ends.get(name, 0))
    return ends


def _frame(table: str, columns: Mapping[str, list[Any]]) -> pl.DataFrame:
    series = [pl.Series(c.name, columns[c.name], dtype=pl.Int64 if c.kind == "ts" else _POLARS[c.kind]) for c in TABLES[table]]
    return pl.DataFrame(series).with_columns(pl.col(c.name).cast(_POLARS["ts"]) for c in TABLES[table] if c.kind == "ts")


def _empty(table: str) -> pl.DataFrame:
    return pl.DataFrame(schema={c.name: _POLARS[c.kind] for c in TABLES[table]})


def _write_requests(path: Path, rows: pl.DataFrame, covered: Mapping[str, int]) -> None:
    folder = path / "requests"
    folder.mkdir(exist_ok=True)
    for (worker,), part in rows.sort("seq").partition_by("worker", as_dict=True).items():
        n = len(list(folder.glob(f"{worker}-*.parquet")))
        spools = {name: end for name, end in covered.items() if _spool_worker(name) in (None, worker)}
        _write(folder / f"{worker}-{n}.parquet", "requests", part, spools)


def _spool_worker(name: str) -> int | None:
    """Return whose requests a spool holds: `requests-<worker>.spool`."""
    stem = name.removesuffix(".spool").rpartition("-")[2]
    return int(stem) if stem.isdigit() else None


def _write(file: Path, table: str, rows: pl.DataFrame, covered: Mapping[str, int]) -> None:
    columns = TABLES[table]
    arrow = rows.select(c.name for c in columns).to_arrow().cast(arrow_schema(table))
    arrow = arrow.replace_schema_metadata({b"sizeup.schema": SCHEMA.encode(), COVERED: json.dumps(covered).encode()})
    half = file.with_suffix(".half")
    try:
        pq.write_table(
            arrow,
            half,
            compression="zstd",
            use_dictionary=[c.name for c in columns if c.kind in ("str", "i16")],
            column_encoding={c.name: "DELTA_BINARY_PACKED" for c in columns if c.kind in _DELTA},
        )
        half.replace(file)
    except OSError:
        half.unlink(missing_ok=True)
        raise


def arrow_schema(table: str) -> pa.Schema:
    """Return the Parquet schema that a table's files have: names, types, what may be null."""
    return pa.schema([pa.field(c.name, _ARROW[c.kind], nullable=c.nullable) for c in TABLES[table]])


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes()) if path.exists() else {}
    except (OSError, ValueError) as broken:
        raise SizeupError(f"{path}: can't be read ({broken}); restore it, or load again.") from None
    if not isinstance(found, dict):
        raise SizeupError(f"{path}: holds no table of names and values; restore it, or load again.")
    return found


def _read_access_log(folder: Path) -> pl.DataFrame:
    return pl.DataFrame(list(_log_rows(access_log_lines(folder))), schema=_ACCESS_LOG, orient="row")


def _log_rows(lines: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    """Read each line that is an access log's; `sizeup runs check` names those that aren't."""
    for line in lines:
        with suppress(ValueError):
            yield _log_row(line)


def access_log_lines(folder: Path) -> Iterator[str]:
    """Yield each whole line of the folder's `*.log.gz`, oldest file first; a file cut short gives what it has."""
    for file in sorted(folder.glob("*.log.gz")):
        with suppress(EOFError, zlib.error, gzip.BadGzipFile), gzip.open(file, "rt", encoding="utf-8", errors="replace") as lines:
            yield from (line for line in lines if line.endswith("\n") and line.strip())


def _log_row(text: str) -> tuple[Any, ...]:
    line = parse_line(text)
    trace = parse_trace(line.trace_id)
    group = (line.target_group_arn or "").split("targetgroup/")[-1].split("/")[0] or None
    ours = (trace.run12, trace.worker, trace.seq) if trace else (None, None, None)
    return (
        line.at.astimezone(UTC),
        line.created_at.astimezone(UTC),
        group,
        line.target,
        line.method,
        line.url,
        line.domain_name or _host(line.url),
        line.client,
        line.user_agent,
        line.status,
        line.target_status,
        line.target_s,
        line.total_s,
        line.received_bytes,
        line.sent_bytes,
        line.trace_id,
        *ours,
    )


def _host(url: str) -> str | None:
    with suppress(ValueError):
        return urlsplit(url).hostname
    return None
