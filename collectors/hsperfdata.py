"""A JVM's own figures without attaching to it, one whole reading at a time; the format and its parser are the host agent's."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collectors.agent import HeapPlan, find_perf_file, perf_entries


@dataclass(frozen=True, slots=True)
class Heap:
    """What a JVM says about its memory.

    Attributes
    ----------
    gc : str
        Serial, Parallel, G1, Shenandoah, Z, or the policy's own name.
    live_bytes : int or None
        Old generation in use after the last collection; None before the first one, when nothing was told live from dead.
    metaspace_bytes : int or None
        Class metadata in use.
    gc_s : float
        Seconds spent in collections since the start.
    """

    gc: str
    used_bytes: int
    live_bytes: int | None
    committed_bytes: int
    max_bytes: int
    metaspace_bytes: int | None
    gc_s: float


@dataclass(frozen=True, slots=True)
class NoHeap:
    """Why a JVM's figures can't be had."""

    why: str


def read_heap(pid: int) -> Heap | NoHeap:
    """Read the figures of the JVM with this pid, wherever its /tmp is."""
    path = find_perf_file(pid)
    if path is None:
        return NoHeap(f"pid {pid} keeps no performance file (-XX:-UsePerfData or -XX:+PerfDisableSharedMem), or it may not be read")
    try:
        data = Path(path).read_bytes()
    except OSError as refused:
        return NoHeap(f"{path}: {refused.strerror}")
    return parse_heap(data)


def parse_heap(data: bytes) -> Heap | NoHeap:
    """Turn a performance file's bytes into figures; a JVM that is just starting has none yet."""
    try:
        heap = HeapPlan(data).read(data)
    except struct.error:
        return NoHeap("the performance file is torn")
    except ValueError as refused:
        return NoHeap(str(refused))
    return Heap(
        gc=heap.gc, used_bytes=heap.used_bytes, live_bytes=heap.live_bytes, committed_bytes=heap.committed_bytes,
        max_bytes=heap.max_bytes, metaspace_bytes=heap.metaspace_bytes, gc_s=heap.gc_s,
    )  # fmt: skip


def read_counters(data: bytes) -> Iterator[tuple[str, int | str]]:
    """Yield each counter's name and value.

    Raises
    ------
    ValueError, struct.error, IndexError
        Where it is no performance file, or torn.
    """
    return ((name, value) for name, value, _ in perf_entries(data))
