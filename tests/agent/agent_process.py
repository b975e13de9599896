"""Starts the agent as it runs on a host, and waits for what it writes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from collectors.agent_spool import SpoolRows, read_spool_rows
from evidence import SizeupError

AGENT = Path(__file__).parents[2] / "collectors" / "agent.py"


def start_agent(spool: Path, *options: str, python: str = sys.executable, **settings) -> subprocess.Popen[bytes]:
    words = [python, "-I", "-S", "-E", str(AGENT), "--spool", str(spool), *options]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, **settings)


def beats(spool: Path) -> int:
    try:
        return len(read_spool_rows(spool).hosts)
    except SizeupError:
        return 0


def wait_for_beats(spool: Path, count: int, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while beats(spool) < count:
        assert time.monotonic() < end, f"{beats(spool)} of {count} beats"
        time.sleep(0.02)


def record(spool: Path, seconds: float, *options: str) -> SpoolRows:
    """Let the agent run for so long; return what it saw."""
    process = start_agent(spool, "--seconds", str(seconds), *options)
    assert process.wait(seconds + 30) == 0
    return read_spool_rows(spool)
