"""The owner's hand on the load balancer's stand-in: targets in and out, their health, and the counts for CloudWatch."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evidence import SizeupError

Targets = Mapping[str, Sequence[Mapping[str, Any]]]


class BalancerControl:
    """Talks JSON to the proxy's control port; a proxy that has gone is a SizeupError."""

    def __init__(self, port: int) -> None:
        self.port = port

    def register(self, group: str, address: tuple[str, int]) -> None:
        """Send requests to a target as soon as its health checks pass."""
        self._call("POST", "/targets", {"group": group, "host": address[0], "port": address[1]})

    def deregister(self, group: str, address: tuple[str, int]) -> None:
        """Send no new requests to a target."""
        self._call("DELETE", "/targets", {"group": group, "host": address[0], "port": address[1]})

    def targets(self) -> Targets:
        """Return each group's targets: host, port, health, requests in flight."""
        found: Targets = self._call("GET", "/targets")
        return found

    def take_counts(self) -> list[Mapping[str, Any]]:
        """Take away what was counted since the last call."""
        counts: list[Mapping[str, Any]] = self._call("POST", "/metrics", {})
        return counts

    def wait_healthy(self, group: str, address: tuple[str, int], timeout_s: float = 30.0) -> None:
        """Wait until a target's health checks pass."""
        what = f"{group}'s process at port {address[1]} passes no health check"
        self._wait(lambda: self._health(group, address) == "healthy", what, timeout_s)

    def wait_drained(self, group: str, address: tuple[str, int], timeout_s: float = 60.0) -> None:
        """Wait until a deregistered target has nothing under way."""
        what = f"{group}'s process at port {address[1]} still has requests under way"
        self._wait(lambda: self._health(group, address) is None, what, timeout_s)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            return call_json(self.port, method, path, body)
        except OSError as gone:
            raise SizeupError(f"the stack's load balancer does not answer at port {self.port} ({gone}); start the stack again.") from None

    def _health(self, group: str, address: tuple[str, int]) -> str | None:
        return next((target["health"] for target in self.targets()[group] if target["port"] == address[1]), None)

    def _wait(self, done: Callable[[], bool], what: str, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline:
                raise SizeupError(f"the stack: {what} after {timeout_s:.0f} s; see its logs beside stack.json and start it again.")
            time.sleep(0.03)


def call_json(port: int, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, timeout_s: float = 10) -> Any:
    """Ask a loopback port and return its JSON answer; no proxy of the environment is in between.

    Raises
    ------
    OSError
        Where nobody answers, or not with 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), dict(headers or {}))
        response = connection.getresponse()
        answer = json.loads(response.read() or b"null")
        if response.status != 200:
            raise OSError(f"{method} {path}: {response.status} {answer}")
        return answer
    except http.client.HTTPException as broken:
        raise OSError(f"{method} {path}: {broken!r}") from None
    finally:
        connection.close()
