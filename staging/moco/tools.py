"""The programs that the real stack is made of: found, installed where Debian has them and we are root, else asked for in one sentence."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from evidence import SizeupError

JDK, NODE = 17, (20, 9)
# Where Debian puts what isn't on everybody's path.
_ELSEWHERE = ("/usr/sbin", "/usr/lib/postgresql/{version}/bin")
PACKAGES: Mapping[str, str] = {
    "nginx": "nginx", "postgres": "postgresql", "initdb": "postgresql", "psql": "postgresql-client", "redis-server": "redis-server",
    "ruby": "ruby",
}  # fmt: skip
"""Program -> the Debian package that has it."""
_POLICY = Path("/usr/sbin/policy-rc.d")


def check_toolchain() -> None:
    """Look for what is needed to build and run: a JDK, Maven, Node.

    Raises
    ------
    SizeupError
        Naming all that is missing or too old.
    """
    wrong = [why for why in (_jdk(), _found("mvn", "Maven"), _node()) if why]
    if wrong:
        raise SizeupError(f"the moco stack needs JDK {JDK} or newer, Maven and Node 20.9 or newer: {'; '.join(wrong)}; install them.")


def install_missing(say: Callable[[str], None]) -> None:
    """Install the services' programs that are missing: by apt as root, on Debian and its kin.

    Raises
    ------
    SizeupError
        Elsewhere, with the command that installs them; or where apt fails.
    """
    packages = sorted({PACKAGES[name] for name in PACKAGES if find_program(name) is None})
    if not packages:
        return
    command = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SizeupError(f"the moco stack needs {', '.join(packages)}; run sudo {command}, then start it again.")
    say(f"installing {', '.join(packages)} by apt")
    with _no_service_starts():
        for each in ("apt-get update -q", command):
            done = subprocess.run(each.split(), capture_output=True, text=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if done.returncode:
        raise SizeupError(f"{command}: failed ({done.stderr.strip().splitlines()[-1:]}); run it by hand, then start the stack again.")


def program(name: str) -> str:
    """Return where a program lies that `install_missing` has seen to."""
    found = find_program(name)
    if found is None:
        raise SizeupError(f"{name}: no such program; install it, then start the stack again.")
    return found


def find_program(name: str) -> str | None:
    """Return where a program lies: on the path, or where Debian puts it; the newest PostgreSQL's."""
    folders = [folder for each in _ELSEWHERE for folder in _versions(each)]
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(folders))


def _versions(pattern: str) -> list[str]:
    if "{version}" not in pattern:
        return [pattern]
    parent = Path(pattern.partition("{version}")[0])
    versions = [entry.name for entry in parent.iterdir() if entry.name.isdigit()] if parent.is_dir() else []
    return [pattern.format(version=version) for version in sorted(versions, key=int, reverse=True)]


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """Let no package start a service of the machine's while it is installed; a policy that stands there already is left alone.

    Debian Policy 9.3.3.2 and invoke-rc.d(8): a /usr/sbin/policy-rc.d that exits 101 forbids it.
    """
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            _POLICY.unlink()


def _jdk() -> str | None:
    said = _says("javac", "-version")
    found = re.search(r"javac (\d+)", said or "")
    if found is None:
        return "javac, a JDK's compiler, is missing"
    return None if int(found[1]) >= JDK else f"the JDK is {found[1]}"


def _node() -> str | None:
    said = _says("node", "--version")
    found = re.search(r"v(\d+)\.(\d+)", said or "")
    if found is None:
        return "node is missing"
    return _found("npm", "npm") if (int(found[1]), int(found[2])) >= NODE else f"node is {found[0]}"


def _found(name: str, what: str) -> str | None:
    return None if shutil.which(name) else f"{what} is missing"


def _says(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout + done.stderr


def main() -> None:
    """Say in one sentence what is missing, for make."""
    try:
        check_toolchain()
        install_missing(print)
    except SizeupError as missing:
        raise SystemExit(str(missing)) from None


if __name__ == "__main__":
    main()
