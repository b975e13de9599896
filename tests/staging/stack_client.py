"""What the stack's tests talk with: a client that reads the load balancer's log, a target that misbehaves on request."""

from __future__ import annotations

import http.client
import json
import re
import socketserver
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence.alb_log import LogLine, parse_line
from staging.balancer import BalancerControl

ELB = "app/moco-staging/50dc6c495c0c9188"
GROUP_ARN = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/moco-api/73e2d6bc24d8a067"
ROOT = re.compile(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}")


@dataclass
class Answer:
    """What came back; the headers' names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    client_port: int

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Front:
    """A load balancer under test: asked over a real connection, its log read back."""

    port: int
    access_log: Path
    control: BalancerControl

    def ask(self, method: str, path: str, host: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, data, {"Host": host, **(headers or {})})
            client_port = connection.sock.getsockname()[1]
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read(), client_port)
        finally:
            connection.close()

    def texts(self) -> list[str]:
        return self.access_log.read_text().splitlines()

    def lines(self) -> list[LogLine]:
        return [parse_line(text) for text in self.texts()]

    def line_of(self, client_port: int) -> str:
        """Return the only line of a client connection; wait a moment for it, since the answer goes out first."""
        mine = until(lambda: [text for text in self.texts() if f" 127.0.0.1:{client_port} " in text])
        assert len(mine) == 1
        return mine[0]


def until(find: Callable[[], Any], timeout_s: float = 10.0) -> Any:
    """Return the first true thing that `find` gives."""
    deadline = time.monotonic() + timeout_s
    while not (found := find()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)
    return found


class Script(socketserver.StreamRequestHandler):
    """A target that behaves as the path says."""

    def handle(self) -> None:
        while head := self._head():
            path = head[0].split()[1].decode()
            length = next((int(line.split(b":")[1]) for line in head if line.lower().startswith(b"content-length:")), 0)
            body = self.rfile.read(length)
            self.server.target.seen.append((head, body))  # type: ignore[attr-defined]
            if not self._answer(path, head[0].split()[0]):
                return

    def _head(self) -> list[bytes]:
        lines: list[bytes] = []
        while (line := self.rfile.readline().rstrip(b"\r\n")) or not lines:
            if not line:
                return []
            lines.append(line)
        return lines

    def _answer(self, path: str, method: bytes) -> bool:
        if path == "/health" and not self.server.target.healthy:  # type: ignore[attr-defined]
            self.wfile.write(b"HTTP/1.1 500 Ill\r\nContent-Length: 0\r\n\r\n")
        elif path == "/break":
            return False
        elif path == "/half":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            return False
        elif path == "/slow":
            time.sleep(1.5)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        elif path == "/chunked":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        elif path == "/to-the-end":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil I close")
            return False
        elif path == "/hint":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        elif path == "/teapot":
            self.wfile.write(b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n")
        else:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-From: target\r\n\r\n" + (b"" if method == b"HEAD" else b"ok"))
        return True


@dataclass
class ScriptedTarget:
    """A real server on loopback; `seen` are the requests that reached it, head's lines and body."""

    healthy: bool = True
    seen: list[tuple[list[bytes], bytes]] = field(default_factory=list)
    address: tuple[str, int] = ("", 0)

    def requests(self, path: str) -> list[tuple[list[bytes], bytes]]:
        return [(head, body) for head, body in self.seen if head[0].split()[1].decode() == path]
