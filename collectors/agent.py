"""The host agent: what this host and its process groups use, once a beat, into a spool that any kill leaves readable.

    python3 agent.py --spool DIR [--beat 1s] [--groups FILE.json] [--no-pss] [--seconds N] [--cap-mb 128]

One file, standard library alone, Python 3.7 and newer, Linux; opens no port. It is written to be unnoticed: files of
/proc stay open and are read by pread; a process whose CPU clock stands still has done nothing and is read again only
each SLOW_BEATS; PSS, for which the kernel holds the target's memory lock (11 ms a GB), pays for itself: 1 ms of reading
buys 1 s of pause, and between two readings it is estimated from RssAnon and marked. What can't be read is null, never 0,
and an event says why.

The spool: numbered files `1764000000.seg` of magic `SZA1` and frames `length u32 | crc32 u32 | chunk`, each frame one write. The
chunks of a file are one raw deflate stream, flushed at each frame. The first holds a JSON head (host, columns), each
other one a beat, in LEB128 integers: length and JSON of what is new (keys, words, events), `at` in microseconds, the
host's row, then each group's key and row. A row is the bits of the columns that are other than in the row before it (null
at first), and these: 0 for null or 1 + zigzag, of a level column the change since it was last told. agent_spool.py reads it.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal itself makes enums of it: 1.0 MB more
import fcntl
import gc
import os
import struct
import sys
import time
import zlib

TYPE_CHECKING = False  # typing itself costs 0.4 MB, re 1.3, json 0.3: the last two come with --groups alone
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    Key = tuple[str, str | None]
    Value = int | None
    Rule = tuple[str, re.Pattern[str], re.Pattern[str] | None]
    Event = tuple[int, int | None, str, str, Mapping[str, Any]]

USAGE = "usage: agent.py --spool DIR [--beat 1s] [--groups FILE.json] [--no-pss] [--seconds N] [--cap-mb 128]"
OWN_GROUP = "sizeup-agent"
MAGIC = b"SZA1"
HEAD = struct.Struct("<II")
WINDOW_BITS = -12
SEGMENT_BEATS = 900
SLOW_BEATS = 15
RETRY_BEATS = 10
CLOCK_JUMP_US = 100_000
LEAST_LAST_S = 0.05
PSS_PAUSE_PER_COST = 1000
PSS_IDLE_PAUSE_S = 300.0
JVM_PATIENCE_BEATS = 10
KTHREAD = 0x00200000
MOST_KEPT = 4000
MOST_BORN = 300
UNLIMITED_BYTES = 1 << 60

# (column, unit of the stored integer, whether it is a level rather than what happened in the beat)
HOST_COLUMNS = (
    ("interval_s", 1e-6, False), ("vcpus", 1, True), ("cpu_user_s", 1e-6, False), ("cpu_system_s", 1e-6, False),
    ("cpu_iowait_s", 1e-6, False), ("cpu_steal_s", 1e-6, False), ("cpu_idle_s", 1e-6, False),
    ("psi_cpu_some_s", 1e-6, False), ("psi_mem_full_s", 1e-6, False), ("psi_io_full_s", 1e-6, False),
    ("disk_read_bytes", 1, False), ("disk_write_bytes", 1, False), ("net_rx_bytes", 1, False), ("net_tx_bytes", 1, False),
    ("oom_kills", 1, False), ("mem_total_bytes", 1024, True), ("mem_available_bytes", 1024, True),
    ("mem_cached_bytes", 1024, True), ("swap_used_bytes", 1024, True), ("mem_free_bytes", 1024, True),
    ("cache_unmapped_bytes", 1024, True), ("cache_active_bytes", 1024, True), ("load_1m", 0.01, True),
    ("agent_cpu_s", 1e-6, False), ("gap", 1, False),
)  # fmt: skip
GROUP_COLUMNS = (
    ("pids", 1, True), ("cpu_s", 1e-6, False), ("rss_bytes", 1024, True), ("rss_anon_bytes", 1024, True), ("pss_bytes", 1024, True),
    ("pss_estimated", 1, True), ("threads", 1, True), ("fds", 1, True), ("restarts", 1, False), ("limit_bytes", 1, True),
    ("jvm_gc", 1, True), ("jvm_used_bytes", 1, True), ("jvm_live_bytes", 1, True), ("jvm_committed_bytes", 1, True),
    ("jvm_max_bytes", 1, True), ("jvm_metaspace_bytes", 1, True), ("jvm_gc_s", 1e-6, False),
)  # fmt: skip

# --- what a process is ----------------------------------------------------------------------------------------------

NAMES = {"postmaster": "postgres", "redis-server": "redis", "valkey-server": "redis", "nodejs": "node"}
KNOWN = {"java", "node", "nginx", "postgres", "redis", "python"}
# options of `java` that take the next word as their value, so that it isn't taken for the main class
JAVA_PAIRS = {"-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules", "--add-opens", "--add-exports", "--add-reads"}
JAVA_COLOR = "server.port="
CONTAINER_DIGITS = 64


def name_group(program: str, command: Sequence[str], rules: Iterable[Rule] = (), cgroup: str = "") -> Key:
    """Name a process's group and colour: the first rule that matches, else what it is.

    Java is told apart by jar (or main class) and by the port that it is told to serve; python, node, nginx, postgres,
    redis and the CodeDeploy agent go by name, what else runs in a container by the container, the rest by program.
    """
    line = " ".join(command)
    for name, match, color in rules:
        if match.search(line):
            return name, _first(color, line)
    if "codedeploy-agent" in line:
        return "codedeploy-agent", None
    group = "python" if program.startswith("python") and not program[6:].strip("0123456789.") else NAMES.get(program, program)
    if group == "java":
        return ("java " + _java_name(command)).strip(), _java_color(command)
    container = "" if group in KNOWN else _container(cgroup)
    return ("container " + container if container else group), None


def _first(pattern: re.Pattern[str] | None, line: str) -> str | None:
    """Return what a pattern finds: its first group, or all of it."""
    found = pattern.search(line) if pattern else None
    return None if found is None else found.group(1 if found.re.groups else 0)


def _java_name(command: Sequence[str]) -> str:
    """Return the jar's file name, or the main class, of a `java` command line."""
    words = iter(command[1:])
    for word in words:
        if word == "-jar":
            return next(words, "").rpartition("/")[2]
        if word in JAVA_PAIRS:
            next(words, None)
        elif not word.startswith("-"):
            return word.rpartition("/")[2]
    return ""


def _java_color(command: Sequence[str]) -> str | None:
    """Return the port that a Spring Boot application is told to serve, as an argument or a property."""
    ports = [word.partition(JAVA_COLOR)[2] for word in command if word.startswith(("--" + JAVA_COLOR, "-D" + JAVA_COLOR))]
    return next((port for port in ports if port.isdigit()), None)


def _container(cgroup: str) -> str:
    """Return the first 12 digits of the container's id in a cgroup's path, as `docker ps` shows it; nothing where it names none."""
    for part in cgroup.replace("-", "/").replace(".", "/").split("/"):
        if len(part) == CONTAINER_DIGITS and not part.strip("0123456789abcdef"):
            return part[:12]
    return ""


def read_rules(path: str) -> tuple[str, list[Rule]]:
    """Read `{"class": NAME, "groups": [{"name", "match", "color"}]}`, or the list alone; return class and rules.

    Raises
    ------
    ValueError
        Where it is no such file, or a pattern is none.
    """
    import json
    import re

    with open(path, "rb") as file:
        data = json.loads(file.read().decode())
    told = data if isinstance(data, dict) else {"groups": data}
    try:
        rules = [(r["name"], re.compile(r["match"]), re.compile(r["color"]) if r.get("color") else None) for r in told.get("groups", ())]
    except (KeyError, TypeError, AttributeError, re.error) as wrong:
        raise ValueError(f"{path}: {wrong}") from None
    return told.get("class", "host"), rules


# --- a JVM's own figures --------------------------------------------------------------------------------------------

PERF_MAGIC = b"\xca\xfe\xc0\xc0"
COLLECTORS = (
    ("CMS", "CMS"), ("G1", "G1"), ("ParScav", "Parallel"), ("Parallel", "Parallel"), ("Shenandoah", "Shenandoah"), ("Z ", "Z"),
    ("ZGC", "Z"), ("Copy", "Serial"),
)  # fmt: skip

class Heap:
    """What a JVM says about its memory.

    Attributes
    ----------
    live_bytes : int or None
        Old generation in use after the last collection; None before the first one, when nothing was told live from dead,
        and where a collector has no such figure.
    gc_s : float
        Seconds spent in collections since the start.
    """

    __slots__ = ("committed_bytes", "gc", "gc_s", "live_bytes", "max_bytes", "metaspace_bytes", "used_bytes")

    def __init__(
        self, gc: str, used_bytes: int, live_bytes: Value, committed_bytes: int, max_bytes: int, metaspace_bytes: Value, gc_s: float
    ) -> None:
        self.gc, self.used_bytes, self.live_bytes, self.committed_bytes = gc, used_bytes, live_bytes, committed_bytes
        self.max_bytes, self.metaspace_bytes, self.gc_s = max_bytes, metaspace_bytes, gc_s

    def sizes(self) -> tuple[Value, ...]:
        """Return used, live, committed, most and metaspace, in GROUP_COLUMNS' order."""
        return self.used_bytes, self.live_bytes, self.committed_bytes, self.max_bytes, self.metaspace_bytes


def perf_entries(data: bytes) -> Iterator[tuple[str, int | str, int]]:
    """Yield name, value and place of each counter in a HotSpot performance file, format 2.0.

    OpenJDK, src/hotspot/share/runtime/perfMemory.hpp and perfData.hpp: a prologue of 32 bytes (magic 0xcafec0c0, byte
    order, version, accessible, used, overflow, time stamp, offset of the first entry, number of entries), then entries
    of a 20-byte head (length, name's offset, vector's length, type, flags, unit, variability, data's offset), a
    zero-ended name and the value.

    Raises
    ------
    ValueError, struct.error, IndexError
        Where it is no performance file, or torn.
    """
    if data[:4] != PERF_MAGIC:
        raise ValueError("no HotSpot performance file")
    order = "<" if data[4] else ">"
    at, entries = struct.unpack_from(order + "ii", data, 24)
    for _ in range(entries):
        length, name_at, vector, kind, value_at = struct.unpack_from(order + "iiic3xi", data, at)
        if length <= 0:
            raise ValueError("an entry has no length")
        name, place = _text(data, at + name_at), at + value_at
        if kind == b"J" and vector == 0:
            yield name, struct.unpack_from(order + "q", data, place)[0], place
        elif kind == b"B":
            yield name, _text(data[: place + vector], place), place
        at += length


def _text(data: bytes, at: int) -> str:
    end = data.find(b"\0", at)
    return data[at : end if end >= 0 else len(data)].decode(errors="replace")


class HeapPlan:
    """Where a performance file keeps a heap's figures, found once, so that each later reading is a few integers.

    Raises
    ------
    ValueError
        With the reason, where the file has no such figures (yet) or is torn.
    """

    def __init__(self, data: bytes) -> None:
        try:
            entries = {name: (value, place) for name, value, place in perf_entries(data)}
        except (struct.error, IndexError, ValueError):
            raise ValueError("the performance file is torn") from None
        self._generations = [n for n in (0, 1) if entries.get(f"sun.gc.generation.{n}.maxCapacity", (0,))[0]]
        if not self._generations:
            raise ValueError("the JVM is just starting" if not entries else "the collector keeps no generation counters")
        self._integer = struct.Struct("<q" if data[4] else ">q")
        self._collector = _collector_name(entries)
        self._frequency = float(entries.get("sun.os.hrt.frequency", (1e9,))[0])
        self._place(entries)

    def _place(self, entries: Mapping[str, Any]) -> None:
        def at(*names: str) -> list[int]:
            return [entries[name][1] for name in names if name in entries]

        def numbered(first: str, last: str, count: int) -> list[int]:
            return at(*(f"{first}.{n}.{last}" for n in range(count)))

        spaces = [entries.get(f"sun.gc.generation.{n}.spaces", (0,))[0] for n in (0, 1)]
        self._used = [numbered(f"sun.gc.generation.{n}.space", "used", spaces[n]) for n in (0, 1)]
        self._capacity = at(*(f"sun.gc.generation.{n}.capacity" for n in self._generations))
        self._survivors = at("sun.gc.generation.0.space.1.capacity", "sun.gc.generation.0.space.2.capacity")
        self._most = at(*(f"sun.gc.generation.{n}.maxCapacity" for n in self._generations))
        self._metaspace = at("sun.gc.metaspace.used")
        self._invocations = numbered("sun.gc.collector", "invocations", 3)
        self._times = numbered("sun.gc.collector", "time", 3)
        places = [*self._used[0], *self._used[1], *self._capacity, *self._survivors, *self._most, *self._metaspace]
        self.end = 8 + max([*places, *self._invocations, *self._times])

    def read(self, data: bytes) -> Heap:
        """Return the heap's figures from the file's first `end` bytes.

        Of the two survivor spaces one is always empty, and JVM tools leave it out of what is committed too. G1 moves
        regions between generations, so each may have all of it, and pads its counters by 8 bytes lest jstat divide by 0.
        """
        whole = self._integer.unpack_from

        def add(places: Sequence[int]) -> int:
            return sum([whole(data, place)[0] for place in places])

        old_bytes = add(self._used[1])
        told_apart = self._collector not in ("Z", "Shenandoah") and add(self._invocations) > 0
        spare = min([whole(data, place)[0] for place in self._survivors]) if len(self._survivors) == 2 else 0
        most = [whole(data, place)[0] for place in self._most]
        return Heap(
            self._collector, add(self._used[0]) + old_bytes, old_bytes if told_apart else None, add(self._capacity) - spare,
            min(most) // 1024 * 1024 if self._collector == "G1" else sum(most), add(self._metaspace) if self._metaspace else None,
            add(self._times) / self._frequency,
        )  # fmt: skip


def _collector_name(entries: Mapping[str, Any]) -> str:
    """Name the collector after its counters; Parallel's policy is ParScav:MSC, and CMS's ParNew:CMS."""
    names = ("sun.gc.policy.name", "sun.gc.collector.0.name", "sun.gc.collector.1.name", "sun.gc.collector.2.name")
    words = " ".join(str(entries[name][0]) if name in entries else "" for name in names)
    for mark, collector in COLLECTORS:
        if mark in words:
            return collector
    return words.strip() or "unknown"


def find_perf_file(pid: int) -> str | None:
    """Find /tmp/hsperfdata_<user>/<pid> in the process's own mount and pid namespace, else in ours where pids are the same."""
    inner = inner_pid(pid)
    tmp_there = os.path.join("/proc", str(pid), "root", "tmp")
    for tmp in (tmp_there, *(["/tmp"] if inner == pid else [])):  # noqa: S108  HotSpot's fixed place
        try:
            folders = [name for name in os.listdir(tmp) if name.startswith("hsperfdata_")]
        except OSError:
            continue
        for folder in folders:
            path = f"{tmp}/{folder}/{inner}"
            if os.path.exists(path):
                return path
    return None


def inner_pid(pid: int) -> int:
    """Return the pid inside the innermost namespace: the last of NSpid."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            data = file.read()
    except OSError:
        return pid
    at = data.find(b"NSpid:")
    return int(data[at : data.index(b"\n", at)].split()[-1]) if at >= 0 else pid


class Jvm:
    """One JVM's performance file, kept open; `why` says what is amiss while there is no heap."""

    def __init__(self, pid: int, started_s: float) -> None:
        self._pid, self._started_s = pid, started_s
        self._fd = -1
        self._plan: HeapPlan | None = None
        self.heap: Heap | None = None
        self.gc_us = 0
        self.why = ""
        self.beats = 0

    def read(self) -> None:
        """Take this beat's figures. While there are none it tries again each beat, without a file later on each SLOW_BEATS."""
        self.beats += 1
        self.gc_us = 0
        if self._fd < 0 and self.beats > JVM_PATIENCE_BEATS and self.beats % SLOW_BEATS:
            return
        try:
            heap = self._figures()
        except (OSError, ValueError, struct.error) as refused:
            self.heap, self._plan, self.why = None, None, str(refused)
            return
        self.gc_us = max(0, int((heap.gc_s - self.heap.gc_s) * 1e6)) if self.heap else 0
        self.heap, self.why = heap, ""

    def _figures(self) -> Heap:
        if self._fd < 0:
            self._fd = self._open()
        if self._plan is None:
            self._plan = HeapPlan(os.pread(self._fd, 1 << 20, 0))
        heap = self._plan.read(os.pread(self._fd, self._plan.end, 0))
        if not heap.used_bytes:  # counters are made before they are first set
            raise ValueError("the JVM is just starting")
        return heap

    def _open(self) -> int:
        path = find_perf_file(self._pid)
        if path is None:
            raise ValueError("no performance file (-XX:-UsePerfData or -XX:+PerfDisableSharedMem), or it may not be read")
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if os.fstat(fd).st_mtime < self._started_s - 2:  # a JVM that was killed leaves its file to the next of its pid
            os.close(fd)
            raise ValueError("the performance file is an earlier JVM's")
        return fd

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


# --- the host -------------------------------------------------------------------------------------------------------

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
VIRTUAL_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd")


class HostReader:
    """The machine's counters and levels, from files of /proc that stay open; one that the kernel hasn't is None."""

    def __init__(self) -> None:
        self._stat, self._meminfo, self._loadavg = (_keep("/proc/" + name) for name in ("stat", "meminfo", "loadavg"))
        self._vmstat, self._diskstats, self._net = (_keep("/proc/" + name) for name in ("vmstat", "diskstats", "self/net/dev"))
        lines = (("cpu", b"some"), ("memory", b"full"), ("io", b"full"))
        self._pressure = [(_keep("/proc/pressure/" + name), line) for name, line in lines]
        self.last_pid = 0
        self.refresh()

    def refresh(self) -> None:
        """Look again which disks and interfaces there are: whole disks, and interfaces of hardware (all but lo where none is)."""
        self._disks = [b" %s " % name.encode() for name in _names("/sys/block") if not name.startswith(VIRTUAL_DISKS)]
        wires = [name for name in _names("/sys/class/net") if name != "lo"]
        hard = [name for name in wires if os.path.exists(f"/sys/class/net/{name}/device")]
        self._wires = [b" %s:" % name.encode() for name in hard or wires]

    def counters(self) -> list[Value]:
        """Return what only grows: CPU by mode and PSI (us), disk and network (bytes), OOM kills, in HOST_COLUMNS' order."""
        cpu = [int(ticks) * TICK_US for ticks in _pread(self._stat, 512).split(b"\n", 1)[0].split()[1:9]]
        user, nice, system, idle, iowait, irq, softirq = cpu[:7]
        steal = cpu[7] if len(cpu) > 7 else None
        pressure = [self._pressure_us(fd, line) for fd, line in self._pressure]
        modes = [user + nice, system + irq + softirq, iowait, steal, idle]
        return [*modes, *pressure, *self._disk_bytes(), *self._net_bytes(), self._oom_kills()]

    def levels(self) -> list[Value]:
        """Return memory (KiB) and the load of a minute (hundredths) in HOST_COLUMNS' order; note the last pid given out."""
        data = _pread(self._meminfo)
        total, free, available = _kib(data, b"MemTotal:"), _kib(data, b"MemFree:") or 0, _kib(data, b"MemAvailable:")
        files = (_kib(data, b"Buffers:") or 0) + (_kib(data, b"\nCached:") or 0)
        mapped = _kib(data, b"Mapped:") or 0
        unmapped = max(0, files + (_kib(data, b"SReclaimable:") or 0) - mapped)
        active = max(0, (_kib(data, b"Active(file):") or 0) - mapped)
        swap = (_kib(data, b"SwapTotal:") or 0) - (_kib(data, b"SwapFree:") or 0)
        load = _pread(self._loadavg).split()
        self.last_pid = int(load[4])
        return [total, available, files, swap, free, unmapped, active, int(load[0].replace(b".", b""))]

    def _pressure_us(self, fd: int, line: bytes) -> Value:
        data = _pread(fd, 512)
        at = data.find(b"total=", data.find(line)) if line in data else -1
        return int(data[at + 6 : data.index(b"\n", at)]) if at >= 0 else None

    def _disk_bytes(self) -> tuple[Value, Value]:
        rows = _rows(_pread(self._diskstats), self._disks)
        return (512 * sum([int(row[2]) for row in rows]), 512 * sum([int(row[6]) for row in rows])) if rows else (None, None)

    def _net_bytes(self) -> tuple[Value, Value]:
        rows = _rows(_pread(self._net), self._wires)
        return (sum([int(row[0]) for row in rows]), sum([int(row[8]) for row in rows])) if rows else (None, None)

    def _oom_kills(self) -> Value:
        data = _pread(self._vmstat)
        at = data.find(b"\noom_kill ")
        return int(data[at + 10 : data.find(b"\n", at + 10)]) if at >= 0 else None


def _keep(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _pread(fd: int, size: int = 32768) -> bytes:
    """Read a kept file from its start; nothing where it can't be read, as PSI that was switched off at boot."""
    try:
        return os.pread(fd, size, 0) if fd >= 0 else b""
    except OSError:
        return b""


def _rows(data: bytes, names: Iterable[bytes]) -> list[list[bytes]]:
    """Return the first figures that stand behind each name; one that isn't there is left out."""
    places = [(data.find(name), len(name)) for name in names]
    return [data[at + length : at + length + 200].split(None, 9) for at, length in places if at >= 0]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _kib(data: bytes, name: bytes) -> Value:
    """Return a field in kB of meminfo, status or smaps_rollup; None where it isn't."""
    at = data.find(name)
    if at < 0:
        return None
    at += len(name)
    return int(data[at : data.index(b"k", at)])


# --- processes ------------------------------------------------------------------------------------------------------


class Process:
    """One process: what it held and had used at its last reading. CPU in ns, memory in KiB."""

    __slots__ = (
        "anon", "cgroup", "clock", "comm", "counted", "cpu", "fds", "heir", "jvm", "key", "owed", "parent", "pid", "pss", "pss_anon",
        "pss_at", "pss_cpu", "rss", "slow_at", "start", "statm", "threads", "vm", "waited", "young",
    )  # fmt: skip

    def __init__(self, pid: int, parent: int, start: int, waited: int) -> None:
        self.pid, self.parent, self.start, self.waited = pid, parent, start, waited
        self.statm = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
        self.clock = (~pid << 3) | 2  # clock_getcpuclockid(3)
        self.cpu = self.counted = self.owed = 0
        self.comm = self.vm = b""
        self.rss: int = 0
        self.anon: Value = None
        self.threads = 0
        self.fds: Value = None
        self.pss: Value = None
        self.pss_anon: int = 0
        self.pss_at = self.pss_cpu = -1.0
        self.slow_at = 0
        self.young = self.heir = True
        self.key: Key = ("", None)
        self.cgroup = ""
        self.jvm: Jvm | None = None

    def read_memory(self) -> bool:
        """Read RSS and RssAnon, 0 for one that ended but nobody waited for yet; tell whether its address space changed in size.

        statm's resident less its shared is RssAnon (fs/proc/task_mmu.c, task_statm), for a sixth of what status costs.

        Raises
        ------
        OSError
            Where it is gone.
        """
        size, resident, shared = os.pread(self.statm, 128, 0).split(None, 3)[:3]
        self.rss = int(resident) * PAGE_KIB
        self.anon = self.rss - int(shared) * PAGE_KIB
        before, self.vm = self.vm, size
        return before != size

    def read_status(self) -> bool:
        """Read the name and the number of threads, which change with the address space; tell whether the name is another."""
        data = _pread_once(f"/proc/{self.pid}/status")
        at = data.find(b"Threads:")
        self.threads = int(data[at + 8 : data.index(b"\n", at)]) if self.rss and at >= 0 else 0
        before, self.comm = self.comm, data[6 : data.find(b"\n")]
        return before != self.comm

    def close(self) -> None:
        os.close(self.statm)
        if self.jvm:
            self.jvm.close()


def read_stat(pid: int) -> tuple[bytes, int, int, int, int]:
    """Return name, parent, flags, what ended children left it (ns) and start tick.

    Raises
    ------
    OSError
        Where it is gone.
    """
    with open(f"/proc/{pid}/stat", "rb", 0) as file:
        data = file.read(2048)
    end = data.rindex(b")")
    rest = data[end + 2 :].split()
    waited = (int(rest[13]) + int(rest[14])) * TICK_US * 1000
    return data[data.index(b"(") + 1 : end], int(rest[1]), int(rest[6]), waited, int(rest[19])


class Group:
    """What one group's processes held and used in a beat."""

    __slots__ = ("anon", "cgroups", "cpu", "estimated", "fds", "heaps", "javas", "pids", "pss", "restarts", "rss", "threads")

    def __init__(self) -> None:
        self.pids = self.cpu = self.rss = self.threads = self.restarts = self.javas = 0
        self.anon: Value = 0
        self.pss: Value = 0
        self.fds: Value = 0
        self.estimated = 0
        self.heaps: list[Jvm] = []
        self.cgroups: set[str] = set()

    def add(self, process: Process, pss: Value, estimated: int) -> None:
        self.pids += 1
        self.rss += process.rss
        self.threads += process.threads
        self.anon = _plus(self.anon, process.anon)
        self.pss = _plus(self.pss, pss)
        self.fds = _plus(self.fds, process.fds)
        self.estimated |= estimated
        self.cgroups.add(process.cgroup)
        if process.jvm:
            self.javas += 1
            if process.jvm.heap:
                self.heaps.append(process.jvm)

    def row(self, limits: Mapping[str, Value]) -> list[Any]:
        """Return its values in GROUP_COLUMNS' order; a JVM's are null unless each JVM's are known."""
        caps = [limits.get(path) for path in self.cgroups]
        limit = None if None in caps else sum([cap for cap in caps if cap is not None])
        jvm = _jvm_columns(self.heaps) if self.heaps and len(self.heaps) == self.javas else [None] * 7
        estimated = self.estimated if self.pss is not None else 0
        held = [self.pids, self.cpu // 1000, self.rss, self.anon, self.pss, estimated, self.threads, self.fds]
        return [*held, self.restarts, limit, *jvm]


def _jvm_columns(jvms: Sequence[Jvm]) -> list[Any]:
    heaps = [jvm.heap for jvm in jvms if jvm.heap]
    names = "+".join(sorted({heap.gc for heap in heaps}))
    return [names, *map(_sum, zip(*[heap.sizes() for heap in heaps])), sum([jvm.gc_us for jvm in jvms])]


def _plus(total: Value, more: Value) -> Value:
    """Add; None where either is unknown, for a sum without it would be too low."""
    return None if total is None or more is None else total + more


def _sum(values: Sequence[Value]) -> Value:
    return None if None in values else sum([value for value in values if value is not None])


class ProcessTable:
    """Every process of the machine but kernel threads, by what it is.

    A process that ended between two beats isn't lost: the kernel adds what a child used to its parent when the parent
    waits for it (proc(5), cutime and cstime), so each parent counts what it inherited beyond what was seen of the ended.
    """

    def __init__(self, rules: Sequence[Rule], pss: bool) -> None:
        self._rules = rules
        self._pss = PssReader() if pss else None
        self._kernel: set[int] = set()
        self._boot_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        self._fast_fds = os.stat("/proc/self/fd").st_size > 0  # Linux 6.2 and newer
        self._owed_restarts: dict[Key, int] = {}
        self._limits: dict[str, Value] = {}
        self._told: set[tuple[Key, str]] = set()
        self.processes: dict[int, Process] = {}
        self.beat = -1
        self.news: list[tuple[str, str, dict[str, Any]]] = []

    def read(self, born: Sequence[int], beat_s: float) -> dict[Key, Group]:
        """End the beat: read what changed, drop what ended, take what is new; return the groups.

        Parameters
        ----------
        born : sequence of int
            Ids given out since the last beat, to threads too. Every id is looked at now and then, and where there are many.
        """
        self.beat += 1
        ended, active = self._poll()
        fresh = self._scan(None if self.beat % SLOW_BEATS == 0 or len(born) > MOST_BORN else born)
        if ended or born:
            self._inherit(ended, active)
        if self._pss:
            self._pss.read(self.processes, fresh, beat_s)
        groups = self._groups()
        if self.beat:
            self._count_restarts(groups, ended, fresh)
        if self.beat % (SLOW_BEATS * 40) == 0:
            self._limits = {}
        self._find_limits(groups)
        self._complain()
        return groups

    def _poll(self) -> tuple[list[Process], list[Process]]:
        """Read the CPU clock of each process, and what it holds where that moved; return those that ended and that moved."""
        ended: list[Process] = []
        active: list[Process] = []
        for process in self.processes.values():
            try:
                cpu = time.clock_gettime_ns(process.clock)
                if cpu != process.cpu or self.beat >= process.slow_at:
                    self._read(process, active)
            except OSError:
                ended.append(process)
                continue
            process.counted, process.cpu = cpu - process.cpu, cpu
            if process.jvm:
                process.jvm.read()
        for process in ended:
            del self.processes[process.pid]
            process.close()
        return ended, active

    def _read(self, process: Process, active: list[Process]) -> None:
        """Read what it holds, and seldom what seldom changes. What it is may change at an exec, which mostly gives it a new name."""
        active.append(process)
        slow = self.beat >= process.slow_at
        renamed = (process.read_memory() or slow) and process.read_status()
        if slow:
            renamed, process.young = renamed or process.young, False
            process.fds = self._count_fds(process.pid)
            process.slow_at = self.beat + SLOW_BEATS + process.pid % 4
        if renamed:
            self._name(process, process.comm)

    def _scan(self, born: Iterable[int] | None) -> list[Process]:
        """Take every process that isn't known yet; return them. One that is gone before it could be read counts at its parent."""
        if born is None:
            pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}
            self._kernel &= pids
            born = pids - self._kernel
        fresh = []
        for pid in born:
            if pid in self.processes:
                continue
            try:
                time.clock_gettime_ns(~pid << 3 | 2)  # refused for a thread, which has a folder in /proc too
                process = self._take(pid)
            except (OSError, ValueError):
                continue
            if process:
                fresh.append(process)
        return fresh

    def _take(self, pid: int) -> Process | None:
        comm, parent, flags, waited, start = read_stat(pid)
        if flags & KTHREAD or len(self.processes) >= MOST_KEPT:
            self._kernel.add(pid)
            return None
        process = Process(pid, parent, start, waited)
        try:
            process.read_memory()
            process.read_status()
            self._name(process, comm)
            process.cpu = process.counted = time.clock_gettime_ns(process.clock)
            process.fds = self._count_fds(pid)
        except OSError:
            process.close()
            raise
        process.slow_at = self.beat + SLOW_BEATS - pid % 8
        if process.jvm:
            process.jvm.read()
        self.processes[pid] = process
        return process

    def _name(self, process: Process, comm: bytes) -> None:
        base = f"/proc/{process.pid}/"
        with open(base + "cmdline", "rb", 0) as file:
            command = file.read(1 << 17).decode(errors="replace").rstrip("\0").split("\0")
        if command == [""]:  # in the middle of an exec: what it is will be seen at the next beat
            process.comm = process.vm = b""
        with open(base + "cgroup", "rb", 0) as file:
            process.cgroup = _memory_cgroup(file.read(4096).decode(errors="replace"))
        try:
            program = os.readlink(base + "exe").rpartition("/")[2].replace(" (deleted)", "")
        except OSError:  # another user's
            program = comm.decode(errors="replace")
        own = process.pid == os.getpid()
        process.key = (OWN_GROUP, None) if own else name_group(program, command, self._rules, process.cgroup)
        if program == "java" and process.jvm is None:
            process.jvm = Jvm(process.pid, self._boot_s + process.start * TICK_US / 1e6)

    def _count_fds(self, pid: int) -> Value:
        path = f"/proc/{pid}/fd"
        try:
            return os.stat(path).st_size if self._fast_fds else len(os.listdir(path))
        except PermissionError:
            return None

    def _inherit(self, ended: Sequence[Process], active: Iterable[Process]) -> None:
        """Count what living parents inherited from children beyond what was seen of these while they lived.

        Who never inherited is asked when it is read slowly and when a child of it was seen to end.
        """
        gone = {process.pid: process for process in ended}
        for process in ended:
            heir = process.parent
            while heir in gone:
                heir = gone[heir].parent
            if heir in self.processes:
                self.processes[heir].owed -= process.cpu + process.waited
                self.processes[heir].heir = True
        for process in active:
            if process.heir or process.slow_at > self.beat + SLOW_BEATS - 1:
                self._claim(process)

    def _claim(self, process: Process) -> None:
        try:
            _, process.parent, _, waited, _ = read_stat(process.pid)
        except OSError:
            return
        process.heir = waited != process.waited
        process.owed += waited - process.waited
        process.waited = waited
        process.counted += max(0, process.owed)
        process.owed = max(-2 * TICK_US * 1000, min(0, process.owed))  # a child that nobody waits for leaves nothing

    def _groups(self) -> dict[Key, Group]:
        groups: dict[Key, Group] = {}
        for process in self.processes.values():
            group = groups.get(process.key)
            if group is None:
                group = groups[process.key] = Group()
            group.cpu += process.counted
            if process.rss:
                pss, estimated = self._pss.value(process) if self._pss else (None, 0)
                group.add(process, pss, estimated)
        return groups

    def _count_restarts(self, groups: Mapping[Key, Group], ended: Iterable[Process], fresh: Iterable[Process]) -> None:
        """Count newcomers that replace ended processes of their group and colour, whenever those ended."""
        for process in ended:
            self._owed_restarts[process.key] = self._owed_restarts.get(process.key, 0) + 1
        for process in fresh:
            if self._owed_restarts.get(process.key, 0) and process.key in groups:
                self._owed_restarts[process.key] -= 1
                groups[process.key].restarts += 1

    def _find_limits(self, groups: Mapping[Key, Group]) -> None:
        for group in groups.values():
            for path in group.cgroups:
                if path not in self._limits:
                    self._limits[path] = memory_limit(path)

    def rows(self, groups: Mapping[Key, Group]) -> dict[Key, list[Any]]:
        """Return each group's values in GROUP_COLUMNS' order."""
        return {key: group.row(self._limits) for key, group in groups.items()}

    def _complain(self) -> None:
        """Say once a group what can't be had of it, and why."""
        for process in self.processes.values():
            jvm = process.jvm
            if jvm and jvm.why and jvm.beats >= JVM_PATIENCE_BEATS:
                self._tell(process.key, "jvm", process.pid, jvm.why)
            if self._pss and process.pss_at >= 0 and process.pss is None:
                self._tell(process.key, "pss", process.pid, "another user's process: root may read it")

    def _tell(self, key: Key, source: str, pid: int, why: str) -> None:
        if (key, source) not in self._told:
            self._told.add((key, source))
            self.news.append(("agent_gap", key[0], {"source": source, "pid": pid, "why": why}))


def _memory_cgroup(text: str) -> str:
    """Return the path of a process's memory cgroup: v1's where it has one, else v2's, below /sys/fs/cgroup."""
    paths = {line.split(":", 2)[1]: line.split(":", 2)[2] for line in text.splitlines() if line.count(":") >= 2}
    for controllers, path in paths.items():
        if "memory" in controllers.split(","):
            return "memory" + path
    return paths.get("", "")


def memory_limit(cgroup: str) -> Value:
    """Return the least memory limit of a cgroup and those above it; None where none is set."""
    limits = []
    path = cgroup.rstrip("/")
    while path:
        for name in ("memory.max", "memory.limit_in_bytes"):
            data = _pread_once("/sys/fs/cgroup/{}/{}".format(path.lstrip("/"), name))
            if data.strip().isdigit() and int(data) < UNLIMITED_BYTES:
                limits.append(int(data))
        path = path.rpartition("/")[0]
    return min(limits) if limits else None


def _pread_once(path: str) -> bytes:
    fd = _keep(path)
    data = _pread(fd, 4096)
    if fd >= 0:
        os.close(fd)
    return data


class PssReader:
    """Reads PSS in turn, new processes first, never faster than what it has cost allows."""

    def __init__(self) -> None:
        self._queue: list[Process] = []
        self._free_at: float | None = None

    def read(self, processes: Mapping[int, Process], fresh: Sequence[Process], beat_s: float) -> None:
        """Read whose turn it is. The very first time all are, so that there is something to estimate from."""
        self._queue[:0] = fresh
        now = time.monotonic()
        first = self._free_at is None
        free_at = max(now, self._free_at or 0.0)
        for _ in range(len(self._queue)):
            if free_at >= now + beat_s and not first:
                break
            process = self._queue.pop(0)
            if processes.get(process.pid) is not process:
                continue
            self._queue.append(process)
            if process.rss and (process.cpu != process.pss_cpu or now - process.pss_at > PSS_IDLE_PAUSE_S):
                free_at += PSS_PAUSE_PER_COST * self._measure(process)
        self._free_at = free_at

    def _measure(self, process: Process) -> float:
        began = time.monotonic()
        process.pss = _kib(_pread_once(f"/proc/{process.pid}/smaps_rollup"), b"\nPss:")
        process.pss_anon, process.pss_cpu, process.pss_at = process.anon or 0, process.cpu, began
        return time.monotonic() - began

    def value(self, process: Process) -> tuple[Value, int]:
        """Return a process's PSS and whether it is an estimate; before its first reading the least that it can be."""
        if process.pss_at < 0:
            return process.anon, 1
        if process.pss is None:
            return None, 0
        changed = process.cpu != process.pss_cpu
        return max(0, process.pss + (process.anon or process.pss_anon) - process.pss_anon), int(changed)


# --- the spool ------------------------------------------------------------------------------------------------------


class Segment:
    """The state of one file's encoding: what its reader knows by now."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, WINDOW_BITS, 5)
        self._keys: dict[Key, int] = {}
        self._words: dict[str, int] = {}
        self._at_us = 0
        self._last: dict[int, tuple[list[Any], list[int]]] = {}

    def frame(self, payload: bytes) -> bytes:
        chunk = self._deflate.compress(payload) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return HEAD.pack(len(chunk), zlib.crc32(chunk)) + chunk

    def beat(self, at_us: int, host: Sequence[Value], rows: Mapping[Key, list[Any]], events: Sequence[Event]) -> bytes:
        """Return one beat as a frame."""
        news = self._news(rows, events)
        out = bytearray()
        _put(out, len(news))
        out += news
        _put_signed(out, at_us - self._at_us)
        self._at_us = at_us
        self._put_row(out, -1, HOST_COLUMNS, host)
        _put(out, len(rows))
        for key, row in rows.items():
            _put(out, self._keys[key])
            self._put_row(out, self._keys[key], GROUP_COLUMNS, row)
        return self.frame(bytes(out))

    def _put_row(self, out: bytearray, code: int, columns: Sequence[tuple[str, float, bool]], row: Sequence[Any]) -> None:
        """Put which columns are other than before, as bits, and these."""
        last = self._last.get(code)
        if last is None:
            last = self._last[code] = [None] * len(columns), [0] * len(columns)
        values, levels = last
        changed = [n for n, value in enumerate(row) if value != values[n]]
        _put(out, sum([1 << n for n in changed]))
        for n in changed:
            value = values[n] = row[n]
            if value is None:
                out.append(0)
                continue
            if isinstance(value, str):
                value = self._words[value]
            change = value - levels[n] if columns[n][2] else value
            levels[n] = value
            _put(out, 1 + (change << 1) if change >= 0 else -change << 1)

    def _news(self, rows: Mapping[Key, list[Any]], events: Sequence[Event]) -> bytes:
        keys = [key for key in rows if key not in self._keys]
        words = [v for v in dict.fromkeys(v for row in rows.values() for v in row if isinstance(v, str)) if v not in self._words]
        for key in keys:
            self._keys[key] = len(self._keys)
        for word in words:
            self._words[word] = len(self._words)
        if not (keys or words or events):
            return b""
        return to_json({"keys": keys, "words": words, "events": events}).encode()


def to_json(value: Any) -> str:
    """Write what the spool says in words; the json module costs 0.3 MB, and re with it 1.3."""
    if isinstance(value, dict):
        return "{{{}}}".format(", ".join([to_json(name) + ": " + to_json(item) for name, item in value.items()]))
    if isinstance(value, (list, tuple)):
        return "[{}]".format(", ".join([to_json(item) for item in value]))
    if isinstance(value, str):
        return '"{}"'.format("".join([c if c.isalnum() or c in " -_./:@,=()+" else f"\\u{min(ord(c), 0xFFFD):04x}" for c in value]))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)


def _put(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _put_signed(out: bytearray, value: int) -> None:
    _put(out, value << 1 if value >= 0 else (-value << 1) - 1)


class Spool:
    """A ring of files, the oldest deleted where all together pass the cap. Where the disk is full it waits, and says so."""

    def __init__(self, folder: str, head: Mapping[str, Any], cap_bytes: int) -> None:
        os.makedirs(folder, exist_ok=True)
        self._lock = os.open(folder + "/lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._folder, self._head, self._cap_bytes = folder, head, cap_bytes
        # from the clock, so that a spool that was removed and begun anew repeats no name; a file lasts longer than a second
        self._next = max([int(name[:-4]) + 1 for name in self._files()], default=int(time.time()))
        self._fd = -1
        self._segment = Segment()
        self._size = self._beats = self._wait = 0
        self._lost: list[int] = []
        self._why = ""
        self._pending: list[Event] = []

    def write(self, at_us: int, host: Sequence[Value], rows: Mapping[Key, list[Any]], events: Sequence[Event]) -> None:
        """Append a beat; one that the disk refuses is lost, its events are kept for the next that it takes."""
        self._pending = [*self._pending[-100:], *events]
        self._wait -= 1
        if self._wait >= 0:
            self._lost.append(at_us)
            return
        try:
            if self._fd < 0 or self._beats >= SEGMENT_BEATS:
                self._begin()
            self._append(self._segment.beat(at_us, host, rows, [*self._resumed(at_us), *self._pending]))
        except OSError as refused:
            self._refuse(at_us, refused)
            return
        self._beats += 1
        self._pending, self._lost = [], []

    def _resumed(self, at_us: int) -> list[Event]:
        return [(self._lost[0], at_us, "agent_gap", "spool", {"why": self._why, "beats": len(self._lost)})] if self._lost else []

    def _begin(self) -> None:
        self._end()
        self._drop_oldest()
        path = f"{self._folder}/{self._next:010d}.seg"
        self._next += 1
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        self._segment = Segment()
        self._size = self._beats = 0
        self._append(MAGIC + self._segment.frame(to_json(self._head).encode()))

    def _append(self, data: bytes) -> None:
        written = os.write(self._fd, data)
        if written < len(data):
            raise OSError(28, "No space left on device")
        self._size += written

    def _refuse(self, at_us: int, refused: OSError) -> None:
        """Cut off what was half written, and try again in a while with a new file."""
        if not self._lost:
            print(f"{self._folder}: {refused.strerror}; beats are lost until there is room", file=sys.stderr, flush=True)
        self._why = refused.strerror or str(refused)
        self._lost.append(at_us)
        self._wait = RETRY_BEATS
        if self._fd >= 0:
            os.ftruncate(self._fd, self._size)
        self._end()
        self._drop_empty()

    def _drop_empty(self) -> None:
        """Remove a file that took no beat: each retry would leave one."""
        path = f"{self._folder}/{self._next - 1:010d}.seg"
        if self._beats == 0 and os.path.exists(path):
            os.unlink(path)

    def _end(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _files(self) -> list[str]:
        return sorted(name for name in os.listdir(self._folder) if name.endswith(".seg") and name[:-4].isdigit())

    def _drop_oldest(self) -> None:
        files = self._files()
        held = sum(os.stat(self._folder + "/" + name).st_size for name in files)
        while files and held > self._cap_bytes:
            oldest = self._folder + "/" + files.pop(0)
            held -= os.stat(oldest).st_size
            os.unlink(oldest)


# --- beats ----------------------------------------------------------------------------------------------------------


class Agent:
    """The state between two beats; the first reading is taken at once and has no row."""

    def __init__(self, spool: Spool, rules: Sequence[Rule], beat_s: float, pss: bool) -> None:
        self._spool, self._beat_s = spool, beat_s
        self._host = HostReader()
        self._table = ProcessTable(rules, pss)
        self._take_moment()
        self._levels, self._counters = self._host.levels(), self._host.counters()
        self._table.read((), beat_s)
        self._beats = 0

    @property
    def since_s(self) -> float:
        return (time.monotonic_ns() - self._moment[1]) / 1e9

    def _take_moment(self) -> None:
        self._moment = time.time_ns() // 1000, time.monotonic_ns(), time.process_time_ns()

    def beat(self) -> None:
        """End the interval: read, and append its rows and events."""
        (wall_us, monotonic, cpu), last_pid, counters = self._moment, self._host.last_pid, self._counters
        self._beats += 1
        if self._beats % (4 * SLOW_BEATS) == 0:
            self._host.refresh()
        self._take_moment()
        self._levels, self._counters = self._host.levels(), self._host.counters()
        interval_us = (self._moment[1] - monotonic) // 1000
        jump_us = self._moment[0] - wall_us - interval_us
        spent = [None if a is None or b is None else max(0, a - b) for a, b in zip(self._counters, counters)]
        groups = self._table.read(ids_between(last_pid, self._host.last_pid), self._beat_s)
        gap = interval_us > 1.5e6 * self._beat_s or abs(jump_us) > CLOCK_JUMP_US
        own_us = (self._moment[2] - cpu) // 1000
        host = [interval_us, os.cpu_count(), *spent, *self._levels, own_us, int(gap)]
        events = [*self._clock_events(wall_us, interval_us, jump_us), *self._other_events(spent[-1], groups)]
        self._spool.write(self._moment[0], host, self._table.rows(groups), events)

    def _clock_events(self, wall_us: int, interval_us: int, jump_us: int) -> Iterator[Event]:
        now_us = self._moment[0]
        if abs(jump_us) > CLOCK_JUMP_US:
            yield now_us, None, "clock_jump", "clock", {"jump_s": round(jump_us / 1e6, 3)}
        if interval_us > 1.5e6 * self._beat_s:
            yield wall_us, now_us, "agent_gap", "agent", {"why": "the agent did not run in time", "interval_s": round(interval_us / 1e6, 3)}

    def _other_events(self, oom_kills: Value, groups: Mapping[Key, Group]) -> Iterator[Event]:
        now_us = self._moment[0]
        if oom_kills:
            yield now_us, None, "oom_kill", "host", {"count": oom_kills}
        for (name, color), group in groups.items():
            if 0 < group.pids <= group.restarts:  # all of it is new: one of many workers that was replaced is no event
                yield now_us, None, "restart", name, {"color": color, "count": group.restarts}
        for kind, subject, detail in self._table.news:
            yield now_us, None, kind, subject, detail
        self._table.news = []


def ids_between(before: int, now: int) -> Sequence[int]:
    """Return the process ids given out since, which the kernel does in turn; where it began anew, more than can be looked at."""
    return range(before + 1, now + 1) if now >= before else range(MOST_BORN + 1)


def spool_head(host_class: str, beat_s: float) -> dict[str, Any]:
    """Return what each file of a spool says first."""
    names = os.uname()
    return {
        "format": 1, "host": names.nodename, "class": host_class, "arch": names.machine, "kernel": names.release, "beat_s": beat_s,
        "python": sys.version.split()[0], "root": os.geteuid() == 0, "hosts": HOST_COLUMNS, "processes": GROUP_COLUMNS,
    }  # fmt: skip


def run(agent: Agent, beat_s: float, seconds: float | None) -> None:
    """Beat until a signal to end, or until `seconds` have passed; the last interval may be a shorter one."""
    signals = {_signal.SIGTERM, _signal.SIGINT}
    _signal.pthread_sigmask(_signal.SIG_BLOCK, signals)
    start_s = time.monotonic()
    end_s = start_s + seconds if seconds is not None else float("inf")
    beats, stopped = 1, None
    while stopped is None and time.monotonic() < end_s:
        until_s = min(start_s + beats * beat_s, end_s)
        stopped = _signal.sigtimedwait(signals, max(0.0, until_s - time.monotonic()))
        if stopped is None:
            agent.beat()
            beats = int((time.monotonic() - start_s) / beat_s) + 1
    if agent.since_s > LEAST_LAST_S:
        agent.beat()


def duration_s(text: str) -> float:
    """Return the seconds of `1`, `1s` or `500ms`."""
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1] if text.endswith("s") else text)


def parse_options(words: Sequence[str]) -> dict[str, str]:
    """Return each option's value by its name.

    Raises
    ------
    ValueError
        Where a word is no option, or a value is missing.
    """
    known, found, rest = ("--spool", "--beat", "--groups", "--seconds", "--cap-mb"), {}, iter(words)
    for word in rest:
        name, has, value = word.partition("=")
        if word == "--no-pss":
            found[word] = "yes"
        elif name in known:
            found[name] = value if has else next(rest, "")
        else:
            raise ValueError(f"unknown option {word}")
        if not found.get(name):
            raise ValueError(f"{name} needs a value")
    if "--spool" not in found:
        raise ValueError("--spool DIR is missing")
    return found


def main(words: Sequence[str]) -> int:
    """Run the agent; return 0, or 2 with a sentence where it was told something wrong."""
    try:
        options = parse_options(words)
        beat_s, seconds = duration_s(options.get("--beat", "1s")), options.get("--seconds")
        if not 0.05 <= beat_s <= 3600:
            raise ValueError("--beat must be from 50ms to 1h")
        host_class, rules = read_rules(options["--groups"]) if "--groups" in options else ("host", [])
        spool = Spool(options["--spool"], spool_head(host_class, beat_s), int(float(options.get("--cap-mb", "128")) * 1e6))
        agent = Agent(spool, rules, beat_s, "--no-pss" not in options)
    except BlockingIOError:
        print("agent.py: another agent writes to {}; end that one first".format(options["--spool"]), file=sys.stderr)
        return 2
    except (OSError, ValueError) as wrong:
        print(f"agent.py: {wrong}\n{USAGE}", file=sys.stderr)
        return 2
    gc.collect()
    gc.disable()  # nothing here makes cycles, so there is nothing to look for
    run(agent, beat_s, None if seconds is None else duration_s(seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
