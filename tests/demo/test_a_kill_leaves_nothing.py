"""kill -9 of a demo at any moment: the folder reads, nothing of the stack is left after the next start, no port is stuck."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest
from finished import sizeup

from evidence import open_run

SEEDS = [int(seed) for seed in os.environ.get("SIZEUP_KILL_SEEDS", "1,2,3,4,5").split(",")]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_demo_is_crashed_and_readable_and_leaves_no_process(tmp_path, seed):
    """Fixed seeds choose the moment, from the stack's first breath to the last step."""
    results, moment_s = tmp_path / "runs", random.Random(seed).uniform(0.5, 32)
    command = [sys.executable, "-m", "sizeup", "demo", "--quick", "--no-open", "--rates", "5,10,15", "--results", str(results)]
    demo = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(moment_s)
    of_the_stack = {p.pid: p.create_time() for p in psutil.Process(demo.pid).children(recursive=True)}
    port = _port(tmp_path)
    demo.send_signal(signal.SIGKILL)
    demo.wait(10)

    for path in results.glob("*/run.json"):
        assert open_run(path.parent).status == "crashed"
    listed = sizeup("runs", "list", "--json", results=results)
    assert listed.returncode == 0, listed.stderr
    again = subprocess.Popen(
        [sys.executable, "-m", "sizeup", "demo", "--serve", "--results", str(results)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait(lambda: _port(tmp_path) not in (None, port), 30)
        left = [pid for pid, born in of_the_stack.items() if psutil.pid_exists(pid) and _born(pid) == born]
        assert left == []
    finally:
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=20)
    for path in results.glob("*/run.json"):
        assert json.loads(path.read_text())["status"] == "crashed"


def _port(folder):
    try:
        return json.loads((folder / "demo" / "stack.json").read_text()).get("alb_url")
    except (OSError, ValueError):
        return None


def _born(pid):
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def _wait(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the next stack did not come up"
        time.sleep(0.1)
