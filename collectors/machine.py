"""Every process of this machine by what it is, and the machine's own memory and CPU: what `look` watches."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from collectors import agent
from collectors.trees import Member

if TYPE_CHECKING:
    from sizing.settings import GroupRule

CPU_MODES = {
    "user": ("user", "nice"), "system": ("system", "irq", "softirq"), "iowait": ("iowait",), "steal": ("steal",), "idle": ("idle",),
}  # fmt: skip
KERNEL_THREADS = 2
"""The pid of kthreadd, whose children hold no memory of their own."""


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """The machine's memory at one moment, bytes.

    Attributes
    ----------
    unmapped_cache_bytes : int
        Page cache (free(1)'s buff/cache: buffers, file pages, reclaimable slab) that no process maps.
    active_cache_bytes : int
        Of it, the file pages in use.
    """

    total_bytes: int
    free_bytes: int
    available_bytes: int
    cached_bytes: int
    unmapped_cache_bytes: int
    active_cache_bytes: int
    swap_used_bytes: int

    def system_bytes(self, processes_bytes: int) -> int:
        """Return what the kernel and no process holds: MemTotal − MemFree − page cache − Σ PSS, at least 0."""
        return max(0, self.total_bytes - self.free_bytes - self.unmapped_cache_bytes - processes_bytes)


def read_machine_memory() -> MachineMemory:
    """Read /proc/meminfo, or what psutil knows where there is none."""
    try:
        return parse_meminfo(Path("/proc/meminfo").read_text())
    except OSError:
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        cache = max(0, memory.available - memory.free)
        return MachineMemory(memory.total, memory.free, memory.available, cache, cache, 0, swap.used)


def parse_meminfo(text: str) -> MachineMemory:
    """Turn /proc/meminfo into figures. A page that a process maps counts in its PSS, so it is taken out of the cache here."""
    field = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in text.splitlines()) if rest}
    files = field["Buffers"] + field["Cached"]
    mapped = field.get("Mapped", 0)
    return MachineMemory(
        total_bytes=field["MemTotal"], free_bytes=field["MemFree"], available_bytes=field["MemAvailable"], cached_bytes=files,
        unmapped_cache_bytes=max(0, files + field.get("SReclaimable", 0) - mapped),
        active_cache_bytes=max(0, field.get("Active(file)", 0) - mapped),
        swap_used_bytes=field.get("SwapTotal", 0) - field.get("SwapFree", 0),
    )  # fmt: skip


class Machine:
    """Every process of the machine as a member of `host`, grouped by the settings' rules first and by what it is else.

    Attributes
    ----------
    members : dict
        By pid; kernel threads are none of them.
    """

    def __init__(self, host: str, rules: Sequence[GroupRule] = ()) -> None:
        self.host = host
        self.members: dict[int, Member] = {}
        self._rules = rules

    def refresh(self) -> None:
        """Drop what ended, take what appeared."""
        pids = set(psutil.pids())
        self.members = {pid: m for pid, m in self.members.items() if pid in pids and m.process.is_running()}
        for pid in sorted(pids - self.members.keys()):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                self._take(psutil.Process(pid))

    def _take(self, process: psutil.Process) -> None:
        with process.oneshot():
            parent = process.ppid()
            if psutil.LINUX and KERNEL_THREADS in (process.pid, parent) and not process.cmdline():
                return
            group, color = name_group(_program(process), _command(process), self._rules)
        self.members[process.pid] = Member(process, self.host, group, color, parent)


def name_group(program: str, command: Sequence[str], rules: Iterable[GroupRule] = ()) -> tuple[str, str | None]:
    """Name a process's group and colour as the host agent does: the first rule that matches, else what it is."""
    compiled = [(rule.name, re.compile(rule.match), re.compile(rule.color) if rule.color else None) for rule in rules]
    return agent.name_group(program, command, compiled)


def cpu_times_s() -> Mapping[str, float]:
    """Return the machine's CPU seconds since boot by mode, all CPUs together; a mode that the system doesn't count is absent."""
    times: dict[str, float] = psutil.cpu_times()._asdict()
    return {mode: sum(times[part] for part in parts if part in times) for mode, parts in CPU_MODES.items() if parts[0] in times}


def machine_columns(before_s: Mapping[str, float], after_s: Mapping[str, float], memory: MachineMemory) -> dict[str, Any]:
    """Return the columns of `hosts` that are the machine's own."""
    spent_s = {mode: max(0.0, after_s[mode] - before_s[mode]) for mode in after_s}
    return {
        "cpu_user_s": spent_s["user"], "cpu_system_s": spent_s["system"], "cpu_iowait_s": spent_s.get("iowait"),
        "cpu_steal_s": spent_s.get("steal"), "cpu_idle_s": spent_s["idle"], "mem_total_bytes": memory.total_bytes,
        "mem_available_bytes": memory.available_bytes, "mem_cached_bytes": memory.cached_bytes, "swap_used_bytes": memory.swap_used_bytes,
    }  # fmt: skip


def _program(process: psutil.Process) -> str:
    """Return the file that runs, whatever the process calls itself; its name where the file may not be seen."""
    try:
        path = process.exe()
    except (psutil.AccessDenied, psutil.ZombieProcess):
        path = ""
    return Path(path).name or process.name()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.AccessDenied, psutil.ZombieProcess):
        return []
