"""What the agent's tests share: a real OpenSSH server on loopback, an account that stands in, hosts to install on."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SIZEUP = [sys.executable, "-m", "sizeup"]
ROOT = Path(__file__).parents[2]
SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


@dataclass(frozen=True)
class SshHost:
    """An OpenSSH server whose logins find their home below `home`."""

    host: str
    home: Path
    environ: dict[str, str]

    def sizeup(self, *args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*SIZEUP, *args], cwd=cwd, env=self.environ, capture_output=True, text=True, timeout=60, check=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    """A server with a host key, a port and one authorized key of its own; it reads none of the machine's settings."""
    if not Path(SSHD).exists():
        pytest.skip("no OpenSSH server here; make test installs it as root, or run sudo apt-get install openssh-server")
    there = tmp_path_factory.mktemp("ssh")
    for name in ("host", "login"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(there / name)], check=True)
    home, port = there / "home", free_port()
    home.mkdir()
    (there / "sshd_config").write_text(f"""
Port {port}
ListenAddress 127.0.0.1
HostKey {there}/host
AuthorizedKeysFile {there}/login.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
SetEnv HOME={home}
""")
    (there / "ssh_config").write_text(f"""
Host staging
  HostName 127.0.0.1
  Port {port}
  User {getpass.getuser()}
  IdentityFile {there}/login
  IdentitiesOnly yes
  UserKnownHostsFile {there}/known
  GlobalKnownHostsFile /dev/null
""")
    (there / "known").write_text(f"[127.0.0.1]:{port} {(there / 'host.pub').read_text()}")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it as root, empty
    log = there / "log"
    with log.open("wb") as errors:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(there / "sshd_config")], stderr=errors, stdin=subprocess.DEVNULL)
    try:
        wait_for_port(port, server, log)
        yield SshHost("staging", home, {**os.environ, "SIZEUP_SSH": f"ssh -F {there}/ssh_config"})
    finally:
        server.terminate()
        server.wait(10)
