"""What one process holds and has spent, by psutil, and what a tree of them spent between two readings.

A process that ended between two readings is not lost: the kernel adds what a child used to its parent when the parent
waits for it (getrusage(2), RUSAGE_CHILDREN; proc(5), cutime and cstime). So the tree's use in an interval is what each
survivor used, plus what it inherited beyond what its ended children had shown before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from evidence import process_mark

PSS_PAUSE_S_PER_S = 1000.0
"""Reading PSS holds the target's memory lock for 11 ms a GB: each second of it buys 1,000 s of pause."""


@dataclass(frozen=True, slots=True)
class Totals:
    """CPU seconds and disk bytes of a process since its start; `waited_*` is what its ended children left to it.

    The kernel adds a child's disk bytes to the parent's own, so these need no `waited_*` of theirs.
    """

    user_s: float = 0.0
    system_s: float = 0.0
    waited_user_s: float = 0.0
    waited_system_s: float = 0.0
    read_bytes: int = 0
    write_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process used in an interval, with what ended beneath it."""

    user_s: float
    system_s: float
    read_bytes: int
    write_bytes: int


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process holds at one moment; None where it may not be read or the system doesn't say."""

    rss_bytes: int
    rss_anon_bytes: int | None
    threads: int
    fds: int | None
    jvm: bool


def read_totals(process: psutil.Process) -> Totals:
    """Read what a process has used since its start.

    Raises
    ------
    psutil.NoSuchProcess
        Where it ended meanwhile.
    """
    ticks = process.cpu_times()
    own_s = ticks.user + ticks.system
    exact_s = _cpu_clock_s(process.pid, own_s)
    user_s = exact_s * (ticks.user / own_s if own_s else 1.0)
    read_bytes, write_bytes = _disk_bytes(process)
    return Totals(user_s, exact_s - user_s, ticks.children_user, ticks.children_system, read_bytes, write_bytes)


def read_footprint(process: psutil.Process) -> Footprint | None:
    """Read what a process holds; None for one that ended but nobody waited for yet.

    Raises
    ------
    psutil.NoSuchProcess
        Where it ended meanwhile.
    """
    if process.status() == psutil.STATUS_ZOMBIE:
        return None
    return Footprint(
        rss_bytes=process.memory_info().rss, rss_anon_bytes=read_rss_anon(process.pid), threads=process.num_threads(),
        fds=_open_files(process), jvm=process.name() == "java",
    )  # fmt: skip


def age_s(process: psutil.Process) -> float:
    """Return how long ago a process started, on Linux to a tick: psutil's start time is off by up to a second (btime)."""
    start: int | None = process_mark(process.pid)["start"]
    if start is None:
        return time.time() - process.create_time()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - start / os.sysconf("SC_CLK_TCK")


def read_rss_anon(pid: int) -> int | None:
    """Return RssAnon of /proc/PID/status (Linux 4.5 and newer)."""
    return _kib_field(Path(f"/proc/{pid}/status"), b"RssAnon:")


def read_pss(pid: int) -> int | None:
    """Return Pss of /proc/PID/smaps_rollup, None where it may not be read (root's or another user's process)."""
    return _kib_field(Path(f"/proc/{pid}/smaps_rollup"), b"Pss:")


def spent(before: Mapping[int, Totals], now: Mapping[int, Totals], parents: Mapping[int, int]) -> dict[int, Spent]:
    """Tell what each process of `now` used since `before`; a process new in `now` used all that it shows.

    Parameters
    ----------
    parents : Mapping[int, int]
        Parent's pid of each process in `before` and `now`, as it was while both lived.
    """
    left: dict[int, list[Totals]] = {}
    for pid in before.keys() - now.keys():
        heir = parents.get(pid)
        while heir is not None and heir not in now:
            heir = parents.get(heir)
        if heir is not None:
            left.setdefault(heir, []).append(before[pid])
    return {pid: _difference(before.get(pid, Totals()), totals, left.get(pid, ())) for pid, totals in now.items()}


class PssMeter:
    """One process's PSS, read when its pause is over, between reads estimated from the change of RssAnon."""

    def __init__(self) -> None:
        self._pss: int | None = None
        self._anon = 0
        self._next_s = 0.0

    def read(self, pid: int, anon: int | None, now_s: float) -> tuple[int | None, bool]:
        """Return (PSS or None, whether it is an estimate) at monotonic time `now_s`."""
        if now_s >= self._next_s:
            began = time.perf_counter()
            self._pss, self._anon = read_pss(pid), anon or 0
            self._next_s = now_s + (time.perf_counter() - began) * PSS_PAUSE_S_PER_S
            return self._pss, False
        if self._pss is None:
            return None, False
        return max(0, self._pss + (anon or self._anon) - self._anon), True


def _difference(was: Totals, now: Totals, ended: Iterable[Totals]) -> Spent:
    heritage = list(ended)
    inherited_user_s = now.waited_user_s - was.waited_user_s - sum(t.user_s + t.waited_user_s for t in heritage)
    inherited_system_s = now.waited_system_s - was.waited_system_s - sum(t.system_s + t.waited_system_s for t in heritage)
    return Spent(
        user_s=max(0.0, now.user_s - was.user_s) + max(0.0, inherited_user_s),
        system_s=max(0.0, now.system_s - was.system_s) + max(0.0, inherited_system_s),
        read_bytes=max(0, now.read_bytes - was.read_bytes - sum(t.read_bytes for t in heritage)),
        write_bytes=max(0, now.write_bytes - was.write_bytes - sum(t.write_bytes for t in heritage)),
    )


def _cpu_clock_s(pid: int, ticks_s: float) -> float:
    """Return the CPU seconds of a process to the nanosecond where the kernel has its clock, else `ticks_s`.

    clock_getcpuclockid(3): on Linux the clock of process `pid` is (~pid << 3) | 2. psutil's figure is cut to 10 ms.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return ticks_s


def _disk_bytes(process: psutil.Process) -> tuple[int, int]:
    try:
        counters = process.io_counters()
    except (psutil.AccessDenied, AttributeError):  # macOS has no such counters
        return 0, 0
    return counters.read_bytes, counters.write_bytes


def _open_files(process: psutil.Process) -> int | None:
    try:
        return process.num_fds()
    except psutil.AccessDenied:
        return None


def _kib_field(path: Path, name: bytes) -> int | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    at = data.find(name)
    return int(data[at + len(name) :].split(None, 1)[0]) * 1024 if at >= 0 else None
