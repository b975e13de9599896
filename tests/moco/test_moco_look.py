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
    """Against `jcmd PID GC.heap_info` after a collection, read at once: what is allocated from then on is alive to nobody yet."""
    for _ in range(200):
        client.ask("GET", "/boards?page=1")
    (jvm,) = [root.child for root in stack._service.trees()["api"] if root.group == "jvm"]
    settings = tmp_path / "sizeup.toml"
    settings.write_text(f'[class.api]\ngroups = [{{ name = "ours", match = "--server.port={jvm.facts["port"]}" }}]\n')
    jcmd(jvm.pid, "GC.run")
    told = re.search(r"used (\d+)K", jcmd(jvm.pid, "GC.heap_info"))
    assert told is not None

    looked = sizeup("look", "--seconds", "2", "--json", "--config", str(settings), results=tmp_path / "runs")

    assert looked.returncode == 0, looked.stderr
    (heap,) = [group["jvm"] for group in json.loads(looked.stdout)["memory"]["groups"] if group["group"] == "ours"]
    assert heap["live_bytes"] == pytest.approx(int(told[1]) * KIB, rel=0.05)
    assert heap["gc"] == "G1"


def jcmd(pid: int, what: str) -> str:
    return subprocess.run(["jcmd", str(pid), what], capture_output=True, text=True, check=True, timeout=60).stdout
