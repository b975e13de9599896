"""Systems Manager as far as the agent needs it: SendCommand runs the script here, GetCommandInvocation says how it went.

As documented (Systems Manager API reference): an invocation isn't there at once, and its output is cut at 24,000 characters.
"""

from __future__ import annotations

import json
import subprocess
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST_OUTPUT, LONGEST_ERRORS = 24_000, 8_000


class SsmStandIn:
    """One instance, whose scripts run with `environ`; serves on `url` until `close`."""

    def __init__(self, instance: str, environ: dict[str, str]) -> None:
        self.instance, self.environ = instance, environ
        self.invocations: dict[str, dict[str, Any]] = {}
        self.asked: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def send_command(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["DocumentName"] == "AWS-RunShellScript"
        if asked["InstanceIds"] != [self.instance]:
            raise LookupError("InvalidInstanceId")
        command = str(uuid.uuid4())
        script = "\n".join(asked["Parameters"]["commands"])
        done = subprocess.run(["sh", "-s"], input=script, env=self.environ, capture_output=True, text=True, timeout=60, check=False)
        self.invocations[command] = {
            "CommandId": command, "InstanceId": self.instance, "Status": "Failed" if done.returncode else "Success",
            "StandardOutputContent": done.stdout[:LONGEST_OUTPUT], "StandardErrorContent": done.stderr[:LONGEST_ERRORS],
        }  # fmt: skip
        return {"Command": {"CommandId": command}}

    def get_command_invocation(self, asked: dict[str, Any]) -> dict[str, Any]:
        command = asked["CommandId"]
        if command not in self.asked:
            self.asked.add(command)
            raise LookupError("InvocationDoesNotExist")
        return self.invocations[command]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(stand_in: SsmStandIn) -> type[BaseHTTPRequestHandler]:
    actions = {"SendCommand": stand_in.send_command, "GetCommandInvocation": stand_in.get_command_invocation}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, answer = 200, actions[self.headers["X-Amz-Target"].partition(".")[2]](asked)
            except LookupError as wrong:
                status, answer = 400, {"__type": str(wrong.args[0]), "message": ""}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
