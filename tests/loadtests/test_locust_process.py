"""Real Locust processes against a real server: the locustfile by itself, on a plan, stopped, and orphaned."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evidence import is_alive, open_run, parse_trace, process_mark, read_frames, start_run, trace_run
from loadtests import Step, start_locust, steps_plan, write_plan

HERE = Path(__file__).parent
HOSTS = {"frontend": "example.run", "api": "api.example.run"}
NAMED = ["--hosts", "frontend=example.run,api=api.example.run"]
TOKEN = "test-token-7f3a"
HEAVY = {"polars", "pyarrow", "boto3", "botocore", "scipy", "matplotlib"}

Serve = Callable[..., Any]
Locust = Callable[..., "subprocess.CompletedProcess[str]"]


def watched(folder: Path) -> dict[str, str]:
    """An environment in which each process says at its end which modules it holds."""
    return {"MODULES_DIR": str(folder), "PYTHONPATH": str(HERE / "site")}


def held_modules(folder: Path) -> list[set[str]]:
    return [set(json.loads(file.read_bytes())) for file in folder.glob("*.json")]


def everything_written(folder: Path) -> bytes:
    """All bytes of a run folder, spools unpacked."""
    frames = [repr(list(read_frames(file))).encode() for file in folder.rglob("*.spool") if file.is_file()]
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file()) + b"".join(frames)


def test_the_locustfile_loads_both_hosts_and_its_rows_are_those_of_the_server(tmp_path: Path, serve: Serve, plain_locust: Locust):
    """docs/reference/commands.md (locust -f …), 3 (requests) and 5 (trace): every row joins one logged request, and the other way round."""
    target, run = serve(), tmp_path / "20261124T030000Z-locust-plain"

    arguments = ["-u", "40", "-r", "40", "-t", "4s", "--host", target.url, *NAMED, "--sizeup-run", str(run)]
    done = plain_locust(*arguments, env=watched(tmp_path))
    rows, logged = open_run(run), target.requests()

    assert done.returncode == 0, done.stderr
    assert {line["host"] for line in logged} == set(HOSTS.values())
    assert rows.status == "complete"
    assert rows.requests["ok"].all()
    traces = {(t.run12, t.worker, t.seq): line for line in logged if (t := parse_trace(line["trace"]))}
    assert {(trace_run(run.name), worker, seq) for worker, seq in rows.requests.select("worker", "seq").rows()} == traces.keys()
    assert len(traces) == len(logged) == rows.meta["counts"]["requests"]
    by_seq = {key[2]: line for key, line in traces.items()}
    for row in rows.requests.iter_rows(named=True):
        assert row["response_us"] == row["lateness_us"] + row["wait_us"] + row["service_us"]
        assert 0 <= row["ttfb_us"] <= row["service_us"]
        assert (row["host"], row["request_bytes"]) == (by_seq[row["seq"]]["host"], by_seq[row["seq"]]["bytes"])
    assert TOKEN.encode() not in everything_written(run)
    assert b"demo-password" not in everything_written(run)
    assert [held & HEAVY for held in held_modules(tmp_path)] == [set()]


def test_without_hosts_the_host_header_is_that_of_the_url_and_nothing_is_recorded(tmp_path: Path, serve: Serve, plain_locust: Locust):
    """docs/reference/commands.md: without --hosts the Host is that of --host; without --sizeup-run nothing is recorded."""
    target = serve()

    done = plain_locust("-u", "20", "-r", "20", "-t", "5s", "--host", target.url)
    logged = target.requests()

    assert done.returncode == 0, done.stderr
    assert {line["host"] for line in logged} == {target.url.removeprefix("http://")}
    assert {line["trace"] for line in logged} == {None}
    assert done.stderr.count("no API answers") == 1


def test_a_target_without_a_login_is_loaded_with_what_needs_none(tmp_path: Path, serve: Serve, plain_locust: Locust):
    """The failed login is said once, and the scenarios that need its token are left out."""
    target = serve(NO_LOGIN="1")

    done = plain_locust("-u", "40", "-r", "40", "-t", "2s", "--host", target.url, *NAMED)
    logged = target.requests()

    assert done.stderr.count('no token "token"') == 1
    assert [line["path"] for line in logged if line["method"] != "GET"] == ["/auth/login"]
    assert {line["host"] for line in logged} == set(HOSTS.values())


def test_two_workers_share_a_plan_with_numbers_of_their_own(tmp_path: Path, serve: Serve):
    """Each worker offers half of every rate; seq is unique with worker (docs/reference/run-folder.md); no worker holds a heavy module."""
    target, run = serve(), tmp_path / "plan"
    start_run(run, "test", "steps", started_at())
    env = {**os.environ, **watched(tmp_path)}

    load = start_locust(run, url=target.url, hosts=HOSTS, steps=steps_plan([20, 40], 2), seed=3, workers=2, env=env)
    code = load.wait(60)
    rows = open_run(run)

    assert code == 0, load.log.read_text()
    assert rows.requests.select("worker", "seq").is_unique().all()
    assert set(rows.requests["worker"]) == {0, 1}
    phases = rows.events.filter(pl.col("kind") == "phase").sort("at")
    details = [json.loads(text) for text in phases["detail"]]
    assert phases["subject"].to_list() == ["1: 20/s", "1: 20/s", "2: 40/s", "2: 40/s"]
    assert [detail["offered_per_s"] for detail in details] == [10, 10, 20, 20]
    assert all(detail["started"] == detail["scheduled"] for detail in details)
    arrivals = rows.requests.filter(pl.col("scenario") != "on_start").height
    assert arrivals == sum(detail["started"] for detail in details)
    # Poisson with mean 120: outside of 4 standard deviations once in 16,000.
    assert 76 <= arrivals <= 164
    outcome = load.outcome()
    assert (outcome.workers, outcome.errors, outcome.requests) == (2, 0, rows.requests.height)
    assert [held & HEAVY for held in held_modules(tmp_path)] == [set()] * 3


def test_a_stopped_load_ends_at_once_and_keeps_what_was_under_way_as_aborted(tmp_path: Path, serve: Serve):
    """docs/reference/run-folder.md: error `aborted`, status 0; measured: Locust's master waits 0.5 s, so users drain within 0.3 s."""
    target, run = serve(), tmp_path / "stopped"
    start_run(run, "test", "steps", started_at())
    simple = [{"name": "hang", "host_class": "api", "request": "GET /odd/silent", "weight": 1}]
    load = start_locust(run, url=target.url, hosts=HOSTS, steps=[Step("only", 20, 60)], seed=0, simple=simple)
    until(lambda: len(target.requests()) >= 10)

    before = time.monotonic()
    load.stop()
    took_s = time.monotonic() - before
    rows = open_run(run)

    assert took_s < 3, load.log.read_text()
    assert rows.requests["error"].unique().to_list() == ["aborted"]
    assert rows.requests["status"].unique().to_list() == [0]
    assert rows.requests.height == len(target.requests())
    phase = json.loads(rows.events["detail"][0])
    assert phase["started"] == rows.requests.height
    assert phase["achieved_per_s"] == 0


def test_extra_cpu_is_burnt_in_the_generator_for_each_request(tmp_path: Path, serve: Serve):
    """--generator-cpu of the demo: 20 requests a second of 20 ms more are 0.4 of a core more."""
    target, run = serve(), tmp_path / "burnt"
    start_run(run, "test", "steps", started_at())

    load = start_locust(run, url=target.url, hosts=HOSTS, steps=steps_plan([20], 3), seed=1, extra_cpu_s=0.02)
    load.wait(60)

    assert load.outcome().cpu_ratio_max > 0.25


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
def test_a_load_whose_launcher_is_killed_dies_with_it_and_its_rows_are_read(tmp_path: Path, serve: Serve):
    """docs/design.md: a kill at any instant loses at most the last second, never the readability of the rest."""
    target, run = serve(), tmp_path / "orphan"
    start_run(run, "test", "steps", started_at())
    script = (
        "import sys, time; from pathlib import Path; from loadtests import Step, start_locust\n"
        f"load = start_locust(Path({str(run)!r}), url={target.url!r}, hosts={HOSTS!r}, steps=[Step('only', 20, 60)], seed=0)\n"
        "print(load.pid, flush=True); time.sleep(60)"
    )
    launcher = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    mark = process_mark(int(launcher.stdout.readline()))
    until(lambda: (run / ".spool" / "requests-0.spool").exists() and (run / ".spool" / "requests-0.spool").stat().st_size > 0)

    launcher.send_signal(signal.SIGKILL)
    launcher.communicate()
    until(lambda: not is_alive(mark))

    assert open_run(run).requests.height > 0


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--host", "example.run"], "no host to load"),
    (["--hosts", "app=example.run"], '--hosts: "app" is no class'),
    (["--sizeup-scenario", "jurney"], 'no scenario is called "jurney"'),
    (["--sizeup-plan", "/nowhere/plan.json"], "the plan can't be read"),
])  # fmt: skip
def test_a_wrong_argument_is_one_sentence_and_sends_nothing(serve: Serve, plain_locust: Locust, arguments: list[str], sentence: str):
    """docs/reference/commands.md: exit 2 where the question was wrong, no traceback."""
    target = serve()

    done = plain_locust("-t", "2s", "--host", target.url, *arguments)

    assert (done.returncode, target.requests()) == (2, [])
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_load_that_cannot_start_says_why_in_its_outcome(tmp_path: Path):
    """The generator's last word is quoted, with the log that has the rest."""
    run = tmp_path / "never"
    start_run(run, "test", "steps", started_at())
    load = start_locust(run, url="http://127.0.0.1:1", hosts={"app": "x"}, steps=steps_plan([1], 1), seed=0)
    load.wait(30)

    with pytest.raises(Exception, match=r"ended early \(exit 2, --hosts"):
        load.outcome()


def test_a_plan_file_holds_no_secret(tmp_path: Path):
    """docs/design.md: a login's body goes to the child by its environment, and the plan names the variable alone."""
    from loadtests.settings import Auth, plan_auth

    auth = {"token": Auth.model_validate({"login": {"request": "POST /login", "json": {"password": "hush"}}})}

    sources, secrets = plan_auth(auth)
    write_plan(tmp_path / "plan.json", steps_plan([1], 1), 0, auth=sources)

    assert "hush" not in (tmp_path / "plan.json").read_text()
    assert json.loads(secrets[sources["token"]["json_env"]]) == {"password": "hush"}


def started_at() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
