"""How a process of the stack starts and ends: settings on standard input, one ready line on standard output, no life without its owner."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import threading
from typing import Any


def read_settings() -> dict[str, Any]:
    """Read the first line of standard input, the owner's settings, and end this process when the rest of it ends.

    The owner holds the other end open as long as it lives, so even its kill -9 is seen at once. PR_SET_PDEATHSIG would
    fire at the end of the owner's *thread* that started us, and a deployment is started by a short-lived one.
    """
    settings = read_line(0)
    threading.Thread(target=_end_with_owner, name="owner-watch", daemon=True).start()
    return settings


def read_line(descriptor: int) -> dict[str, Any]:
    """Read one line of JSON and not a byte more; end this process where there is none."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(descriptor, 1)  # unbuffered: nothing of what follows may be taken away from whoever watches for the end
        if not byte:
            os._exit(0)
        line += byte
    settings: dict[str, Any] = json.loads(line)
    return settings


def report_ready(**facts: Any) -> None:
    """Tell the owner that we serve, and where; later output goes to our log."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    os.dup2(2, 1)


def listen(port: int = 0) -> socket.socket:
    """Open a listening socket on loopback; port 0 is any free one. A port in use is reported to the owner and ends us."""
    # The protocol said by name: without it asyncio leaves Nagle's algorithm on, and a body waits 40 ms behind its head.
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # A port whose last connections linger in TIME_WAIT is free; one that somebody listens on is not.
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(("127.0.0.1", port))
    except OSError as refused:
        report_ready(error=errno.errorcode.get(refused.errno or 0, "EIO"))
        raise SystemExit(1) from None
    opened.listen(2048)
    opened.setblocking(False)
    return opened


def serve_app(app: Any, **facts: Any) -> None:
    """Serve an ASGI application with uvicorn until SIGTERM, requests under way finished first."""
    import uvicorn

    config = uvicorn.Config(
        # Idle connections outlive the load balancer's 60 s, as AWS advises: else it would now and then send into a closing one.
        app, http="httptools", ws="none", lifespan="off", access_log=False, log_level="warning", proxy_headers=False,
        server_header=False, timeout_keep_alive=75, timeout_graceful_shutdown=5,
    )  # fmt: skip
    opened = listen()
    report_ready(port=opened.getsockname()[1], **facts)
    uvicorn.Server(config).run(sockets=[opened])


def _end_with_owner() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)
