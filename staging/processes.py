"""The stack's processes as their owner sees them: started with settings, waited for, ended, and told apart from strangers."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence import SizeupError, is_alive, process_mark

READY_S = 30.0


@dataclass(slots=True)
class Child:
    """One process; `facts` is what it reported when it was ready. Its standard input, held open, is its lifeline."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    mark: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        return self.process.pid

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
        """End the process: SIGTERM, and SIGKILL for one that takes longer than `grace_s`."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
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


def end_marked(mark: Mapping[str, Any], grace_s: float = 3.0) -> bool:
    """End the very process that a mark names, if it still runs; return whether it did."""
    if not lives(mark):
        return False
    for sign in (signal.SIGTERM, signal.SIGKILL):
        _signal(mark["pid"], sign)
        deadline = time.monotonic() + grace_s
        while time.monotonic() < deadline:
            if not lives(mark):
                return True
            time.sleep(0.02)
    return True


def lives(mark: Mapping[str, Any] | None) -> bool:
    """Tell whether the marked process runs; one that has ended and that nobody reaped doesn't."""
    if mark is None or not is_alive(mark):
        return False
    try:
        state = Path(f"/proc/{mark['pid']}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return not Path("/proc/self").exists()
    return state != "Z"


def _signal(pid: int, sign: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, sign)


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
