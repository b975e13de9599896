"""What a load gets beside its own measurement: CloudWatch, access log and agents, of its span, and what happens where they can't be had."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import collectors.install
from collectors import AwsSession, discover_topology, planned_metrics
from collectors.agent import __file__ as AGENT
from evidence import open_run
from evidence.alb_log import format_line, log_time
from sizeup import beside, collecting
from sizeup.runs import check_run
from staging.aws import MetricSeries, Trouble
from staging.embedded.account import Clients

REGION, ACCOUNT, BUCKET = "ap-northeast-2", "123456789012", "alb-logs-123456789012"
IAM = Path(__file__).resolve().parents[2] / "docs" / "iam"
CLASSES = {"frontend": "moco-frontend", "api": "moco-api"}
LOAD = ("load", "staging", "--rates", "10", "--step-time", "3s", "--scenario", "front", "-y", "--json")


class Page(BaseHTTPRequestHandler):
    """Answers, and keeps the trace id of what it answered."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.traces.append(self.headers["X-Amzn-Trace-Id"])
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def service() -> Iterator[ThreadingHTTPServer]:
    """What is loaded."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        server.daemon_threads = True
        server.traces = []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def stack(stand_in, service):
    """Settings, and every metric by the minute, told at once."""
    Path("sizeup.toml").write_text(
        f'[target.staging]\nurl = "http://127.0.0.1:{service.server_port}"\n'
        '[class.api]\ntarget_group = "moco-api"\n[class.frontend]\ntarget_group = "moco-frontend"\n'
        '[[scenario.frontend]]\nrequest = "GET /"\nname = "front"\n'
    )
    found = discover_topology(AwsSession(REGION, stand_in.url), "moco-staging", classes=CLASSES, as_of=datetime.now(UTC))
    now_s = int(time.time())
    at_s = np.arange((now_s - 900) // 60 * 60, now_s + 900, 60)
    stand_in.world.metrics = [
        MetricSeries(m.namespace, m.kind.name, dict(m.dimensions), at_s, np.full(len(at_s), 12.0), m.kind.unit, m.period_s)
        for m in planned_metrics(found)
    ]
    stand_in.world.clock = lambda: datetime.now(UTC) + timedelta(minutes=15)
    stand_in.calls.clear()
    yield found
    stand_in.world.clock = lambda: datetime.now(UTC)


@pytest.fixture
def log(stack, stand_in, service, monkeypatch):
    """Once the load is over, its log lies in the bucket: of each request that was answered, or of `share` of them."""
    told = {"share": 1.0}
    wait = beside._wait

    def write_log(*args):
        kept = service.traces[: round(len(service.traces) * told["share"])]
        put_log(Clients(stand_in.url, REGION), stack["load_balancer"]["name"], datetime.now(UTC), kept)
        wait(*args)

    monkeypatch.setattr(beside, "_wait", write_log)
    return told


def put_log(clients, name, at, traces):
    lines = [
        format_line({
            "type": "http", "time": log_time(at), "request_creation_time": log_time(at), "elb": name, "client": "203.0.113.7:4711",
            "target": "10.0.1.5:8080", "request_processing_time": "0.000", "target_processing_time": "0.020",
            "response_processing_time": "0.000", "elb_status_code": "200", "target_status_code": "200", "received_bytes": "1",
            "sent_bytes": "1", "request": "GET http://api.example.run:80/ HTTP/1.1", "matched_rule_priority": "10", "trace_id": trace,
            "target_group_arn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/moco-api/73e2d6bc24d8a067",
        })
        for trace in traces
    ]  # fmt: skip
    end = at + timedelta(minutes=5)
    file = f"{ACCOUNT}_elasticloadbalancing_{REGION}_{name.replace('/', '.')}_{end:%Y%m%dT%H%MZ}_10.0.0.9_{at:%H%M%S%f}.log.gz"
    key = f"AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/{end:%Y/%m/%d}/{file}"
    clients.other("s3").put_object(Bucket=BUCKET, Key=key, Body=gzip.compress("".join(f"{line}\n" for line in lines).encode()))


def test_a_load_on_an_account_holds_what_cloudwatch_and_the_log_say_of_its_span(sizeup, stack, stand_in, log):
    """Its price is said before anything is sent; every call is one that docs/iam/read.json allows."""
    code, out, err = sizeup(*LOAD)

    assert code == 0, err
    (path,) = Path("results/runs").iterdir()
    kept = open_run(path)
    lines = err.splitlines()
    said = next(n for n, line in enumerate(lines) if line.startswith("CloudWatch is read after it: ") and "billed metrics" in line)
    assert said < next(n for n, line in enumerate(lines) if "requests/s" in line)
    assert kept.status == "complete"
    assert set(kept.metrics["metric"]) >= {"RequestCount", "CPUUtilization", "TargetResponseTime"}
    spans = kept.metrics["at"].min(), kept.metrics["at"].max()
    started = datetime.fromisoformat(kept.meta["started_at"])
    assert started - timedelta(minutes=5) <= spans[0] <= spans[1] <= started + timedelta(minutes=7)
    assert kept.access_log.height == kept.requests.height > 0
    assert float(kept.meta["cost_usd"]) > 0
    assert [f for f in check_run(path) if f.level == "fault"] == []
    called = set(stand_in.calls) - {"s3:PutObject"}
    assert called <= {a for each in json.loads((IAM / "read.json").read_text())["Statement"] for a in each["Action"]}
    assert json.loads(out)["objectives"]
    assert sizeup("recommend", path.name, "--json")[0] == 0


def test_half_a_log_is_left_out(sizeup, stack, log):
    """A node writes every five minutes: with the last slice on its way, CPU would stand beside too few requests."""
    log["share"] = 0.5

    code, _, err = sizeup(*LOAD)

    (path,) = Path("results/runs").iterdir()
    kept = open_run(path)
    assert (code, kept.access_log.height) == (0, 0), err
    assert kept.metrics.height > 0
    assert f"of the load's {kept.requests.height} requests so far" in err


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        (Trouble(denied={"cloudwatch:GetMetricData"}), "AWS refused cloudwatch:GetMetricData"),
        (Trouble(unlisted={"cloudwatch:GetMetricData": "ExpiredToken"}), "the credentials have expired at cloudwatch:GetMetricData"),
    ],
    ids=["not allowed", "expired"],
)
def test_what_the_account_does_not_tell_is_a_warning_and_the_run_is_good(sizeup, stack, stand_in, trouble, word):
    """The answer and the exit code are the load's alone."""
    stand_in.world.trouble = trouble

    code, out, err = sizeup(*LOAD)

    (path,) = Path("results/runs").iterdir()
    told = next(line for line in err.splitlines() if line.startswith("warning: ") and word in line)
    assert (code, open_run(path).status) == (0, "complete"), err
    assert f"the run is whole without; sizeup collect staging --start {open_run(path).meta['started_at']}" in told
    assert json.loads(out)["counts"]["requests"] == open_run(path).requests.height > 0


def test_whoever_interrupts_the_wait_for_cloudwatch_has_a_whole_run(sizeup, stack, monkeypatch):
    """An account beside this machine is waited for; ^C meanwhile ends only that."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(AwsSession, "is_local", property(lambda _: False))
    monkeypatch.setattr(collecting, "wait_until_told", interrupted)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    code, _, err = sizeup(*LOAD)

    (path,) = Path("results/runs").iterdir()
    assert (code, open_run(path).status) == (0, "complete"), err
    assert "warning: Interrupted: the run is whole without what the account counted; sizeup collect staging --start" in err


def test_the_agent_at_a_classs_address_tells_its_beats_of_the_load(sizeup, stack, monkeypatch, tmp_path):
    """A real agent beside the load; only the way to it is shortened to a copy of its folder."""
    spool = tmp_path / "spool"
    text = Path("sizeup.toml").read_text().replace('target_group = "moco-api"\n', 'target_group = "moco-api"\naddress = "localhost"\n')
    Path("sizeup.toml").write_text(text)
    monkeypatch.setattr(collectors.install, "fetch_spool", lambda remote, into: len(shutil.copytree(spool, into, dirs_exist_ok=True).name))
    agent = subprocess.Popen([sys.executable, "-I", "-S", "-E", str(AGENT), "--spool", str(spool), "--seconds", "60", "--beat", "200ms"])
    try:
        code, _, err = sizeup(*LOAD)
    finally:
        agent.kill()
        agent.wait()

    (path,) = Path("results/runs").iterdir()
    kept = open_run(path)
    assert code == 0, err
    assert set(kept.hosts["class"]) == {"api"}
    assert kept.hosts.height >= 10
    assert kept.hosts["at"].min() >= datetime.fromisoformat(kept.meta["started_at"])
    assert "sizeup-agent" in set(kept.processes["group"])
    assert [clock["host"] for clock in kept.meta["clocks"]][1:] == ["localhost"]
    assert kept.metrics.filter(pl.col("metric") == "CPUUtilization").height > 0


def test_a_host_without_an_agent_is_a_warning(sizeup, stack, monkeypatch, tmp_path):
    text = Path("sizeup.toml").read_text().replace('target_group = "moco-api"\n', 'target_group = "moco-api"\naddress = "localhost"\n')
    Path("sizeup.toml").write_text(text)
    monkeypatch.setenv("HOME", str(tmp_path))

    code, _, err = sizeup(*LOAD)

    (path,) = Path("results/runs").iterdir()
    assert (code, open_run(path).status) == (0, "complete"), err
    assert "warning: localhost: " in err
    assert "the run is whole without its agent" in err
