"""Which processes a host is made of: the roots that the trees file names, and everything that they start."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil

from collectors.processes import PssMeter
from evidence import is_alive

Key = tuple[str, str, str | None]
"""A process's place: host, group, colour."""


@dataclass(frozen=True, slots=True)
class Root:
    """A process that somebody started as part of a host; pid and start tick as evidence.process_mark gives them."""

    pid: int
    start: int | None
    group: str
    color: str | None


@dataclass(frozen=True, slots=True)
class HostTree:
    host: str
    host_class: str
    roots: tuple[Root, ...]


@dataclass(slots=True)
class Member:
    """A process that belongs to a host: whose it is, and the meter of its PSS."""

    process: psutil.Process
    host: str
    group: str
    color: str | None
    parent: int
    pss: PssMeter = field(default_factory=PssMeter)

    @property
    def key(self) -> Key:
        return self.host, self.group, self.color


class Members(Protocol):
    """Whatever knows which processes to read."""

    members: dict[int, Member]


class TreesFile:
    """The trees file, read again whenever it was replaced; while it can't be read, what it said last holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hosts: tuple[HostTree, ...] = ()
        self._mark: tuple[int, int] | None = None

    def changed(self) -> bool:
        """Read the file if it is another one than last time; tell whether it was."""
        try:
            stat = self.path.stat()
            mark = (stat.st_mtime_ns, stat.st_ino)
            if mark == self._mark:
                return False
            self.hosts = parse_trees(json.loads(self.path.read_bytes()))
        except (OSError, ValueError):
            return False
        self._mark = mark
        return True


def parse_trees(data: Mapping[str, Any]) -> tuple[HostTree, ...]:
    """Turn the trees file's JSON into hosts."""
    return tuple(HostTree(h["host"], h["class"], tuple(map(_root, h["roots"]))) for h in data["hosts"])


def _root(data: Mapping[str, Any]) -> Root:
    return Root(data["pid"], data["start"], data["group"], data["color"])


class Forest:
    """Every member of every host, by pid. A member stays one when its parent ends and init takes it over."""

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self._strangers: set[int] = set()

    def plant(self, hosts: Iterable[HostTree]) -> None:
        """Take the roots that live, and look at every stranger again: it may be the child of a new root."""
        self._strangers.clear()
        for host in hosts:
            for root in host.roots:
                if is_alive({"pid": root.pid, "start": root.start}):
                    self._take(root.pid, host.host, root.group, root.color)

    def refresh(self) -> None:
        """Drop the members that ended and adopt the children that appeared."""
        pids = set(psutil.pids())
        self.members = {pid: m for pid, m in self.members.items() if pid in pids and m.process.is_running()}
        self._strangers &= pids
        fresh = pids - self.members.keys() - self._strangers
        parents = {pid: parent for pid in fresh if (parent := _parent(pid)) is not None}
        for pid in parents:
            self._adopt(pid, parents)
        self._strangers |= fresh - self.members.keys()

    def _adopt(self, pid: int, parents: Mapping[int, int]) -> None:
        """Follow a newcomer up through other newcomers; if the line ends at a member, all of it belongs there."""
        line = [pid]
        while line[-1] not in self.members and line[-1] in parents and len(line) <= len(parents):
            line.append(parents[line[-1]])
        if (head := self.members.get(line[-1])) is not None:
            for newcomer in reversed(line[:-1]):
                self._take(newcomer, head.host, head.group, head.color)

    def _take(self, pid: int, host: str, group: str, color: str | None) -> None:
        member = self.members.get(pid)
        if member is not None:  # a child that was named a root only later
            member.host, member.group, member.color = host, group, color
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            self.members[pid] = Member(process, host, group, color, process.ppid())


def _parent(pid: int) -> int | None:
    try:
        return psutil.Process(pid).ppid()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
