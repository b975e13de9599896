"""An HTTP/1.1 client that keeps connections: how the load balancer reaches its targets and the frontend the load balancer."""

from __future__ import annotations

import asyncio
import select
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import httptools

Address = tuple[str, int]
Headers = list[tuple[bytes, bytes]]


class ConnectFailedError(Exception):
    """Nobody accepted the connection, so nothing was sent."""


class BrokenResponseError(Exception):
    """The other side closed the connection, or spoke no HTTP, before its response was whole."""


@dataclass(slots=True)
class Response:
    """A whole response; `sent_at`, `head_at` are when the request was written and the response's head was read, in UTC seconds."""

    status: int = 0
    reason: bytes = b""
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    sent_at: float = 0.0
    head_at: float = 0.0


class Pool:
    """Connections by address; one that was idle for `idle_s` is closed instead of used again."""

    def __init__(self, connect_s: float = 10.0, idle_s: float = 60.0) -> None:
        self.connect_s, self.idle_s = connect_s, idle_s
        self._idle: dict[Address, deque[_Connection]] = defaultdict(deque)

    async def request(self, address: Address, method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"",
                      timeout_s: float = 60.0) -> Response:  # fmt: skip
        """Send one request and return its whole response.

        Raises
        ------
        ConnectFailedError, BrokenResponseError, TimeoutError
            Nothing was sent; the response broke; it didn't come in time. A cancelled request closes its connection.
        """
        connection = self._take(address) or await self._open(address)
        try:
            async with asyncio.timeout(timeout_s):
                response = await connection.exchange(method, target, headers, body)
        except BaseException:
            connection.close()
            raise
        if connection.reusable:
            connection.idle_since = time.monotonic()
            self._idle[address].append(connection)
        else:
            connection.close()
        return response

    def forget(self, address: Address) -> None:
        """Close the idle connections to an address."""
        for connection in self._idle.pop(address, ()):
            connection.close()

    def _take(self, address: Address) -> _Connection | None:
        idle = self._idle.get(address)
        while idle:
            connection = idle.pop()  # the one used last: the rest may grow old and be closed
            if connection.reusable and time.monotonic() - connection.idle_since < self.idle_s and connection.is_silent:
                return connection
            connection.close()
        return None

    async def _open(self, address: Address) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.connect_s):
                _, connection = await loop.create_connection(_Connection, *address)
        except TimeoutError:
            raise  # an OSError too, but the other side may still be there
        except OSError as refused:
            raise ConnectFailedError(str(refused)) from None
        return connection


class _Connection(asyncio.Protocol):
    """One connection, one exchange at a time; a parser a response, since a HEAD's would swallow the next one."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Response] | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._response = Response()
        self._body: list[bytes] = []
        self._head_only = self._keep = self._framed = False

    @property
    def reusable(self) -> bool:
        return self._keep and self._transport is not None and not self._transport.is_closing()

    @property
    def is_silent(self) -> bool:
        """Whether nothing lies unread at an idle connection: where its end does, a busy loop just hasn't seen it yet."""
        assert self._transport is not None
        waiting = select.poll()
        waiting.register(self._transport.get_extra_info("socket"), select.POLLIN)
        return not waiting.poll(0)

    async def exchange(self, method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Response:
        if self._transport is None or self._transport.is_closing():
            raise BrokenResponseError("the connection closed before the request was sent")
        self._waiter = asyncio.get_running_loop().create_future()
        self._head_only = method == b"HEAD"
        self._begin()
        self._transport.write(request_head(method, target, headers) + body)
        self._response.sent_at = time.time()
        return await self._waiter

    def close(self) -> None:
        self._keep = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._parser is None:
            self.close()  # an answer to nothing: never take it for the next request's
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as broken:
            self._fail(str(broken))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and self._response.status >= 200 and not self._framed:
            self._finish()  # neither length nor chunks: the close is the end of the body
        else:
            self._fail("closed by the other side")

    def on_status(self, status: bytes) -> None:
        self._response.reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        self._response.headers.append((name, value))
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        self._response.status = self._parser.get_status_code()
        self._response.head_at = time.time()
        if self._head_only and self._response.status >= 200:
            self._keep = self._parser.should_keep_alive() or self._framed
            self._finish()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._waiter is None or self._parser is None:
            return
        if self._response.status < 200:  # 1xx is a message of its own before the response
            sent_at = self._response.sent_at
            self._response, self._body, self._framed = Response(sent_at=sent_at), [], False
            return
        self._keep = self._parser.should_keep_alive()
        self._finish()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._response, self._body, self._framed = Response(), [], False

    def _finish(self) -> None:
        self._response.body = b"".join(self._body)
        waiter, self._waiter, self._parser = self._waiter, None, None
        if waiter is not None and not waiter.done():
            waiter.set_result(self._response)

    def _fail(self, why: str) -> None:
        self.close()
        waiter, self._waiter, self._parser = self._waiter, None, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(BrokenResponseError(why))


def request_head(method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write a request's head, its empty line included."""
    return b"".join([method, b" ", target, b" HTTP/1.1\r\n", *header_lines(headers), b"\r\n"])


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> Sequence[bytes]:
    """Write header fields as lines."""
    return [name + b": " + value + b"\r\n" for name, value in headers]
