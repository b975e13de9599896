"""A JVM takes what the host offers: which heap and collector would it choose there, and what would it hold with its heap capped?

The same service took 551 MiB on a 4 GiB host and 185 on a 320 MiB one with 62 to 67 MiB alive both times. So a JVM's
memory elsewhere is a policy over its measured live set, not what it held here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

MIB = 1 << 20
ALIGNMENT_BYTES = 2 * MIB
MAX_RAM_BYTES = 128 << 30
SERVER_CPUS = 2
SERVER_MEMORY_BYTES = 1792 * MIB
"""os.cpp, is_server_class_machine: 2 GiB less 256 MiB that a graphics card may have taken."""
SMALL_HEAP_BYTES = 96 * MIB * 13 // 10 // 8 * 8
"""MaxHeapSize's own default, 96 MB scaled for 64-bit words: hosts whose MinRAMPercentage gives less are small."""
LEAST_INITIAL_BYTES = 8 * MIB

CAP_OVER_LIVE = 2.0
"""A heap of twice the live set is the usual start for a throughput collector (HotSpot GC tuning guide, sizing the generations)."""
LEAST_CAP_BYTES = 32 * MIB
LEAST_NATIVE_BYTES = 31 * MIB
"""The VM itself: an empty program on OpenJDK 17 with an 8 MiB Serial heap, 2 of them touched, has a PSS of 33 MiB."""
G1_OVER_SERIAL = 0.02
"""What G1 keeps beside its heap and Serial doesn't, bitmaps and tables, as a part of the heap. OpenJDK 17, touched heaps of 228, 478
and 960 MiB: 9, 18 and 36 MiB more (0.04); newer ones keep one bitmap instead of two, so half of that is sure."""


@dataclass(frozen=True, slots=True)
class JvmMemory:
    """What a group's JVMs say of themselves; `live_bytes` is None before the first collection."""

    gc: str
    used_bytes: int
    live_bytes: int | None
    committed_bytes: int
    max_bytes: int
    metaspace_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class HeapPercentages:
    """HotSpot's flags by their names; `min_ram` is no least heap but the share that small hosts get (gc_globals.hpp)."""

    max_ram: float = 25.0
    min_ram: float = 50.0
    initial_ram: float = 1.5625


def max_heap_bytes(memory_bytes: int, percentages: HeapPercentages = HeapPercentages()) -> int:
    """Return the largest heap that a JVM without -Xmx allows itself.

    Parameters
    ----------
    memory_bytes : int
        MemTotal, or the container's limit.

    References
    ----------
    OpenJDK, arguments.cpp, set_heap_size: `min_ram` counts where it gives less than 124.8 MiB, else `max_ram`, never under that.
    """
    memory = min(memory_bytes, MAX_RAM_BYTES)
    small = memory * percentages.min_ram / 100
    if small < SMALL_HEAP_BYTES:
        return _aligned(small)
    return _aligned(max(memory * percentages.max_ram / 100, SMALL_HEAP_BYTES))


def initial_heap_bytes(memory_bytes: int, percentages: HeapPercentages = HeapPercentages()) -> int:
    """Return the heap that a JVM without -Xms starts with."""
    share = min(memory_bytes, MAX_RAM_BYTES) * percentages.initial_ram / 100
    return min(_aligned(max(share, LEAST_INITIAL_BYTES)), max_heap_bytes(memory_bytes, percentages))


def default_collector(cpus: int, memory_bytes: int) -> Literal["Serial", "G1"]:
    """Return the collector of a JVM that isn't told one: G1 on a server-class machine (JDK 9 and newer)."""
    return "G1" if cpus >= SERVER_CPUS and memory_bytes >= SERVER_MEMORY_BYTES else "Serial"


def overhead_bytes(held_bytes: int, jvm: JvmMemory) -> int:
    """Return what a JVM holds beside its heap: classes, compiled code, threads, the collector's own.

    Less the committed heap would be too little where not all of that was touched yet, so an empty JVM and the metaspace are the least.
    """
    least = LEAST_NATIVE_BYTES + (jvm.metaspace_bytes or 0)
    return min(held_bytes, max(held_bytes - jvm.committed_bytes, least))


def cap_bytes(jvm: JvmMemory) -> int | None:
    """Return the heap to cap it at, twice its live set; None where no collection has told what lives."""
    if jvm.live_bytes is None:
        return None
    return _aligned(max(jvm.live_bytes * CAP_OVER_LIVE, LEAST_CAP_BYTES))


def held_when_capped_bytes(held_bytes: int, jvm: JvmMemory) -> int | None:
    """Return what it would hold with its heap capped; never more than it holds now."""
    cap = cap_bytes(jvm)
    return None if cap is None else min(held_bytes, overhead_bytes(held_bytes, jvm) + cap)


def collector_bytes(jvm: JvmMemory) -> int:
    """Return what the collector keeps beside the heap that Serial would not."""
    return int(jvm.committed_bytes * G1_OVER_SERIAL) if jvm.gc.startswith("G1") else 0


def held_elsewhere_bytes(held_bytes: int, jvm: JvmMemory, here_bytes: int, there_bytes: int) -> int:
    """Return what it would hold on a host of `there_bytes` with the flags it has.

    Only a heap that was left to the default follows the host, and only to a size that its live set can do with: below twice
    the live set it would spend its time collecting, or end, so there it counts as it is.
    """
    cap, there = cap_bytes(jvm), max_heap_bytes(there_bytes)
    if cap is None or there < cap or not has_default_heap(jvm, here_bytes):
        return held_bytes
    return min(held_bytes, overhead_bytes(held_bytes, jvm) + min(jvm.committed_bytes, there))


def has_default_heap(jvm: JvmMemory, memory_bytes: int) -> bool:
    """Tell whether the largest heap is the one that the host's memory gives by default."""
    return math.isclose(jvm.max_bytes, max_heap_bytes(memory_bytes), rel_tol=0.02)


def _aligned(count: float) -> int:
    return math.ceil(count / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
