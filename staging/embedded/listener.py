"""The client's side of the load balancer: connections, whole requests, responses, and a word when the client has gone."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import httptools

from staging.embedded.http_client import Headers, header_lines

IDLE_S = 60.0
"""How long a connection may stay silent; an ALB's default idle timeout."""


@dataclass(slots=True)
class Request:
    """A whole request; `received_at` is when its first byte came, in UTC seconds, `received_bytes` its size with the head."""

    client: tuple[str, int]
    connection_id: str
    method: bytes = b"-"
    target: bytes = b""
    version: str = "1.1"
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    received_at: float = 0.0
    received_bytes: int = 0
    malformed: bool = False

    def header(self, name: bytes) -> bytes | None:
        """Return the first field of that (lower-case) name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(slots=True)
class Reply:
    """What goes back to the client."""

    status: int
    headers: Headers
    body: bytes
    reason: bytes = b""
    close: bool = False


Handler = Callable[[Request], Awaitable[Reply]]
Finished = Callable[[Request, Reply | None, int], None]


class Listener(asyncio.Protocol):
    """One client connection; requests on it are answered one after the other.

    Parameters
    ----------
    handle : Handler
        Answers a request; cancelled when the client goes before it has.
    finished : Finished
        Called exactly once a request with the reply (None where the client went first) and the bytes that went back.
    """

    def __init__(self, handle: Handler, finished: Finished) -> None:
        self._handle, self._finished = handle, finished
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._client = ("-", 0)
        self._connection_id = ""
        self._request: Request | None = None
        self._body: list[bytes] = []
        self._counted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._client = transport.get_extra_info("peername")[:2]
        self._connection_id = f"TID_{os.urandom(16).hex()}"
        self._rest()

    def data_received(self, data: bytes) -> None:
        self._counted += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._parser = httptools.HttpRequestParser(self)  # answered as the plain request that it also is
        except httptools.HttpParserError:
            self._refuse()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wake()
        if self._task is not None:
            self._task.cancel()
        if self._request is not None and self._request.method != b"-":
            self._waiting.append(self._request)
        for request in self._waiting:
            self._finished(request, None, 0)
        self._waiting.clear()

    def on_message_begin(self) -> None:
        self._request = Request(self._client, self._connection_id, received_at=time.time())
        self._body = []

    def on_url(self, url: bytes) -> None:
        if self._request is not None:
            self._request.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._request is not None:
            self._request.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._request is None:
            return
        self._request.method, self._request.version = self._parser.get_method(), self._parser.get_http_version()
        if (self._request.header(b"expect") or b"").lower() == b"100-continue":
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        request = self._request
        if request is None:
            return
        request.body = b"".join(self._body)
        request.received_bytes, self._counted, self._request = self._counted, 0, None
        self._admit(request)

    def _admit(self, request: Request) -> None:
        self._wake()
        self._waiting.append(request)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._answer())

    async def _answer(self) -> None:
        while self._waiting:
            request = self._waiting.popleft()
            try:
                reply = await self._handle(request)
            except asyncio.CancelledError:
                self._finished(request, None, 0)
                return
            data = _wire(request, reply)
            if not self._write(data):
                self._finished(request, None, 0)
                return
            self._finished(request, reply, len(data))
            if reply.close or not self._keeps(request):
                self._close()
                break
        self._task = None
        self._rest()

    def _refuse(self) -> None:
        request = self._request or Request(self._client, self._connection_id, received_at=time.time())
        request.malformed, request.received_bytes, self._counted, self._request = True, self._counted, 0, None
        if self._transport is not None:
            self._transport.pause_reading()  # what follows can't be told apart any more: one refusal, then the close
        self._admit(request)

    def _keeps(self, request: Request) -> bool:
        wish = (request.header(b"connection") or b"").lower()
        return wish == b"keep-alive" if request.version == "1.0" else wish != b"close"

    def _rest(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._close)

    def _wake(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _write(self, data: bytes) -> bool:
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.write(data)
        return True

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _wire(request: Request, reply: Reply) -> bytes:
    """Write a reply as bytes; a HEAD's, a 204's and a 304's have no body."""
    reason = reply.reason or HTTPStatus(reply.status).phrase.encode()
    bodyless = request.method == b"HEAD" or reply.status in (204, 304)
    head = b"HTTP/1.1 %d %s\r\n" % (reply.status, reason)
    framing: list[bytes] = [] if bodyless else [b"Content-Length: %d\r\n" % len(reply.body)]
    ending = b"Connection: close\r\n" if reply.close else b"Connection: keep-alive\r\n"
    return b"".join([head, *header_lines(reply.headers), *framing, ending, b"\r\n", b"" if bodyless else reply.body])
