"""A real server to load, in a process of its own, and Locust as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LOCUSTFILE = ROOT / "loadtests" / "locustfile.py"
HOSTS = {"frontend": "example.run", "api": "api.example.run"}


@dataclass(frozen=True)
class Served:
    """A running target; `lines` reads what it has logged so far."""

    url: str
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "path" in line]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start targets with settings of target.py as keywords; all end with the test."""
    running: list[subprocess.Popen[str]] = []

    def start(**settings: str) -> Served:
        log = tmp_path / f"target-{len(running)}.log"
        log.touch()
        process = subprocess.Popen(
            [sys.executable, str(HERE / "target.py")], env={**os.environ, "LOG": str(log), **settings}, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout is not None
        scheme = "https" if "TLS" in settings else "http"
        return Served(f"{scheme}://127.0.0.1:{int(process.stdout.readline())}", log)

    yield start
    for process in running:
        process.kill()
        process.communicate()


def run_plain_locust(
    *arguments: str, files: str = str(LOCUSTFILE), env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Locust without a plan, as on a command line, and wait for its end."""
    command = [sys.executable, "-m", "locust", "-f", files, "--headless", "--only-summary", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def plain_locust() -> Callable[..., subprocess.CompletedProcess[str]]:
    return run_plain_locust
