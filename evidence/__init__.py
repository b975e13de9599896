"""What a run is: its columns, writer and reader, and how an estimate, an unknown and a reason are said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidence.columns import SCHEMA, TABLES, Column
    from evidence.errors import SizeupError
    from evidence.estimate import Estimate, Reason, Unknown, Warn
    from evidence.folder import (
        RunFolder,
        create_run,
        is_alive,
        micros,
        numbers_only,
        process_mark,
        rfc3339,
        start_run,
        write_atomic,
        write_json,
    )
    from evidence.names import route_name
    from evidence.registry import discover
    from evidence.settings import Table, read_toml, validate
    from evidence.spool import SpoolWriter, read_frames
    from evidence.store import (
        Run,
        access_log_lines,
        arrow_schema,
        compact,
        find_run,
        list_runs,
        open_run,
        read_meta,
        run_status,
        seal,
        settle,
        tidy,
    )
    from evidence.trace import HEADER, Trace, make_trace, parse_trace, trace_run

__all__ = [
    "HEADER", "SCHEMA", "TABLES", "Column", "Estimate", "Reason", "Run", "RunFolder", "SizeupError", "SpoolWriter", "Table",
    "Trace", "Unknown", "Warn", "access_log_lines", "arrow_schema", "compact", "create_run", "discover", "find_run", "is_alive",
    "list_runs", "make_trace", "micros", "numbers_only", "open_run", "parse_trace", "process_mark", "read_frames", "read_meta", "read_toml",
    "rfc3339", "route_name", "run_status", "seal", "settle", "start_run", "tidy", "trace_run", "validate", "write_atomic", "write_json",
]  # fmt: skip

# Lazy: polars and pyarrow must never reach a Locust worker, and `sizeup --help` starts in 0.05 s without the rest.
_HOME = {
    "columns": ("SCHEMA", "TABLES", "Column"),
    "errors": ("SizeupError",),
    "estimate": ("Estimate", "Reason", "Unknown", "Warn"),
    "folder": (
        "RunFolder", "create_run", "is_alive", "micros", "numbers_only", "process_mark", "rfc3339", "start_run", "write_atomic",
        "write_json",
    ),
    "names": ("route_name",),
    "registry": ("discover",),
    "settings": ("Table", "read_toml", "validate"),
    "spool": ("SpoolWriter", "read_frames"),
    "store": (
        "Run", "access_log_lines", "arrow_schema", "compact", "find_run", "list_runs",
        "open_run", "read_meta", "run_status", "seal", "settle", "tidy",
    ),
    "trace": ("HEADER", "Trace", "make_trace", "parse_trace", "trace_run"),
}  # fmt: skip
_MODULE = {name: f"evidence.{module}" for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _MODULE:
        import importlib

        return getattr(importlib.import_module(_MODULE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
