"""What a run is: its columns, writer and reader, and how an estimate, an unknown and a reason are said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evidence.columns import SCHEMA, TABLES, Column
from evidence.errors import SizeupError
from evidence.estimate import Estimate, Reason, Unknown, Warn
from evidence.folder import RunFolder, create_run, is_alive, micros, process_mark, rfc3339, write_atomic, write_json
from evidence.names import route_name
from evidence.registry import discover
from evidence.spool import SpoolWriter, read_frames
from evidence.trace import HEADER, Trace, make_trace, parse_trace, trace_run

if TYPE_CHECKING:
    from evidence.settings import Table, read_toml, validate
    from evidence.store import Run, access_log_lines, compact, find_run, list_runs, open_run, read_meta, run_status, seal, settle

__all__ = [
    "HEADER", "SCHEMA", "TABLES", "Column", "Estimate", "Reason", "Run", "RunFolder", "SizeupError", "SpoolWriter", "Table",
    "Trace", "Unknown", "Warn", "access_log_lines", "compact", "create_run", "discover", "find_run", "is_alive", "list_runs",
    "make_trace", "micros", "open_run", "parse_trace", "process_mark", "read_frames", "read_meta", "read_toml", "rfc3339",
    "route_name", "run_status", "seal", "settle", "trace_run", "validate", "write_atomic", "write_json",
]  # fmt: skip

# Lazy: polars and pyarrow must never reach a Locust worker, pydantic needn't.
_LAZY = {name: "evidence.store" for name in ("Run", "access_log_lines", "compact", "find_run", "list_runs", "open_run", "read_meta", "run_status", "seal", "settle")}
_LAZY |= {name: "evidence.settings" for name in ("Table", "read_toml", "validate")}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
