"""One HTTP exchange on a kept connection, with the instants that the request columns need.

This is geventhttpclient, the client beneath Locust's FastHttpSession, used without what that session puts on top: it
follows redirects and sends again on a broken connection, so that one row and one trace id would stand for two requests,
and it keeps neither the wait for a connection, nor the first byte, nor the bytes on the wire.
"""

from __future__ import annotations

import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import gevent
import gevent.pool
import gevent.ssl
from geventhttpclient.client import HTTPClient
from geventhttpclient.response import HTTPParseError, HTTPSocketPoolResponse

CONNECTIONS_MAX = 512
"""Connections that one process opens to one host at most; where all are busy a request waits, and its wait counts."""
_OPENED_AT_ONCE = 8
_TICKETS_S = 0.1


@dataclass(slots=True)
class Exchange:
    """What happened to one request; instants are `time.perf_counter`, None where it wasn't reached."""

    started: float
    sent: float | None = None
    first_byte: float | None = None
    ended: float = 0.0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    request_bytes: int = 0
    response_bytes: int = 0
    closed_by_peer: bool = False
    error: str | None = None


class Wire(HTTPClient):
    """Kept connections to one target under one Host header."""

    def __init__(self, url: str, host: str, timeout_s: float) -> None:
        target = urlsplit(url)
        self._prefix = target.path.rstrip("/")
        # Each exchange has one timer of its own over everything; the sockets' come after it and never fire first.
        super().__init__(
            target.hostname or "", target.port, ssl=target.scheme == "https", ssl_context_factory=_tls_context,
            ssl_options={"server_hostname": host.partition(":")[0]} if target.scheme == "https" else None,
            headers={"Host": host, "User-Agent": "sizeup"}, concurrency=CONNECTIONS_MAX, block_size=65_536,
            connection_timeout=2 * timeout_s, network_timeout=2 * timeout_s,
        )  # fmt: skip

    def open_connections(self, count: int) -> str | None:
        """Open connections a few at a time and keep them; return the error's word where one fails."""
        group = gevent.pool.Pool(_OPENED_AT_ONCE)
        opened = list(group.imap_unordered(self._open, range(count)))
        for one in opened:
            if not isinstance(one, str):
                self._connection_pool.return_socket(one)
        return next((one for one in opened if isinstance(one, str)), None)

    def exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Exchange:
        """Send one request and read its whole answer; a failure is a word in `error`.

        Raises
        ------
        ValueError
            Where method, path or a header can't stand in a request: the scenario's mistake, nothing was sent.
        """
        seen = Exchange(started=time.perf_counter())
        request = self._build_request(method, self._prefix + path, body=body, headers=headers).encode("latin-1") + body
        timer = gevent.Timeout.start_new(timeout_s)
        try:
            self._exchange(seen, method, request)
        except (Exception, gevent.Timeout, gevent.GreenletExit) as failure:
            if isinstance(failure, gevent.Timeout) and failure is not timer:
                raise
            seen.error = error_word(failure, seen)
        finally:
            timer.close()
            seen.ended = time.perf_counter()
        return seen

    def _exchange(self, seen: Exchange, method: str, request: bytes) -> None:
        pool = self._connection_pool
        connection = pool.get_socket()
        seen.sent, seen.request_bytes = time.perf_counter(), len(request)
        try:
            connection.sendall(request)
        except BaseException:
            pool.release_socket(connection)
            raise
        answer = _CountedResponse(connection, pool, seen, block_size=self.block_size, method=method)
        seen.status, seen.headers = answer.get_code(), {name.lower(): value for name, value in answer.items()}
        seen.body = answer.read()

    def _open(self, _: int) -> Any:
        try:
            connection = self._connection_pool.get_socket()
        except OSError as failure:
            return error_word(failure, Exchange(started=0.0))
        if self.ssl:
            _take_session_tickets(connection)
        return connection


class _CountedResponse(HTTPSocketPoolResponse):
    """An answer that notes its first byte and counts all of them in an Exchange, head included."""

    def __init__(self, connection: Any, pool: Any, seen: Exchange, **options: Any) -> None:
        self._seen = seen
        super().__init__(connection, pool, **options)

    def feed(self, data: str | bytes) -> None:
        seen = self._seen
        if data and seen.first_byte is None:
            seen.first_byte = time.perf_counter()
        seen.response_bytes += len(data)
        seen.closed_by_peer = not data
        super().feed(data)
        if not data and not self.message_complete:
            raise HTTPParseError("connection closed before the answer's end")


def error_word(failure: BaseException, seen: Exchange) -> str:
    """Return the reference's word for what went wrong, by what was raised and how far the exchange had come."""
    if isinstance(failure, gevent.GreenletExit):
        return "aborted"
    if isinstance(failure, (gevent.Timeout, TimeoutError)):
        return "timeout_connect" if seen.sent is None else "timeout_read" if seen.first_byte is None else "timeout_total"
    if isinstance(failure, ssl.SSLError):
        return "tls"
    if isinstance(failure, socket.gaierror):
        return "dns"
    if isinstance(failure, OSError):
        return "connect" if seen.sent is None else "reset"
    return "reset" if seen.closed_by_peer else "protocol"


def decoded(body: bytes, encoding: str) -> bytes:
    """Undo a Content-Encoding of gzip or deflate; any other body is returned as it is."""
    if not body or encoding not in ("gzip", "deflate"):
        return body
    return zlib.decompress(body, zlib.MAX_WBITS | 32)


def _tls_context(cafile: str | None = None) -> Any:
    """Verify as this machine does (SSL_CERT_FILE counts), not with geventhttpclient's own list."""
    return gevent.ssl.create_default_context()


def _take_session_tickets(connection: Any) -> None:
    # TLS 1.3 sends its tickets unasked after the handshake; unread they make an idle connection look dead to the pool.
    timeout = connection.gettimeout()
    connection.settimeout(_TICKETS_S)
    try:
        connection.recv(1)
    except OSError:
        pass
    finally:
        connection.settimeout(timeout)
