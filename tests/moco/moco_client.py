"""What the real stack's tests ask with, and how they watch processes."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

API, WEB = "api.example.run", "example.run"
ACCOUNT = {"email": "demo@example.run", "password": "demo-password"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Asks a stack through its load balancer."""

    url: str

    def ask(self, method: str, path: str, host: str = API, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, data, {"Host": host, "Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        answer = Answer(response.status, response.read())
        connection.close()
        return answer

    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.ask('POST', '/auth/login', body=ACCOUNT).json()['accessToken']}"}


def sizeup(*arguments: str, results: Path, timeout: float = 300, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    command = [*before, sys.executable, "-m", "sizeup", *arguments, "--results", str(results)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment)


def until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it didn't come to that in time"
        time.sleep(0.1)


def family(pid: int) -> dict[int, float]:
    """A process's descendants: pid to when it was born."""
    try:
        return {child.pid: child.create_time() for child in psutil.Process(pid).children(recursive=True)}
    except psutil.NoSuchProcess:
        return {}


def alive(pid: int, born: float) -> bool:
    try:
        process = psutil.Process(pid)
        return process.create_time() == born and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
