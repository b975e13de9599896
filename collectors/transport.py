"""How a host is reached: to run a script there, and to bring a folder's files here. One way is one file of collectors/transports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from evidence import SizeupError, discover

if TYPE_CHECKING:
    from collectors.aws import AwsSession

SCRIPT_S = 60.0
"""A script that only installs, asks or ends something takes no longer."""


class Remote(Protocol):
    """A host that can be reached."""

    def run(self, script: str, timeout_s: float = SCRIPT_S) -> bytes:
        """Run a shell script there; return its standard output (SizeupError where it fails)."""

    def fetch(self, script: str, timeout_s: float = SCRIPT_S) -> bytes:
        """Run a script that writes a tar to its standard output; return the tar."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A host as it was named, and what some ways to it need: an account, and a bucket that it may write to."""

    host: str
    aws: AwsSession | None = None
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class Transport:
    """A way to a host.

    Attributes
    ----------
    says : str
        What a person is told about it.
    calls : tuple of str
        Every AWS action that it needs, as a policy names them.
    """

    says: str
    calls: tuple[str, ...]
    connect: Callable[[Place], Remote]


@cache
def all_transports() -> Mapping[str, Transport]:
    """Return every transport by its file's name."""
    return discover("collectors.transports", "TRANSPORT", Transport)


def check_host(host: str) -> str:
    """Return a host's name as it may stand in a command.

    Raises
    ------
    SizeupError
        Where it would be taken for an option, or is none.
    """
    if not host or host.startswith("-") or any(c.isspace() for c in host):
        raise SizeupError(f'host "{host}": no host has such a name; give for example ec2-user@10.0.1.5.')
    return host


def last_line(errors: bytes | str, fallback: str) -> str:
    """Return the last line that a command complained with."""
    text = errors.decode(errors="replace") if isinstance(errors, bytes) else errors
    lines: Sequence[str] = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else fallback
