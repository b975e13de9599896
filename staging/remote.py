"""A stack asked from another process: deploy, stop. And the door at which its owner hears that."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from evidence import SizeupError, rfc3339
from staging.balancer import call_json
from staging.facts import Deployment, key_file, read_facts, read_stack, stack_file
from staging.processes import lives

_KEY = "X-Sizeup-Key"
ANSWER_S, STOP_S = 180.0, 60.0

Action = Callable[[], Mapping[str, Any]]


class Door:
    """A loopback port in the owner's process: POST /<action> with the key runs the action and answers in JSON."""

    def __init__(self, home: Path, actions: Mapping[str, Action]) -> None:
        self._key_file, key = key_file(home), secrets.token_hex(16)
        with open(self._key_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(key)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(actions, key))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="door", daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def close(self) -> None:
        self._key_file.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()


def request_deploy(home: Path) -> Deployment:
    """Ask the process that serves the stack of `home` to deploy; return when it has.

    Raises
    ------
    SizeupError
        Where no stack is served from there, or the deployment failed.
    """
    read_stack(home)
    try:
        answer = _ask(home, "deploy")
    except OSError as failed:
        raise SizeupError(f"{home}: the stack did not deploy ({failed}); see the logs there, then start it again.") from None
    started_at, ended_at = (datetime.fromisoformat(answer[name]) for name in ("started_at", "ended_at"))
    return Deployment(started_at, ended_at, answer["from_color"], answer["to_color"])


def stop_served(home: Path) -> bool:
    """Ask the process that serves the stack of `home` to end it, and wait for that; return whether there was one.

    Raises
    ------
    SizeupError
        Where it didn't stop.
    """
    facts = read_facts(home)
    if "door_port" not in facts or not lives(facts.get("owner")):
        return False
    try:
        _ask(home, "stop")
        _wait_gone(stack_file(home))
    except OSError as failed:
        raise SizeupError(f"{home}: the stack did not stop ({failed}); end process {facts['owner']['pid']}.") from None
    return True


def deployment_facts(deployment: Deployment) -> Mapping[str, Any]:
    """Return a deployment in JSON's terms."""
    return {
        "started_at": rfc3339(deployment.started_at), "ended_at": rfc3339(deployment.ended_at),
        "from_color": deployment.from_color, "to_color": deployment.to_color,
    }  # fmt: skip


def _wait_gone(file: Path) -> None:
    deadline = time.monotonic() + STOP_S
    while file.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{file} still stands after {STOP_S:.0f} s")
        time.sleep(0.05)


def _ask(home: Path, action: str) -> Any:
    key = {_KEY: key_file(home).read_text()}
    return call_json(read_facts(home)["door_port"], "POST", f"/{action}", {}, headers=key, timeout_s=ANSWER_S)


def _handler(actions: Mapping[str, Action], key: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            action = actions.get(self.path.strip("/"))
            if action is None or self.headers.get(_KEY) != key:
                self._reply(403, {"error": "not for you"})
                return
            try:
                self._reply(200, action())
            except SizeupError as wrong:
                self._reply(500, {"error": str(wrong)})

        def _reply(self, status: int, value: Mapping[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: standard error is the conversation with the user."""

    return Handler
