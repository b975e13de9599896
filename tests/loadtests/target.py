"""A small real HTTP server to load, in a process of its own: the stack's routes, and bad behaviour on demand.

`python target.py` prints its port. To the file that LOG names it writes a JSON line for each request (method, path, host,
trace) and each connection. FREEZE=at,seconds stops all answering at a moment after the first request, as a garbage
collection does, and logs the freeze. TLS=cert,key serves HTTPS. Under a Host that starts with "api." it is the API (with
API_ONLY=1 under any), else the frontend.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
import time

TOKEN = "test-token-7f3a"
LOG = open(os.environ["LOG"], "a", buffering=1) if os.environ.get("LOG") else None  # noqa: SIM115 - open until the process ends
FREEZE = [float(part) for part in os.environ.get("FREEZE", "").split(",") if part]
STATE = {"boards": 5, "first": 0.0}
NO_LOGIN = bool(os.environ.get("NO_LOGIN"))


def answer(method: str, path: str, host: str, auth: str) -> tuple[int, object]:
    if host.startswith("api.") or os.environ.get("API_ONLY"):
        return api(method, path, auth)
    return 200, f"<html>{path}</html>"


def api(method: str, path: str, auth: str) -> tuple[int, object]:
    route = path.partition("?")[0]
    if route in ("/auth/login", "/auth/refresh"):
        return (404, {}) if NO_LOGIN else (200, {"accessToken": TOKEN, "refreshToken": f"{TOKEN}-refresh"})
    if method != "GET" and auth != f"Bearer {TOKEN}":
        return 401, {}
    if method == "GET" and route in ("/boards", "/boards/search"):
        return 200, {"content": [{"id": n, "title": f"board {n}"} for n in range(1, 6)], "page": 1, "totalPages": 3}
    if method == "GET" and re.fullmatch(r"/boards/\d+(/comments)?", route):
        return 200, {"id": int(route.split("/")[2]), "content": []}
    if method == "POST":
        STATE["boards"] += 1
        return 201, {"id": STATE["boards"], "url": "/images/1.png"}
    return {"PUT": (200, {}), "DELETE": (204, "")}.get(method, (404, {}))


async def freeze() -> None:
    """Block the whole loop, so that accepted connections and sent requests wait as they would for a stopped process."""
    if FREEZE and STATE["first"] and 0 <= time.monotonic() - STATE["first"] - FREEZE[0] < 0.05:
        start = time.time()
        time.sleep(FREEZE[1])
        log({"freeze": [start, time.time()]})


def log(line: dict[str, object]) -> None:
    if LOG:
        LOG.write(json.dumps(line) + "\n")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    log({"connection": 1})
    try:
        while await one(reader, writer):
            pass
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, path, _ = head.split("\r\n")[0].split(" ")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    STATE["first"] = STATE["first"] or time.monotonic()
    await freeze()
    size = len(head) + len(body)
    log({"method": method, "path": path, "host": fields.get("host"), "trace": fields.get("x-amzn-trace-id"), "bytes": size})
    if path.startswith("/odd/"):
        return await odd(path.removeprefix("/odd/"), writer)
    status, page = answer(method, path, fields.get("host", ""), fields.get("authorization", ""))
    content = page.encode() if isinstance(page, str) else json.dumps(page).encode()
    writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
    await writer.drain()
    return True


async def odd(kind: str, writer: asyncio.StreamWriter) -> bool:
    """Answer as a broken server does; False closes the connection."""
    if kind == "silent":
        await asyncio.sleep(30)
    if kind == "slow-body":
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        await asyncio.sleep(30)
    if kind == "garbage":
        writer.write(b"this is no HTTP\r\n\r\n")
    if kind == "cut":
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nhalf")
    if kind == "to-eof":
        writer.write(b"HTTP/1.1 200 X\r\n\r\nall of it")
    if kind == "chunked":
        writer.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n0\r\n\r\n")
    if kind.isdigit():
        writer.write(f"HTTP/1.1 {kind} X\r\nLocation: /about\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()
    return kind.isdigit() or kind == "chunked"


async def main() -> None:
    tls = None
    if os.environ.get("TLS"):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*os.environ["TLS"].split(","))
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
