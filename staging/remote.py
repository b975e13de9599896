"""A stack asked from another process: deploy, stop. And the door at which its owner hears that."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from evidence import SizeupError, rfc3339
from staging.balancer import call_json
from staging.facts import Deployment, read_facts, read_stack
from staging.processes import lives

_TOKEN = "X-Sizeup-Token"  # noqa: S105 - a header's name
ANSWER_S = 180.0

Action = Callable[[], Mapping[str, Any]]


class Door:
    """A loopback port in the owner's process: POST /<action> with the token of stack.json runs the action and answers in JSON."""

    def __init__(self, actions: Mapping[str, Action], token: str) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(actions, token))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="door", daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def close(self) -> None:
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
        answer = _ask(read_facts(home), "deploy")
    except OSError as failed:
        raise SizeupError(f"{home}: the stack did not deploy ({failed}); see the logs there, then start it again.") from None
    started_at, ended_at = (datetime.fromisoformat(answer[name]) for name in ("started_at", "ended_at"))
    return Deployment(started_at, ended_at, answer["from_color"], answer["to_color"])


def stop_served(home: Path) -> bool:
    """Ask the process that serves the stack of `home` to end it; return whether there was one."""
    facts = read_facts(home)
    if "door_port" not in facts or not lives(facts.get("owner")):
        return False
    try:
        _ask(facts, "stop")
    except OSError as failed:
        raise SizeupError(f"{home}: the stack did not stop ({failed}); end process {facts['owner']['pid']}.") from None
    return True


def deployment_facts(deployment: Deployment) -> Mapping[str, Any]:
    """Return a deployment in JSON's terms."""
    return {
        "started_at": rfc3339(deployment.started_at), "ended_at": rfc3339(deployment.ended_at),
        "from_color": deployment.from_color, "to_color": deployment.to_color,
    }  # fmt: skip


def _ask(facts: Mapping[str, Any], action: str) -> Any:
    return call_json(facts["door_port"], "POST", f"/{action}", {}, headers={_TOKEN: facts["door_token"]}, timeout_s=ANSWER_S)


def _handler(actions: Mapping[str, Action], token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            action = actions.get(self.path.strip("/"))
            if action is None or self.headers.get(_TOKEN) != token:
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
