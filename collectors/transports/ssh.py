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

from collectors.transport import Place, Remote, Transport, check_host
from collectors.transports.local import ShellRemote

CONNECT_S = 10
# never a password prompt in the middle of an answer; one connection, kept for a while after the last command
OPTIONS = ("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_S}", "-o", "ControlMaster=auto", "-o", "ControlPersist=30")


class SshRemote(ShellRemote):
    """A host behind ssh."""

    def __init__(self, host: str) -> None:
        self._sockets = tempfile.mkdtemp(prefix="sizeup-ssh-")  # short: a socket's path holds 107 bytes
        self._ssh = [*shlex.split(os.environ.get("SIZEUP_SSH", "ssh")), *OPTIONS, "-o", f"ControlPath={self._sockets}/%C"]
        super().__init__(host, [*self._ssh, "--", host, "sh -s"])

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        if os.path.isdir(self._sockets):
            with suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run([*self._ssh, "-O", "exit", "--", self._host], capture_output=True, timeout=CONNECT_S, check=False)
            shutil.rmtree(self._sockets, ignore_errors=True)


def connect(place: Place) -> Remote:
    return SshRemote(check_host(place.host))


TRANSPORT = Transport(says="over ssh, with your own keys", calls=(), connect=connect)
