"""`look` on the API's host against the JVM's own tool."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from moco_client import Client, sizeup

from staging import Stack

KIB = 1024


def test_look_reports_the_live_heap_within_5_per_cent_of_jcmd(stack: Stack, client: Client, tmp_path: Path):
    """Issue 5: against `jcmd PID GC.heap_info` after a collection; what was allocated since stands beside what lives in both."""
    for _ in range(200):
        client.ask("GET", "/boards?page=1")
    (jvm,) = [root.child for root in stack._service.trees()["api"] if root.group == "jvm"]
    jcmd(jvm.pid, "GC.run")

    looked = sizeup("look", "--seconds", "2", "--json", "--config", str(stack.home / "sizeup.toml"), results=tmp_path / "runs")

    assert looked.returncode == 0, looked.stderr
    groups = [group for group in json.loads(looked.stdout)["memory"]["groups"] if group["jvm"]]
    told = re.search(r"total (\d+)K, used (\d+)K", jcmd(jvm.pid, "GC.heap_info"))
    assert told is not None
    (group,) = [group for group in groups if abs(group["jvm"]["committed_bytes"] - int(told[1]) * KIB) < 2**20]
    assert group["jvm"]["live_bytes"] == pytest.approx(int(told[2]) * KIB, rel=0.05)
    assert group["jvm"]["used_bytes"] == pytest.approx(int(told[2]) * KIB, rel=0.05)
    assert group["jvm"]["gc"] == "G1"


def jcmd(pid: int, what: str) -> str:
    return subprocess.run(["jcmd", str(pid), what], capture_output=True, text=True, check=True, timeout=60).stdout
