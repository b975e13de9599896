"""The load balancer's own client against a server that closes what is idle."""

from __future__ import annotations

import asyncio
import socket
import threading

from staging.embedded.http_client import Pool

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def serve(listener: socket.socket, closing: threading.Event, closed: threading.Event) -> None:
    """Answer one request, close its connection when told to, and answer one more on the next."""
    listener.settimeout(10)
    first, _ = listener.accept()
    first.recv(65536)
    first.sendall(OK)
    closing.wait(10)
    first.close()
    closed.set()
    second, _ = listener.accept()
    second.recv(65536)
    second.sendall(OK)
    second.close()


def test_a_connection_that_was_closed_while_the_loop_was_busy_is_not_used_again():
    """nginx closes idle connections when it reloads; a POST sent on one would be a 502 that nobody's fault explains."""
    closing, closed = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener, closing, closed), daemon=True)
        server.start()
        address = ("127.0.0.1", listener.getsockname()[1])

        async def ask() -> list[int]:
            pool = Pool()
            first = await pool.request(address, b"POST", b"/", [(b"Host", b"a"), (b"Content-Length", b"1")], b"x")
            closing.set()
            assert closed.wait(10)  # the loop stands still meanwhile, so it learns nothing of the close
            second = await pool.request(address, b"POST", b"/", [(b"Host", b"a"), (b"Content-Length", b"1")], b"x")
            pool.forget(address)
            return [first.status, second.status]

        assert asyncio.run(ask()) == [200, 200]
        server.join(10)
