"""Rows on their way to disk: framed, checksummed, compressed blocks of columns that any kill leaves readable.

A frame is `magic u32 | length u32 | crc32 u32 | payload`, its payload zlib of a JSON head (table, rows, columns) and the
columns' raw bytes. Frames are only appended, each by one write call; a reader stops at the first frame that is torn.
Standard library and numpy alone: a Locust worker writes here while gevent owns the process.
"""

from __future__ import annotations

import errno
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evidence.columns import TABLES, Column

_HEAD = struct.Struct("<III")
_MAGIC = 0x31505A53  # "SZP1"
_DTYPES = {"ts": "<i8", "i16": "<i2", "i32": "<i4", "i64": "<i8", "f32": "<f4", "f64": "<f8", "bool": "|u1"}

Columns = dict[str, list[Any]]


class SpoolWriter:
    """Collects one table's rows and appends them as a frame at each `flush`.

    Parameters
    ----------
    path : Path
        The spool file; made with its folder, appended to where it exists.
    table : str
        A key of `evidence.columns.TABLES`; rows are tuples in that order of columns.
    """

    def __init__(self, path: Path, table: str) -> None:
        self.table = table
        self._columns = TABLES[table]
        self._rows: list[Sequence[Any]] = []
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def append(self, row: Sequence[Any]) -> None:
        """Take one row, values in the table's order."""
        self._rows.append(row)

    def append_named(self, values: Mapping[str, Any]) -> None:
        """Take one row by names; a nullable column that is absent is null."""
        self._rows.append([values.get(c.name) if c.nullable else values[c.name] for c in self._columns])

    def flush(self) -> int:
        """Append what was taken since the last flush as one frame; return its rows.

        Raises
        ------
        OSError
            Where the disk doesn't take all of it; then none of it is there, for what follows half a frame can't be read.
        """
        rows, self._rows = self._rows, []
        if rows:
            frame = encode_frame(self.table, rows)
            taken = os.write(self._file, frame)
            if taken < len(frame):
                os.ftruncate(self._file, os.fstat(self._file).st_size - taken)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        return len(rows)

    def close(self) -> None:
        """Flush, then let go of the file; a second call does nothing."""
        if self._file >= 0:
            try:
                self.flush()
            finally:
                os.close(self._file)
                self._file = -1


def encode_frame(table: str, rows: Sequence[Sequence[Any]]) -> bytes:
    """Return one frame that holds `rows` of `table`."""
    blobs: list[bytes] = []
    heads: list[dict[str, Any]] = []
    for column, values in zip(TABLES[table], zip(*rows, strict=True), strict=True):
        head, blob = _encode_column(column, values)
        heads.append(head)
        blobs.append(blob)
    head_bytes = json.dumps({"table": table, "rows": len(rows), "columns": heads}).encode()
    payload = zlib.compress(struct.pack("<I", len(head_bytes)) + head_bytes + b"".join(blobs), 1)
    return _HEAD.pack(_MAGIC, len(payload), zlib.crc32(payload)) + payload


def read_frames(path: Path) -> Iterator[tuple[str, Columns]]:
    """Yield (table, columns by name) of each whole frame; a torn or damaged tail ends the reading in silence."""
    for _, table, columns in read_frames_at(path, 0):
        yield table, columns


def read_frames_at(path: Path, at: int) -> Iterator[tuple[int, str, Columns]]:
    """As `read_frames`, from byte `at` on and with the byte at which each frame ends."""
    data = path.read_bytes()
    while at + _HEAD.size <= len(data):
        magic, length, crc = _HEAD.unpack_from(data, at)
        payload = data[at + _HEAD.size : at + _HEAD.size + length]
        if magic != _MAGIC or len(payload) < length or zlib.crc32(payload) != crc:
            return
        at += _HEAD.size + length
        yield at, *_decode_payload(zlib.decompress(payload))


def _encode_column(column: Column, values: Sequence[Any]) -> tuple[dict[str, Any], bytes]:
    head: dict[str, Any] = {"name": column.name, "kind": column.kind}
    blob = b""
    if column.nullable:
        head["nulls"] = True
        blob = np.fromiter((v is None for v in values), "|u1", len(values)).tobytes()
    if column.kind == "str":
        words = {word: code for code, word in enumerate(dict.fromkeys(v or "" for v in values))}
        head["words"] = list(words)
        codes = np.fromiter((words[v or ""] for v in values), "<i4", len(values))
        return head, blob + codes.tobytes()
    if column.nullable:
        values = [0 if v is None else v for v in values]
    return head, blob + np.asarray(values, dtype=_DTYPES[column.kind]).tobytes()


def _decode_payload(payload: bytes) -> tuple[str, Columns]:
    (head_length,) = struct.unpack_from("<I", payload)
    head = json.loads(payload[4 : 4 + head_length])
    at, rows = 4 + head_length, head["rows"]
    columns: Columns = {}
    for column in head["columns"]:
        nulls = None
        if column.get("nulls"):
            nulls = np.frombuffer(payload, "|u1", rows, at)
            at += rows
        dtype = np.dtype("<i4" if column["kind"] == "str" else _DTYPES[column["kind"]])
        raw = np.frombuffer(payload, dtype, rows, at)
        at += rows * dtype.itemsize
        values: list[Any]
        if column["kind"] == "str":
            values = [column["words"][code] for code in raw]
        elif column["kind"] == "bool":
            values = raw.astype(bool).tolist()
        else:
            values = raw.tolist()
        if nulls is not None:
            values = [None if null else value for value, null in zip(values, nulls, strict=True)]
        columns[column["name"]] = values
    return head["table"], columns
