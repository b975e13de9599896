"""Meets a target's odd answers, in a process of its own since gevent's loop runs here: `python wire_cases.py URL [TLS_URL]`.

Prints one JSON object: what became of each case, as [error, status, body].
"""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import asdict
from typing import Any

import gevent

from loadtests.checks import check
from loadtests.session import judged
from loadtests.wire import Exchange, Wire

TIMEOUT_S = 0.4
ODD = ("silent", "slow-body", "garbage", "cut", "to-eof", "chunked", "404", "302", "500", "204")


def odd_answers(url: str) -> dict[str, Any]:
    wire = Wire(url, "example.run", 5.0)
    return {kind: seen(wire, f"/odd/{kind}") for kind in ODD}


def seen(wire: Wire, path: str) -> list[Any]:
    answer = judged(path, exchange(wire, path))
    return [answer.error, answer.status, answer.text]


def exchange(wire: Wire, path: str) -> Exchange:
    return wire.exchange("GET", path, {}, b"", TIMEOUT_S)


def no_connection() -> dict[str, Any]:
    """Nobody listens; a name that is none (RFC 6761); a listener whose queue is full, so that the handshake never ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    callers = [socket.socket() for _ in range(4)]
    for caller in callers:
        caller.setblocking(False)
        caller.connect_ex(full.getsockname())
    urls = {
        "refused": f"http://127.0.0.1:{closed}",
        "no-name": "http://nowhere.invalid",
        "full": f"http://127.0.0.1:{full.getsockname()[1]}",
    }
    return {name: seen(Wire(url, "example.run", 5.0), "/") for name, url in urls.items()}


def aborted(url: str) -> list[Any]:
    """Kill the greenlet of a request that is under way."""
    greenlet = gevent.spawn(exchange, Wire(url, "example.run", 5.0), "/odd/silent")
    gevent.sleep(0.1)
    greenlet.kill()
    # The exchange notes the kill and returns, since its row must be written first; the session then ends the arrival.
    return [greenlet.value.error, greenlet.value.status]


def judgements() -> dict[str, Any]:
    """Judge one good answer by what a scenario may ask of it."""
    good = Exchange(started=0.0, status=200, headers={}, body=b'{"content": [{"id": 7}]}')
    asked: dict[str, dict[str, Any]] = {
        "nothing": {}, "status": {"expect": 201}, "has": {"has": b'"content"'}, "has not": {"has": b"boards"},
        "json": {"check": check.json("content.0.id")}, "no json": {"check": check.json("content.1.id")},
        "stumbles": {"check": lambda answer: answer.json()["none"]},
    }  # fmt: skip
    squeezed = Exchange(started=0.0, status=200, headers={"content-encoding": "gzip"}, body=b"not gzip")
    return {name: judged("/", good, **options).error for name, options in asked.items()} | {"gzip": judged("/", squeezed).error}


def warmed(url: str) -> dict[str, Any]:
    """Open 6 connections, then send 6 requests at once: how they went, and what the first saw."""
    wire = Wire(url, "example.run", 5.0)
    failed = wire.open_connections(6)
    greenlets = [gevent.spawn(wire.exchange, "GET", "/boards", {}, b"", 5.0) for _ in range(6)]
    gevent.joinall(greenlets)
    return {"failed": failed, "seen": [asdict(one.value) | {"body": len(one.value.body)} for one in greenlets]}


def main(url: str, tls_url: str) -> None:
    wrong_name = Wire(tls_url, "other.example", 5.0)
    report = {
        "odd": odd_answers(url), "none": no_connection(), "aborted": aborted(url), "judged": judgements(),
        "warmed": warmed(url), "warmed_tls": warmed(tls_url),
        "wrong_name": seen(wrong_name, "/"),
    }  # fmt: skip
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
