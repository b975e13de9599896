"""The whole job on the real stack: loaded, deployed, sized; without a network once it is built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from moco_client import sizeup

from evidence import Run, open_run
from staging import Stack

# A namespace of its own with nothing but loopback: whoever asks the network gets an error at once.
OFFLINE = ("unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "offline")


@dataclass(frozen=True)
class Demo:
    results: Path
    document: dict
    said: str

    @property
    def run(self) -> Run:
        return open_run(self.results / self.document["runs"][0])


def offline() -> tuple[str, ...]:
    """The words that take the network away, where they work; nobody but root may say them."""
    able = os.geteuid() == 0 and shutil.which("ip") and subprocess.run([*OFFLINE, "true"], capture_output=True).returncode == 0
    return OFFLINE if able else ()


@pytest.fixture(scope="module")
def demo(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A quick demo beside the stack that the session has; `stack` has built everything, so this one needs no network."""
    assert stack
    results = tmp_path_factory.mktemp("demo") / "runs"
    done = sizeup("demo", "--stack", "moco", "--quick", "--no-open", "--json", "--rates", "10,20,30", results=results, before=offline())
    assert done.returncode == 0, done.stderr
    return Demo(results, json.loads(done.stdout), done.stderr)


def test_both_classes_are_recommended_from_measured_evidence(demo: Demo):
    hosts = {host["class"]: host for host in demo.document["hosts"]}

    assert hosts.keys() == {"frontend", "api"}
    assert all(host["recommended"] for host in hosts.values())
    measured = {part["group"]: part["basis"] for host in hosts.values() for part in host["memory"]["parts"]}
    assert {measured[group] for group in ("jvm", "nginx", "node", "codedeploy-agent-standin")} == {"pss"}
    assert all(group["cpu_s"]["mid"] >= 0 for host in hosts.values() for group in host["demand"])


def test_the_same_scenarios_ran_and_none_failed(demo: Demo):
    requests = demo.run.requests

    assert requests["ok"].all()
    assert {"GET /boards", "GET /boards/[id]", "GET /boards/search"} <= set(requests["name"])
    assert demo.run.meta["counts"]["errors"] == 0


def test_two_jvms_are_seen_as_two_colours_that_overlap(demo: Demo):
    jvms = demo.run.processes.filter(pl.col("group") == "jvm")

    both = jvms.group_by("at").agg(colors=pl.col("color").n_unique()).filter(pl.col("colors") == 2)
    assert set(jvms["color"].unique()) == {"blue", "green"}
    assert both.height >= 2
    assert jvms["jvm_live_bytes"].drop_nulls().len() > 0


def test_the_report_says_how_long_they_overlapped_and_what_they_held(demo: Demo):
    report = (demo.run.path / "report.html").read_text(encoding="utf-8")

    assert "At the deployment two copies ran at once for" in report
    assert "MiB together" in report


def test_nothing_was_built_again(demo: Demo):
    assert "building" not in demo.said
