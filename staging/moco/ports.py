"""Ports for programs that must be told theirs, and waiting until somebody answers there."""

from __future__ import annotations

import http.client
import random
import socket
import time
from collections.abc import Callable

from evidence import SizeupError
from staging.processes import Child

# Below the ports that Linux gives to outgoing connections (32768 and up), so that none of these takes one meanwhile.
_RANGE = (20000, 32000)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    while True:
        port = random.randrange(*_RANGE)  # noqa: S311 - any will do
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_until(child: Child, ready: Callable[[], bool], timeout_s: float) -> Child:
    """Wait until a program is ready.

    Raises
    ------
    SizeupError
        Where it ends before, or takes longer.
    """
    deadline = time.monotonic() + timeout_s
    while not ready():
        if child.process.poll() is not None or time.monotonic() > deadline:
            raise SizeupError(f"the stack's {child.name} process did not start; its last words are in {child.log}.")
        time.sleep(0.05)
    return child


def answers_health(port: int) -> bool:
    """Tell whether GET /health is 200 there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
