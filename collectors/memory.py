"""What does this machine hold? All its processes watched for a while, for `look`: no load, no account, no agent."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from collectors.machine import Machine, MachineMemory, cpu_times_s, machine_columns, read_machine_memory
from collectors.snapshot import CLOCK_JUMP_S, Held, Rows, Snapshot, count_restarts, make_rows, take_snapshot
from collectors.trees import Key
from sizing.jvm import JvmMemory
from sizing.look import GroupMemory, HostMemory, merge_small, page_cache_floor

if TYPE_CHECKING:
    from sizing.settings import GroupRule

LONGEST_BEAT_S = 5.0
SHORTEST_BEAT_S = 0.5
MOMENTS = 4
"""A short look still takes so many moments, if the shortest beat allows."""


@dataclass(frozen=True, slots=True)
class LookMoment:
    """One interval of a look: what the machine held at its end, and its rows of `hosts` and `processes`."""

    memory: HostMemory
    hosts: Rows
    processes: Rows


def measure_memory(seconds: float, beat_s: float | None = None, rules: Sequence[GroupRule] = ()) -> HostMemory:
    """Watch this machine for `seconds`; return it at the moment at which it held the most."""
    return fullest(moment.memory for moment in watch_memory(seconds, beat_s, rules))


def fullest(memories: Iterable[HostMemory]) -> HostMemory:
    """Return the moment at which processes and kernel together held the most (one, so that its parts add up); seconds are all of them."""
    seen = list(memories)
    return replace(max(seen, key=lambda memory: memory.held_bytes), seconds=seen[-1].seconds)


def watch_memory(
    seconds: float, beat_s: float | None = None, rules: Sequence[GroupRule] = (), *, host: str | None = None, host_class: str = "host"
) -> Iterator[LookMoment]:
    """Yield a moment each beat until `seconds` (more than 0) are over."""
    beat = beat_s or look_beat_s(seconds)
    watch = _Watch(Machine(host or platform.node(), rules), host_class, beat)
    start_s, elapsed_s = time.monotonic(), 0.0
    while elapsed_s < seconds:
        elapsed_s = min(elapsed_s + beat, seconds)
        time.sleep(max(0.0, start_s + elapsed_s - time.monotonic()))
        yield watch.beat(elapsed_s)


def look_beat_s(seconds: float) -> float:
    """Return how often a look of so many seconds looks."""
    return min(LONGEST_BEAT_S, max(SHORTEST_BEAT_S, seconds / MOMENTS))


class _Watch:
    """The state between two beats."""

    def __init__(self, machine: Machine, host_class: str, beat_s: float) -> None:
        self._machine, self._host_class, self._beat_s = machine, host_class, beat_s
        self._owed: Mapping[Key, int] = {}
        machine.refresh()
        self._last, self._cpu_s = take_snapshot(machine, None), cpu_times_s()

    def beat(self, seconds: float) -> LookMoment:
        self._machine.refresh()
        before, self._last = self._last, take_snapshot(self._machine, self._last)
        cpu_before_s, self._cpu_s = self._cpu_s, cpu_times_s()
        memory = read_machine_memory()
        restarts, self._owed = count_restarts(before, self._last, self._owed)
        _, processes = make_rows((), before, self._last, self._beat_s, restarts)
        columns = machine_columns(cpu_before_s, self._cpu_s, memory)
        return LookMoment(host_memory(self._machine.host, seconds, self._last, memory), [self._host_row(before, columns)], processes)

    def _host_row(self, before: Snapshot, columns: Mapping[str, Any]) -> dict[str, Any]:
        then, now = before.moment, self._last.moment
        elapsed_s = now.monotonic_s - then.monotonic_s
        return {
            "at": now.wall_us, "interval_s": elapsed_s, "host": self._machine.host, "class": self._host_class, "source": "agent",
            "vcpus": os.cpu_count() or 1, "agent_cpu_s": now.own_cpu_s - then.own_cpu_s,
            "gap": elapsed_s > 1.5 * self._beat_s or abs((now.wall_us - then.wall_us) / 1e6 - elapsed_s) > CLOCK_JUMP_S, **columns,
        }  # fmt: skip


def host_memory(host: str, seconds: float, snapshot: Snapshot, memory: MachineMemory) -> HostMemory:
    """Put a snapshot and the machine's figures together. This very process is counted for the kernel's share, then left out."""
    by_key: dict[Key, list[Held]] = {}
    own = os.getpid()
    for pid, held in snapshot.held.items():
        if pid != own:
            by_key.setdefault(snapshot.keys[pid], []).append(held)
    groups = [_group(key, members) for key, members in by_key.items()]
    ourselves = _bytes(snapshot.held[own]) if own in snapshot.held else 0
    return HostMemory(
        host=host, seconds=seconds, total_bytes=memory.total_bytes, available_bytes=memory.available_bytes,
        system_bytes=memory.system_bytes(sum(group.held_bytes for group in groups) + ourselves),
        page_cache_floor_bytes=page_cache_floor(memory.active_cache_bytes), groups=merge_small(groups),
    )  # fmt: skip


def _group(key: Key, members: Sequence[Held]) -> GroupMemory:
    _, group, color = key
    pss = [held.pss_bytes for held in members if held.pss_bytes is not None]
    return GroupMemory(
        group, color, len(members), sum(pss) if len(pss) == len(members) else None, sum(held.footprint.rss_bytes for held in members),
        _jvm(members),
    )  # fmt: skip


def _jvm(members: Iterable[Held]) -> JvmMemory | None:
    """Add up a group's JVMs; their live set is known only where each one's is."""
    heaps = [held.heap for held in members if held.heap is not None]
    if not heaps:
        return None
    live = [heap.live_bytes for heap in heaps if heap.live_bytes is not None]
    return JvmMemory(
        gc="+".join(sorted({heap.gc for heap in heaps})), used_bytes=sum(heap.used_bytes for heap in heaps),
        live_bytes=sum(live) if len(live) == len(heaps) else None, committed_bytes=sum(heap.committed_bytes for heap in heaps),
        max_bytes=sum(heap.max_bytes for heap in heaps), metaspace_bytes=sum(heap.metaspace_bytes or 0 for heap in heaps),
    )  # fmt: skip


def _bytes(held: Held) -> int:
    return held.footprint.rss_bytes if held.pss_bytes is None else held.pss_bytes
