"""The stack alone, served: plain Locust, sizeup load and a deployment from another terminal, as a user would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from finished import sizeup

from evidence import open_run


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """`sizeup demo --serve` in a process of its own; yields its results folder and stack.json."""
    results = tmp_path_factory.mktemp("served") / "runs"
    command = [sys.executable, "-m", "sizeup", "demo", "--serve", "--results", str(results)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    stack = results.parent / "demo" / "stack.json"
    end = time.monotonic() + 40
    facts: dict = {}
    while "alb_url" not in facts:
        assert process.poll() is None, "the stack ended"
        assert time.monotonic() < end, "the stack did not come up"
        time.sleep(0.1)
        if stack.exists():
            facts = json.loads(stack.read_text())
    yield results, facts
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)


def locust(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py", "--headless", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2])


def lines_by_group(log: Path, start: int) -> dict[str, int]:
    text = log.read_text()[start:]
    return {group: text.count(f"targetgroup/{group}/") for group in ("moco-api", "moco-frontend")}


def test_stack_json_says_what_the_contract_promises(served):
    """docs/reference/commands.md: alb_url, hosts, aws_endpoint_url, access_log, pids."""
    _, facts = served

    assert set(facts["hosts"]) == {"frontend", "api"}
    assert facts["alb_url"].startswith("http://127.0.0.1:")
    assert facts["aws_endpoint_url"].startswith("http://127.0.0.1:")
    assert Path(facts["access_log"]).exists()
    assert facts["pids"]["api"]


def test_plain_locust_loads_both_target_groups_and_none_fails(served):
    _, facts = served
    log = Path(facts["access_log"])
    start = log.stat().st_size

    done = locust("-u", "5", "-t", "10s", "--host", facts["alb_url"], "--hosts", "frontend=example.run,api=api.example.run")

    assert done.returncode == 0, done.stderr
    assert " 0(0.00%)" in done.stderr + done.stdout
    groups = lines_by_group(log, start)
    assert groups["moco-api"] > 5
    assert groups["moco-frontend"] > 5


def test_without_hosts_the_host_is_that_of_the_address(served):
    """No Host of the rules is sent, so the default rule answers: the frontend."""
    _, facts = served
    log = Path(facts["access_log"])
    start = log.stat().st_size

    done = locust("-u", "3", "-t", "5s", "--host", facts["alb_url"])

    # The frontend's own calls of the API are lines too, but none of the generator's goes there.
    text = log.read_text()[start:]
    assert done.returncode == 0, done.stderr
    assert f'"GET {facts["alb_url"]}' in text
    assert "targetgroup/moco-frontend/" in text


def test_load_measures_the_served_stack_and_keeps_its_log(served):
    results, _ = served
    config = results.parent / "demo" / "sizeup.toml"

    done = sizeup("load", "staging", "--rates", "8,16", "--step-time", "6s", "-y", "--json", "-c", str(config), results=results)

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    run = open_run(results / document["runs"][0])
    assert run.status == "complete"
    assert set(run.hosts["class"]) == {"frontend", "api"}
    assert run.access_log.filter(pl.col("trace_run") == run.meta["trace_run"]).height == run.requests.filter(pl.col("status") > 0).height
    assert [o["ok"] for o in document["objectives"]] == [True, True]


def test_a_deployment_from_another_terminal(served):
    results, _ = served

    done = sizeup("demo", "--deploy", results=results)

    assert done.returncode == 0, done.stderr
    assert "blue → green" in done.stdout


def test_a_second_stack_in_the_same_place_is_refused(served):
    results, _ = served

    done = sizeup("demo", "--quick", "--no-open", results=results)

    assert done.returncode == 2
    assert "--stop" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_sends_nothing(served):
    results, facts = served
    log = Path(facts["access_log"])
    start = log.stat().st_size
    config = results.parent / "demo" / "sizeup.toml"

    done = sizeup("load", "staging", "--dry-run", "-c", str(config), results=results)

    assert done.returncode == 0, done.stderr
    assert log.stat().st_size == start


def test_zz_stop_ends_it(served):
    """Last in this file: the stack is gone after it."""
    results, facts = served

    done = sizeup("demo", "--stop", results=results)

    assert done.returncode == 0, done.stderr
    assert not (results.parent / "demo" / "stack.json").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(facts["pids"]["proxy"], 0)
