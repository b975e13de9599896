"""The stack's processes as their owner sees them: started with settings, waited for, ended, and told apart from strangers."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence import SizeupError, is_alive, process_mark

READY_S = 30.0


@dataclass(slots=True)
class Child:
    """One process; `facts` is what it reported when it was ready, or what its starter knows of it.

    Of a module of ours the standard input, held open, is its lifeline; a program that isn't ours is waited for by its starter.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    mark: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    ends_by: signal.Signals = signal.SIGTERM

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def record(self) -> dict[str, Any]:
        """Return what stack.json keeps of it: enough to end it, and no other, when its owner is gone."""
        return {"name": self.name, **self.mark, "ends_by": int(self.ends_by)}

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", int(self.facts["port"])

    def wait_ready(self) -> Child:
        """Wait for the process's ready line.

        Raises
        ------
        SizeupError
            Where the process ended, or didn't report in time.
        """
        assert self.process.stdout is not None
        line = _read_line(self.process.stdout.fileno(), READY_S)
        self.process.stdout.close()
        if not line:
            raise SizeupError(f"the stack's {self.name} process did not start; its last words are in {self.log}.")
        self.facts = json.loads(line)
        return self

    def end(self, grace_s: float = 8.0) -> None:
        """End the process: the signal that it `ends_by`, and SIGKILL to its whole group for one that takes longer than `grace_s`."""
        if self.process.poll() is None:
            self.process.send_signal(self.ends_by)
            try:
                self.process.wait(grace_s)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def spawn(name: str, module: str, settings: Mapping[str, Any], log: Path, *arguments: str) -> Child:
    """Start `python -m module`, settings on its standard input; it reports on its standard output and logs to `log`."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out,
            start_new_session=True,  # a ^C in the terminal is the owner's, who ends the stack in order
        )  # fmt: skip
    child = Child(name, process, log, process_mark(process.pid))
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it died already; wait_ready says so
        process.stdin.write(json.dumps(settings).encode() + b"\n")
        process.stdin.flush()
    return child


def spawn_program(
    name: str, command: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None, user: str | None = None,
    ends_by: signal.Signals = signal.SIGTERM, folder: Path | None = None,
) -> Child:  # fmt: skip
    """Start a program that knows nothing of us, held at a gate until `open_gate`, so that its owner can write its mark down first.

    A shell waits for one line and becomes the program, under the same id and start; an owner that dies before has left nothing.
    """
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r go && exec "$@"', name, *command], stdin=subprocess.PIPE, stdout=out, stderr=out, cwd=folder,
            env={**os.environ, **(env or {})}, start_new_session=True,
            user=user, group=user and pwd.getpwnam(user).pw_gid, extra_groups=[] if user else None,
        )  # fmt: skip
    return Child(name, process, log, process_mark(process.pid), ends_by=ends_by)


def open_gate(child: Child) -> None:
    """Let a program of `spawn_program` begin."""
    assert child.process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it died already; whoever waits for it says so
        child.process.stdin.write(b"go\n")
        child.process.stdin.close()


def end_marked(mark: Mapping[str, Any], grace_s: float = 3.0) -> bool:
    """End the very process that a mark names and what it left of its group, if any of it runs; return whether it did."""
    ours = [mark] if lives(mark) else _orphans(mark)
    _end(ours, mark.get("ends_by", signal.SIGTERM), grace_s)
    _end([*ours, *_orphans(mark)], signal.SIGKILL, grace_s)
    return bool(ours)


def _end(marks: Sequence[Mapping[str, Any]], sign: int, grace_s: float) -> None:
    """Send a signal to those of the marked that still run, and wait for their end."""
    left = [mark for mark in marks if lives(mark)]
    for mark in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(mark["pid"], sign)
    deadline = time.monotonic() + grace_s
    while any(map(lives, left)) and time.monotonic() < deadline:
        time.sleep(0.02)


def _orphans(mark: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the marks of what lives on in the group of a leader that is gone: nginx's workers, when its master was killed.

    No new process gets the number of a group that has members, so the group is still the leader's.
    """
    if Path(f"/proc/{mark['pid']}").exists():
        return []
    members = [pid for pid in _pids() if _process_group(pid) == mark["pid"]]
    return [each for each in map(process_mark, members) if mark["start"] is not None and (each["start"] or 0) >= mark["start"]]


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()] if Path("/proc/self").exists() else []


def _process_group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def lives(mark: Mapping[str, Any] | None) -> bool:
    """Tell whether the marked process runs; one that has ended and that nobody reaped doesn't."""
    if mark is None or not is_alive(mark):
        return False
    try:
        state = Path(f"/proc/{mark['pid']}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return not Path("/proc/self").exists()
    return state != "Z"


def _read_line(descriptor: int, timeout_s: float) -> bytes:
    """Read up to a newline; empty where the writer closed or the time ran out before one."""
    line, deadline = b"", time.monotonic() + timeout_s
    while not line.endswith(b"\n"):
        if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return b""
        part = os.read(descriptor, 4096)
        if not part:
            return b""
        line += part
    return line
