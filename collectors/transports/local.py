"""This machine itself: a shell without anything between."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from collectors.transport import SCRIPT_S, Place, Remote, Transport, last_line
from evidence import SizeupError


class ShellRemote:
    """A host behind a command that takes a shell script on standard input: `sh -s`, or ssh before it."""

    def __init__(self, host: str, command: Sequence[str]) -> None:
        self._host, self._command = host, command

    def run(self, script: str, timeout_s: float = SCRIPT_S) -> bytes:
        try:
            done = subprocess.run(self._command, input=script.encode(), capture_output=True, timeout=timeout_s, check=False)
        except FileNotFoundError:
            raise SizeupError(f"{self._command[0]}: no such program here; install it.") from None
        except subprocess.TimeoutExpired:
            raise SizeupError(f"{self._host}: no answer in {timeout_s:g} s; try again.") from None
        if done.returncode:
            why = last_line(done.stderr, f"the command ended with {done.returncode}")
            raise SizeupError(f"{self._host}: {why}; nothing more was done.")
        return done.stdout

    def fetch(self, script: str, timeout_s: float = SCRIPT_S) -> bytes:
        return self.run(script, timeout_s)

    def close(self) -> None:
        """Nothing stays open."""


def connect(place: Place) -> Remote:
    return ShellRemote(place.host, ["sh", "-s"])


TRANSPORT = Transport(says="this machine", calls=(), connect=connect)
