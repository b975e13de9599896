"""The system's own ssh, with the user's own keys, hosts and jumps: one connection for all that a command does.

SIZEUP_SSH stands for `ssh`, with options if need be, as GIT_SSH_COMMAND does for git: SIZEUP_SSH="ssh -F staging.config".
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from collectors.transport import Place, Remote, Transport, check_host, last_line
from collectors.transports.local import ShellRemote
from evidence import SizeupError

CONNECT_S = 10
OPEN_S = 60.0
# never a password prompt in the middle of an answer
OPTIONS = ("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_S}", "-o", "ServerAliveInterval=15")


class SshRemote(ShellRemote):
    """A host behind ssh."""

    def __init__(self, host: str) -> None:
        self._sockets = tempfile.mkdtemp(prefix="sizeup-ssh-")  # short: a socket's path holds 107 bytes
        ssh = shlex.split(os.environ.get("SIZEUP_SSH", "ssh"))
        self._ssh = [*ssh, *OPTIONS, "-o", f"ControlPath={self._sockets}/%C"]
        super().__init__(host, [*self._ssh, "-o", "ControlMaster=no", "--", host, "sh -s"])

    def open(self) -> None:
        """Open the connection that the others go through.

        Its complaints go to a file: a master keeps what it was given open, and a pipe would only end with it.

        Raises
        ------
        SizeupError
            Where the host can't be reached, in ssh's own words.
        """
        log = Path(self._sockets) / "log"
        command = [*self._ssh, "-M", "-N", "-f", "-o", "ControlPersist=no", "--", self._host]
        with log.open("wb") as errors:
            try:
                done = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, timeout=OPEN_S, check=False
                )  # fmt: skip
            except FileNotFoundError:
                raise SizeupError(f"{command[0]}: no such program here; install OpenSSH's client.") from None
            except subprocess.TimeoutExpired:
                raise SizeupError(f"{self._host}: no connection in {OPEN_S:g} s; can you ssh there from here?") from None
        if done.returncode:
            why = last_line(log.read_bytes(), f"ssh ended with {done.returncode}")
            raise SizeupError(f"{self._host}: {why}; it must let you in without a password: try ssh {self._host} true.")

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        if os.path.isdir(self._sockets):
            end = [*self._ssh, "-O", "exit", "--", self._host]
            with suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(end, stdin=subprocess.DEVNULL, capture_output=True, timeout=CONNECT_S, check=False)
            shutil.rmtree(self._sockets, ignore_errors=True)


def connect(place: Place) -> Remote:
    remote = SshRemote(check_host(place.host))
    try:
        remote.open()
    except BaseException:
        remote.close()
        raise
    return remote


TRANSPORT = Transport(says="over ssh, with your own keys", calls=(), connect=connect)
