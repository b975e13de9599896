"""Reads the host agent's spool into frames, whatever moment the agent was killed at: format in collectors/agent.py."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from collectors.agent import HEAD, MAGIC, WINDOW_BITS
from evidence import TABLES, SizeupError

if TYPE_CHECKING:
    import polars as pl

FORMAT = 1
GAP_BEATS = 1.5

Row = dict[str, Any]
Column = tuple[str, float, bool]


class SpoolFrames(NamedTuple):
    """A spool as frames with the reference's columns; `hosts` has more at the end: memory by use, and the load of a minute."""

    hosts: pl.DataFrame
    processes: pl.DataFrame
    events: pl.DataFrame


@dataclass(frozen=True, slots=True)
class SpoolRows:
    """A spool as rows, and what its newest file says of the host."""

    head: Mapping[str, Any]
    hosts: list[Row] = field(default_factory=list)
    processes: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)


EXTRA = {"mem_free_bytes": "i64", "cache_unmapped_bytes": "i64", "cache_active_bytes": "i64", "load_1m": "f32"}
"""Columns of `hosts` that the agent has beside the reference's."""


def read_spool(folder: Path | str) -> SpoolFrames:
    """Read every whole beat of a spool.

    Raises
    ------
    SizeupError
        Where the folder holds no spool, or a newer agent's.
    """
    rows = read_spool_rows(Path(folder))
    return SpoolFrames(_frame("hosts", rows.hosts, EXTRA), _frame("processes", rows.processes), _frame("events", rows.events))


def read_spool_rows(folder: Path) -> SpoolRows:
    """As `read_spool`, as rows. Between two files of a spool that lie apart in time the agent did not run: an event says so."""
    files = sorted(folder.glob("[0-9]*.seg"))
    if not files:
        raise SizeupError(f"{folder}: no agent's spool lies there; name the folder that agent.py --spool was given.")
    segments = [read_segment(file.read_bytes(), file.name) for file in files]
    whole = [segment for segment in segments if segment.head]
    rows = SpoolRows(head=whole[-1].head if whole else {})
    last_us: int | None = None
    for segment in whole:
        if segment.hosts and last_us is not None:
            rows.events.extend(_silence(last_us, segment))
        last_us = segment.hosts[-1]["at"] if segment.hosts else last_us
        for table, more in ((rows.hosts, segment.hosts), (rows.processes, segment.processes), (rows.events, segment.events)):
            table.extend(more)
    return rows


def _silence(last_us: int, segment: SpoolRows) -> Iterator[Row]:
    """Yield the event of a time without an agent before a segment, if there was one."""
    first = segment.hosts[0]
    began_us = first["at"] - round(first["interval_s"] * 1e6)
    if began_us - last_us > (GAP_BEATS - 1) * 1e6 * segment.head["beat_s"]:
        why = {"why": "the agent did not run", "interval_s": round((began_us - last_us) / 1e6, 3)}
        yield {"at": last_us, "until": began_us, "kind": "agent_gap", "subject": "agent", "detail": json.dumps(why)}


def read_segment(data: bytes, name: str = "segment") -> SpoolRows:
    """Read one file's bytes; a torn or damaged tail ends the reading, a file torn within its head has no rows."""
    payloads = _payloads(data)
    head = json.loads(next(payloads, b"{}"))
    if head and head["format"] != FORMAT:
        raise SizeupError(f"{name}: format {head['format']} is newer than this sizeup reads ({FORMAT}); update sizeup.")
    rows = SpoolRows(head)
    if head:
        decoder = _Decoder(rows)
        for payload in payloads:
            decoder.beat(payload)
    return rows


def _payloads(data: bytes) -> Iterator[bytes]:
    """Yield what each whole frame holds: all frames of a file are one deflate stream."""
    inflate = zlib.decompressobj(WINDOW_BITS)
    at = len(MAGIC)
    while data.startswith(MAGIC) and at + HEAD.size <= len(data):
        length, crc = HEAD.unpack_from(data, at)
        chunk = data[at + HEAD.size : at + HEAD.size + length]
        if len(chunk) < length or zlib.crc32(chunk) != crc:
            return
        at += HEAD.size + length
        yield inflate.decompress(chunk)


class _Decoder:
    """The mirror of agent.Segment: turns each beat's integers into rows."""

    def __init__(self, rows: SpoolRows) -> None:
        self._rows = rows
        self._host_columns: list[Column] = [tuple(column) for column in rows.head["hosts"]]
        self._group_columns: list[Column] = [tuple(column) for column in rows.head["processes"]]
        self._keys: list[tuple[str, str | None]] = []
        self._words: list[str] = []
        self._at_us = 0
        self._host_row = _RowReader(self._host_columns)
        self._group_rows: dict[int, _RowReader] = {}

    def beat(self, payload: bytes) -> None:
        number = _integers(payload)
        length = next(number)
        start = _width(length)
        self._learn(payload[start : start + length])
        number = _integers(payload[start + length :])
        self._at_us += _signed(next(number))
        self._rows.hosts.append(self._host(number))
        for _ in range(next(number)):
            self._rows.processes.append(self._group(number))

    def _learn(self, news: bytes) -> None:
        told = json.loads(news or b"{}")
        self._keys += [(group, color) for group, color in told.get("keys", ())]
        self._words += told.get("words", ())
        for at, until, kind, subject, detail in told.get("events", ()):
            self._rows.events.append({"at": at, "until": until, "kind": kind, "subject": subject, "detail": json.dumps(detail)})

    def _host(self, number: Iterator[int]) -> Row:
        head = self._rows.head
        values = self._host_row.read(number)
        gap = bool(values.pop("gap"))
        return {"at": self._at_us, "host": head["host"], "class": head["class"], "source": "agent", **values, "gap": gap}

    def _group(self, number: Iterator[int]) -> Row:
        code = next(number)
        row = self._group_rows.setdefault(code, _RowReader(self._group_columns)).read(number)
        row["pss_estimated"] = bool(row["pss_estimated"])
        row["jvm_gc"] = None if row["jvm_gc"] is None else self._words[row["jvm_gc"]]
        group, color = self._keys[code]
        return {"at": self._at_us, "host": self._rows.head["host"], "group": group, "color": color, **row}


def _integers(data: bytes) -> Iterator[int]:
    """Yield LEB128 integers."""
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def _width(value: int) -> int:
    return max(1, -(-value.bit_length() // 7))


def _signed(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


class _RowReader:
    """One host's or group's row: what it was, and the levels that changes count from."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._row: Row = {name: None for name, _, _ in columns}
        self._levels = [0] * len(columns)

    def read(self, number: Iterator[int]) -> Row:
        changed = next(number)
        for n, (name, unit, level) in enumerate(self._columns):
            if changed >> n & 1:
                code = next(number)
                if code:
                    self._levels[n] = _signed(code - 1) + (self._levels[n] if level else 0)
                self._row[name] = self._levels[n] * unit if code else None
        return dict(self._row)


def _frame(table: str, rows: Sequence[Row], extra: Mapping[str, str] = {}) -> pl.DataFrame:
    import polars as pl

    kinds = {column.name: column.kind for column in TABLES[table]} | dict(extra)
    types: dict[str, Any] = {
        "ts": pl.Int64, "i16": pl.Int16, "i32": pl.Int32, "i64": pl.Int64, "f32": pl.Float32, "f64": pl.Float64, "str": pl.String,
        "bool": pl.Boolean,
    }  # fmt: skip
    take: Callable[[str], list[Any]] = lambda name: [row.get(name) for row in rows]  # noqa: E731  a closure of one line
    frame = pl.DataFrame([pl.Series(name, take(name), dtype=types[kind], strict=False) for name, kind in kinds.items()])
    return frame.with_columns(pl.col(name).cast(pl.Datetime("us", "UTC")) for name, kind in kinds.items() if kind == "ts")
