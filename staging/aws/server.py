"""The stand-in's server: one address for all services, as boto3's endpoint_url wants it; what it has no answer for, another gives."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from staging.aws.faults import fault_of, silence_s
from staging.aws.service import services
from staging.aws.wire import Dialect, Request, read_request, write_answer, write_fault
from staging.aws.world import AwsFault, AwsWorld

FORWARD_S = 60.0
_OF_A_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}

Answer = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class AwsStandIn:
    """A running stand-in.

    Attributes
    ----------
    beyond : str or None
        The address of a moto server that answers whatever has no file here; the world's trouble meets those calls too.
    calls : list of str
        Each call so far by the action that a policy names ("cloudwatch:GetMetricData"), the failed ones too.
    answered : list of Request
        Those that got an answer.
    regions : list of str
        The region that each was signed for.
    """

    url: str
    world: AwsWorld
    beyond: str | None = None
    calls: list[str] = field(default_factory=list)
    answered: list[Request] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def start_aws(world: AwsWorld, port: int = 0, beyond: str | None = None) -> Iterator[AwsStandIn]:
    """Serve a world on loopback until the block ends."""
    stand_in = AwsStandIn("", world, beyond)
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    stand_in: AwsStandIn
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two wait 40 ms for each other

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        dialect: Dialect = "json"
        try:
            asked = read_request(self.command, self.path, dict(self.headers.items()), body)
            dialect = asked.dialect
            number = self._count(asked)
            silent_s = silence_s(self.stand_in.world.trouble, number, asked.service)
            if silent_s is not None:
                time.sleep(silent_s)
                self.close_connection = True
                return
            status, headers, data = self._answer(asked, number, body)
            self.stand_in.answered.append(asked)
            self._send(status, headers, data)
        except AwsFault as fault:
            kind, data = write_fault(dialect, fault)
            self._send(fault.status, {"Content-Type": kind}, data)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

    def _count(self, asked: Request) -> int:
        """Note the call; return its number, from 1."""
        with self.stand_in.lock:
            self.stand_in.calls.append(asked.action)
            self.stand_in.regions.append(asked.region)
            return len(self.stand_in.calls)

    def _answer(self, asked: Request, number: int, body: bytes) -> Answer:
        """Answer a call, or fail as the world's trouble has it."""
        world = self.stand_in.world
        if (fault := fault_of(world.trouble, number, asked)) is not None:
            raise fault
        operations = services()[asked.service].operations if asked.service in services() else {}
        if asked.operation in operations:
            kind, data = write_answer(asked, operations[asked.operation](world, asked.arguments))
            return 200, {"Content-Type": kind}, data
        if self.stand_in.beyond is None:
            raise AwsFault("UnknownOperationException", f"{asked.action} is none of the stand-in's operations", 404)
        return _forward(urlsplit(self.stand_in.beyond).netloc, self.command, self.path, dict(self.headers.items()), body)

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        with suppress(ConnectionError):  # the caller was killed
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data if self.command != "HEAD" else b"")

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Write what AWS's clock shows."""
        return super().date_time_string((time.time() if timestamp is None else timestamp) + self.stand_in.world.trouble.skew_s)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `calls` holds what was asked."""


def _forward(address: str, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    """Let another server answer, error or not; what moto doesn't know, it answers with a page, AWS with a refusal.

    Raises
    ------
    AwsFault
        For an operation that the other server lacks.
    """
    connection = http.client.HTTPConnection(address, timeout=FORWARD_S)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        kept = {name: value for name, value in response.headers.items() if name.lower() not in _OF_A_CONNECTION}
        if response.status == 500 and response.headers.get_content_type() == "text/html":
            raise AwsFault("UnsupportedOperation", "The requested operation is not supported", 400)
        return response.status, kept, response.read()
    finally:
        connection.close()
