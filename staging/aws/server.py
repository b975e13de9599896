"""The stand-in's server: one address for all services, as boto3's endpoint_url wants it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from staging.aws.service import services
from staging.aws.wire import Request, read_request, write_answer, write_fault
from staging.aws.world import AwsFault, AwsWorld


@dataclass(slots=True)
class AwsStandIn:
    """A running stand-in.

    Attributes
    ----------
    calls : list of str
        Each call so far, as "service:Operation", the failed ones too.
    regions : list of str
        The region that each was signed for.
    """

    url: str
    world: AwsWorld
    calls: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def start_aws(world: AwsWorld, port: int = 0) -> Iterator[AwsStandIn]:
    """Serve a world on loopback until the block ends."""
    stand_in = AwsStandIn("", world)
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

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_query = False
        try:
            asked = read_request(self.path, dict(self.headers.items()), body)
            is_query = asked.is_query
            if self._is_silent(asked):
                self.close_connection = True
                return
            kind, data = write_answer(asked, _answer(self.stand_in, asked))
            self._send(200, kind, data)
        except AwsFault as fault:
            self._send(fault.status, *write_fault(is_query, fault))

    def _is_silent(self, asked: Request) -> bool:
        """Count the call; tell whether the network is gone."""
        stand_in, most = self.stand_in, self.stand_in.world.trouble.answers
        with stand_in.lock:
            stand_in.calls.append(f"{asked.service}:{asked.operation}")
            stand_in.regions.append(asked.region)
            return most is not None and len(stand_in.calls) > most

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `calls` holds what was asked."""


def _answer(stand_in: AwsStandIn, asked: Request) -> dict[str, object]:
    """Answer a call, or fail as the world's trouble has it."""
    world, number, name = stand_in.world, len(stand_in.calls), f"{asked.service}:{asked.operation}"
    if name in world.trouble.denied:
        raise AwsFault("UnauthorizedOperation" if asked.is_query else "AccessDeniedException", f"not authorized to perform {name}", 403)
    if world.trouble.throttle_every and number % world.trouble.throttle_every == 0:
        raise AwsFault("RequestLimitExceeded" if asked.is_query else "ThrottlingException", "Rate exceeded", 503 if asked.is_query else 400)
    if world.trouble.fail_every and number % world.trouble.fail_every == 0:
        raise AwsFault("InternalError", "An internal error has occurred", 500)
    operations = services()[asked.service].operations if asked.service in services() else {}
    if asked.operation not in operations:
        raise AwsFault("UnknownOperationException", f"{name} is none of the stand-in's operations", 404)
    return operations[asked.operation](world, asked.arguments)
