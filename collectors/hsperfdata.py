"""A JVM's own figures without attaching to it: the performance file that every HotSpot maps into /tmp.

Format 2.0 (OpenJDK, src/hotspot/share/runtime/perfMemory.hpp and perfData.hpp): a prologue of 32 bytes (magic
0xcafec0c0, byte order, version, accessible, used, overflow, time stamp, offset of the first entry, number of entries),
then entries of a 20-byte head (length, name's offset, vector's length, type, flags, unit, variability, data's offset),
a zero-ended name and the value. The file is named after the pid inside the JVM's own pid namespace.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_MAGIC = 0xCAFEC0C0
_PROLOGUE_BYTES = 32

_COLLECTORS = {
    "CMS": "CMS", "G1": "G1", "ParScav": "Parallel", "Parallel": "Parallel",
    "Shenandoah": "Shenandoah", "Z ": "Z", "ZGC": "Z", "Copy": "Serial",
}  # fmt: skip

Counters = Mapping[str, int | str]


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
    path = find_file(pid)
    if path is None:
        return NoHeap(f"pid {pid} keeps no performance file (-XX:-UsePerfData or -XX:+PerfDisableSharedMem), or it may not be read")
    try:
        data = path.read_bytes()
    except OSError as refused:
        return NoHeap(f"{path}: {refused.strerror}")
    return parse_heap(data)


def find_file(pid: int) -> Path | None:
    """Find /tmp/hsperfdata_<user>/<pid> in the process's own mount and pid namespace, else in ours."""
    inner = _inner_pid(pid)
    for tmp in (Path(f"/proc/{pid}/root/tmp"), Path("/tmp")):  # noqa: S108  HotSpot's fixed place
        try:
            found = next(tmp.glob(f"hsperfdata_*/{inner}"), None)
        except OSError:
            continue
        if found is not None:
            return found
    return None


def parse_heap(data: bytes) -> Heap | NoHeap:
    """Turn a performance file's bytes into figures; a JVM that is just starting has none yet."""
    try:
        counters = dict(read_counters(data))
    except (struct.error, IndexError, ValueError):
        return NoHeap("the performance file is torn")
    generations = [n for n in (0, 1) if _whole(counters, f"sun.gc.generation.{n}.maxCapacity")]
    if not generations:
        return NoHeap("the JVM is just starting" if not counters else "the collector keeps no generation counters")
    gc = _collector(counters)
    told_apart = gc not in ("Z", "Shenandoah") and _collections(counters) > 0
    return Heap(
        gc=gc, used_bytes=sum(_used(counters, n) for n in generations), live_bytes=_used(counters, 1) if told_apart else None,
        committed_bytes=_committed_bytes(counters, generations), max_bytes=_max_bytes(counters, generations, gc),
        metaspace_bytes=_optional(counters, "sun.gc.metaspace.used"), gc_s=_gc_s(counters),
    )  # fmt: skip


def read_counters(data: bytes) -> Iterator[tuple[str, int | str]]:
    """Yield each entry's name and value.

    Raises
    ------
    ValueError, struct.error, IndexError
        Where it is no performance file, or torn.
    """
    if struct.unpack_from(">I", data)[0] != _MAGIC:
        raise ValueError("no HotSpot performance file")
    order = "<" if data[4] else ">"
    at, entries = struct.unpack_from(f"{order}ii", data, 24)
    for _ in range(entries):
        length, name_at, vector, kind, value_at = struct.unpack_from(f"{order}iiic3xi", data, at)
        if length <= 0:
            raise ValueError("an entry has no length")
        name = _text(data, at + name_at)
        if kind == b"J" and vector == 0:
            yield name, struct.unpack_from(f"{order}q", data, at + value_at)[0]
        elif kind == b"B":
            yield name, _text(data[: at + value_at + vector], at + value_at)
        at += length


def _text(data: bytes, at: int) -> str:
    end = data.find(b"\0", at)
    return data[at : end if end >= 0 else len(data)].decode(errors="replace")


def _inner_pid(pid: int) -> int:
    """Return the pid inside the innermost namespace: the last of NSpid."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return pid
    line = next((line for line in status.splitlines() if line.startswith("NSpid:")), f"NSpid: {pid}")
    return int(line.split()[-1])


def _whole(counters: Counters, name: str) -> int:
    value = counters.get(name, 0)
    return value if isinstance(value, int) else 0


def _optional(counters: Counters, name: str) -> int | None:
    return _whole(counters, name) if name in counters else None


def _used(counters: Counters, generation: int) -> int:
    prefix = f"sun.gc.generation.{generation}"
    return sum(_whole(counters, f"{prefix}.space.{n}.used") for n in range(_whole(counters, f"{prefix}.spaces")))


def _committed_bytes(counters: Counters, generations: list[int]) -> int:
    """Add up the capacities less one survivor space: of the two one is always empty, and JVM tools leave it out too."""
    spare = min(_whole(counters, f"sun.gc.generation.0.space.{n}.capacity") for n in (1, 2))
    return sum(_whole(counters, f"sun.gc.generation.{n}.capacity") for n in generations) - spare


def _max_bytes(counters: Counters, generations: list[int], gc: str) -> int:
    """Return the most that the heap may grow to: where regions change hands, each generation may have it all."""
    most = [_whole(counters, f"sun.gc.generation.{n}.maxCapacity") for n in generations]
    # G1 pads its counters by 8 bytes, so that jstat never divides by 0
    return min(most) // 1024 * 1024 if gc == "G1" else sum(most)


def _collector(counters: Counters) -> str:
    """Name the collector after its counters; Parallel's policy is ParScav:MSC, and CMS's ParNew:CMS."""
    names = ("sun.gc.policy.name", *(f"sun.gc.collector.{n}.name" for n in (0, 1, 2)))
    words = " ".join(str(counters.get(name, "")) for name in names)
    return next((gc for mark, gc in _COLLECTORS.items() if mark in words), words.strip() or "unknown")


def _collections(counters: Counters) -> int:
    return sum(_whole(counters, f"sun.gc.collector.{n}.invocations") for n in (0, 1, 2))


def _gc_s(counters: Counters) -> float:
    ticks = sum(_whole(counters, f"sun.gc.collector.{n}.time") for n in (0, 1, 2))
    return ticks / (_whole(counters, "sun.os.hrt.frequency") or 1_000_000_000)
