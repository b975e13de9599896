"""The command line as a user starts it, and what a finished demo left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from evidence import Run, open_run

TIMEOUT_S = 240
SEVEN = "t2.micro,t2.small,t3.micro,t3.small,t3.medium,t4g.micro,t4g.small"


def sizeup(*arguments: str, results: Path, timeout: float = TIMEOUT_S, **options) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does; never raises on its exit code."""
    command = [sys.executable, "-m", "sizeup", *arguments, "--results", str(results)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, **options)


@dataclass(frozen=True)
class Demo:
    """A finished demo: where its runs lie, its document, and what it said."""

    results: Path
    document: dict
    said: str

    @property
    def run(self) -> Run:
        return open_run(self.results / self.document["runs"][0])

    def recommend(self, *arguments: str) -> dict:
        done = sizeup("recommend", "--json", *arguments, results=self.results)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
