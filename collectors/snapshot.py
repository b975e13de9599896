"""Every member of every host read at one moment, and the rows that two such moments make."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import psutil

from collectors.hsperfdata import Heap, read_heap
from collectors.processes import Footprint, Spent, Totals, age_s, read_footprint, read_totals, spent
from collectors.trees import HostTree, Key, Member, Members

CLOCK_JUMP_S = 0.1
"""Wall and monotonic clock may part by this much in an interval."""
TICK_S = 0.02
"""A start time is cut to a tick of 10 ms, and the reading takes its time too."""

T = TypeVar("T")
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a snapshot was taken, what the sampler had used itself, and what the hypervisor had taken from the machine."""

    wall_us: int
    monotonic_s: float
    own_cpu_s: float
    steal_s: float | None


@dataclass(frozen=True, slots=True)
class Held:
    """What one process held."""

    footprint: Footprint
    pss_bytes: int | None
    pss_estimated: bool
    heap: Heap | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All members at one moment, by pid; `late` are those that lived before the snapshot before, unseen by it."""

    moment: Moment
    keys: Mapping[int, Key]
    parents: Mapping[int, int]
    totals: Mapping[int, Totals]
    late: Mapping[int, Totals]
    held: Mapping[int, Held]


def take_snapshot(forest: Members, before: Snapshot | None) -> Snapshot:
    """Read every member; one that ends while it is being read counts as ended, one that may not be read (macOS) is left out."""
    moment = read_moment()
    known = before.totals if before else {}
    interval_s = moment.monotonic_s - before.moment.monotonic_s if before else 0.0
    # all totals first: reading PSS takes milliseconds, by which the CPU figures would lie apart
    totals = dict(_each(forest, read_totals))
    ages = dict(_each(forest, age_s))
    return Snapshot(
        moment, keys={pid: forest.members[pid].key for pid in totals}, parents={pid: forest.members[pid].parent for pid in totals},
        totals=totals, late={pid: t for pid, t in totals.items() if pid not in known and ages.get(pid, 0.0) > interval_s + TICK_S},
        held={pid: _hold(forest.members[pid], found, moment) for pid, found in _each(forest, read_footprint) if found and pid in totals},
    )  # fmt: skip


def _each(forest: Members, read: Callable[[psutil.Process], T]) -> Iterator[tuple[int, T]]:
    for pid, member in forest.members.items():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied), member.process.oneshot():
            yield pid, read(member.process)


def read_moment() -> Moment:
    steal_s: float | None = getattr(psutil.cpu_times(), "steal", None)
    return Moment(time.time_ns() // 1000, time.monotonic(), time.process_time(), steal_s)


def make_rows(hosts: Iterable[HostTree], before: Snapshot, now: Snapshot, beat_s: float, restarts: Mapping[Key, int]) -> tuple[Rows, Rows]:
    """Return the rows of `hosts` and of `processes` for the interval from `before` to `now`."""
    used = spent({**before.totals, **now.late}, now.totals, {**before.parents, **now.parents})
    trees = tuple(hosts)
    machine = _machine_part(before.moment, now.moment, beat_s, len(trees))
    host_rows = [_host_row(tree, now, used, machine) for tree in trees]
    pids: dict[Key, list[int]] = {}
    for pid, key in now.keys.items():
        pids.setdefault(key, []).append(pid)
    return host_rows, [_group_row(key, members, before, now, used, restarts.get(key, 0)) for key, members in pids.items()]


def count_restarts(before: Snapshot, now: Snapshot, owed: Mapping[Key, int]) -> tuple[Mapping[Key, int], Mapping[Key, int]]:
    """Count newcomers that replace ended processes of their group and colour; return them and what is still owed."""
    ended = Counter(owed) + Counter(before.keys[pid] for pid in before.keys.keys() - now.keys.keys())
    restarts = Counter(now.keys[pid] for pid in now.keys.keys() - before.keys.keys()) & ended
    return restarts, ended - restarts


def restart_events(processes: Rows) -> Rows:
    """Return an event for each group all of which is new: one of many workers that was replaced is none."""
    return [
        {"at": row["at"], "until": None, "kind": "restart", "subject": row["group"],
         "detail": json.dumps({"color": row["color"], "count": row["restarts"], "host": row["host"]}, sort_keys=True)}
        for row in processes if 0 < row["pids"] <= row["restarts"]
    ]  # fmt: skip


def _hold(member: Member, footprint: Footprint, moment: Moment) -> Held:
    pss_bytes, estimated = member.pss.read(member.process.pid, footprint.rss_anon_bytes, moment.monotonic_s)
    heap = read_heap(member.process.pid) if footprint.jvm else None
    return Held(footprint, pss_bytes, estimated, heap if isinstance(heap, Heap) else None)


def _machine_part(before: Moment, now: Moment, beat_s: float, hosts: int) -> dict[str, Any]:
    """Return what is the same for every host; the sampler's own CPU is shared out, so that it sums to what it took."""
    elapsed_s = now.monotonic_s - before.monotonic_s
    jumped_s = abs((now.wall_us - before.wall_us) / 1e6 - elapsed_s)
    return {
        "at": now.wall_us, "interval_s": elapsed_s, "source": "process_group",
        "cpu_steal_s": None if now.steal_s is None or before.steal_s is None else max(0.0, now.steal_s - before.steal_s),
        "agent_cpu_s": (now.own_cpu_s - before.own_cpu_s) / hosts if hosts else 0.0,
        "gap": elapsed_s > 1.5 * beat_s or jumped_s > CLOCK_JUMP_S,
    }  # fmt: skip


def _host_row(tree: HostTree, now: Snapshot, used: Mapping[int, Spent], machine: Mapping[str, Any]) -> dict[str, Any]:
    """One host's row; a host of which nothing runs is a gap, not an idle host."""
    pids = [pid for pid, (host, _, _) in now.keys.items() if host == tree.host]
    return {
        **machine, "host": tree.host, "class": tree.host_class, "vcpus": _allowed_cpus(pids),
        "cpu_user_s": sum(used[pid].user_s for pid in pids), "cpu_system_s": sum(used[pid].system_s for pid in pids),
        "disk_read_bytes": sum(used[pid].read_bytes for pid in pids), "disk_write_bytes": sum(used[pid].write_bytes for pid in pids),
        "gap": machine["gap"] or not pids,
    }  # fmt: skip


def _allowed_cpus(pids: Iterable[int]) -> int:
    """Count the CPUs that any of the processes may run on; the machine's where the system doesn't say."""
    cpus: set[int] = set()
    for pid in pids:
        with contextlib.suppress(OSError, AttributeError):  # ended meanwhile; macOS has no affinity
            cpus |= os.sched_getaffinity(pid)
    return len(cpus) or os.cpu_count() or 1


def _group_row(
    key: Key, members: Iterable[int], before: Snapshot, now: Snapshot, used: Mapping[int, Spent], restarts: int
) -> dict[str, Any]:
    host, group, color = key
    pids = list(members)
    held = {pid: now.held[pid] for pid in pids if pid in now.held}
    footprints = [h.footprint for h in held.values()]
    return {
        "at": now.moment.wall_us, "host": host, "group": group, "color": color, "pids": len(held),
        "cpu_s": sum(used[pid].user_s + used[pid].system_s for pid in pids),
        "rss_bytes": sum(f.rss_bytes for f in footprints), "rss_anon_bytes": _sum(f.rss_anon_bytes for f in footprints),
        "pss_bytes": _sum(h.pss_bytes for h in held.values()), "pss_estimated": any(h.pss_estimated for h in held.values()),
        "threads": sum(f.threads for f in footprints), "fds": _sum(f.fds for f in footprints), "restarts": restarts, "limit_bytes": None,
        **_jvm_part({pid: h.heap for pid, h in held.items() if h.heap}, before),
    }  # fmt: skip


def _jvm_part(heaps: Mapping[int, Heap], before: Snapshot) -> dict[str, Any]:
    """Return the jvm_* columns of a group's JVMs together; nothing where it has none."""
    if not heaps:
        return {}

    def add(field: Callable[[Heap], int | None]) -> int | None:
        return _sum(field(heap) for heap in heaps.values())

    gc_before_s = {pid: h.heap.gc_s for pid, h in before.held.items() if h.heap}
    return {
        "jvm_gc": "+".join(sorted({heap.gc for heap in heaps.values()})), "jvm_used_bytes": add(lambda h: h.used_bytes),
        "jvm_live_bytes": add(lambda h: h.live_bytes), "jvm_committed_bytes": add(lambda h: h.committed_bytes),
        "jvm_max_bytes": add(lambda h: h.max_bytes), "jvm_metaspace_bytes": add(lambda h: h.metaspace_bytes),
        "jvm_gc_s": sum(max(0.0, heap.gc_s - gc_before_s.get(pid, 0.0)) for pid, heap in heaps.items()),
    }  # fmt: skip


def _sum(values: Iterable[int | None]) -> int | None:
    """Add up; None where any part is unknown, for a sum without it would be too low."""
    parts = list(values)
    return None if None in parts else sum(part for part in parts if part is not None)
