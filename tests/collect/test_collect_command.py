"""`sizeup collect` as a person runs it, on an account in moto whose CloudWatch and whose troubles are the stand-in's."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_account import CLASSES, REGION, SETTINGS, build_account, made_series
from moto_process import moto_server

from collectors import AwsSession, discover_topology
from collectors.metric_plan import DAY_S
from collectors.sources.cloudwatch import ROOM_BYTES
from evidence import open_run
from sizeup.main import run
from sizeup.runs import check_run
from staging.aws import AwsWorld, MetricSeries, start_aws
from staging.aws.services.cloudwatch import billed_metrics

SAMPLE = Path(__file__).parents[2] / "results/sample"
METRIC_DATA = "cloudwatch:GetMetricData"


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    """The stand-in before moto, and the stack's topology."""
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as url:
        build_account(url)
        with start_aws(AwsWorld(), beyond=url) as stand_in:
            session = AwsSession(REGION, stand_in.url)
            yield stand_in, discover_topology(session, "shop", classes=CLASSES, as_of=datetime.now(UTC))


@pytest.fixture
def aws(account):
    """Fifteen days of every metric: requests by the minute, the rest each half hour."""
    stand_in, stack = account
    now_s = int(time.time())
    start_s = now_s - 15 * DAY_S
    counts = [series for series in made_series(stack, start_s, now_s) if series.name == "RequestCount"]
    rest = [series for series in made_series(stack, start_s, now_s, every_s=1800) if series.name != "RequestCount"]
    stand_in.world = AwsWorld(metrics=[*counts, *rest, agent_memory(stack["instances"][0]["id"], start_s, now_s)])
    stand_in.calls.clear()
    stand_in.answered.clear()
    return stand_in


def agent_memory(host, start_s, now_s):
    """What a CloudWatch agent publishes, under dimensions of its owner's choice."""
    at_s = np.arange(start_s // 3600 * 3600, now_s, 3600)
    dimensions = {"InstanceId": host, "AutoScalingGroupName": "shop"}
    return MetricSeries("CWAgent", "mem_used_percent", dimensions, at_s, np.full(len(at_s), 41.5), "Percent")


@pytest.fixture
def environ(aws, tmp_path, monkeypatch):
    """A folder with settings, the stand-in as AWS, nothing of the machine's account."""
    (tmp_path / "sizeup.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("AWS_", "SIZEUP_"))]:
        monkeypatch.delenv(name)
    own = {"AWS_ENDPOINT_URL": aws.url, "HOME": str(tmp_path), "SIZEUP_CACHE": str(tmp_path / "cache"), "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def sizeup(environ, capsys):
    def call(*args, expect=0, **more):
        for name, value in more.items():
            environ.setenv(name, value)
        code = run(list(args))
        said = capsys.readouterr()
        assert code == expect, said.err
        return said

    return call


def metric_calls(aws):
    return [asked.arguments for asked in aws.answered if asked.action == METRIC_DATA]


def test_what_is_said_before_is_what_is_read_and_recommend_and_checks_read_the_run(aws, sizeup, tmp_path):
    """CloudWatch pricing: metrics requested; the stand-in counts them as AWS does."""
    said = json.loads(sizeup("collect", "production", "--dry-run", "--json").out)
    assert not metric_calls(aws)
    assert not (tmp_path / "results").exists()

    done = sizeup("collect", "production", "--json")

    found = json.loads(done.out)
    kept = open_run(tmp_path / found["path"])
    plan = found["plan"]
    assert (found["schema"], found["status"], said["plan"]) == ("sizeup.collect/1", "complete", plan)
    assert (plan["billed_metrics"], plan["calls"]) == (
        sum(billed_metrics(call["MetricDataQueries"]) for call in metric_calls(aws)), len(metric_calls(aws)),
    )  # fmt: skip
    assert float(plan["usd"]) == pytest.approx(plan["billed_metrics"] * 0.01 / 1000)
    assert (found["read"]["billed_metrics"], found["read"]["calls"]) == (plan["billed_metrics"], plan["calls"])
    assert f"{plan['billed_metrics']} billed metrics in {plan['calls']} calls" in done.err
    assert kept.meta["cost_usd"] == plan["usd"]
    assert kept.metrics.height == found["collected"]["cloudwatch"]
    assert [f for f in check_run(kept.path) if f.level == "fault"] == []
    memory = kept.metrics.filter(pl.col("namespace") == "CWAgent")
    assert set(memory["statistic"]) == {"Average", "Maximum"}
    assert set(memory["value"]) == {41.5}
    assert json.loads(sizeup("recommend", found["id"], str(SAMPLE), "--json").out)["traffic"]["source"] == "history"


def test_the_last_minutes_are_waited_for_until_they_are_told(aws, sizeup, tmp_path):
    """Samples that come four minutes late: a span that ends now ends before them, and holds every minute."""
    aws.world.trouble.late_s = 240

    found = json.loads(sizeup("collect", "production", "--since", "1h", "--json").out)

    counts = open_run(tmp_path / found["path"]).metrics.filter(
        (pl.col("metric") == "RequestCount") & ~pl.col("dimensions").str.contains("TargetGroup")
    )
    end = datetime.fromisoformat(found["end"])
    assert counts.height == 60
    assert 300 <= (datetime.now(UTC) - end).total_seconds() < 700
    assert (end - counts["at"].max()).total_seconds() == 60


def test_killed_in_the_middle_it_goes_on_and_asks_for_nothing_twice(aws, sizeup, tmp_path):
    """kill -9 while the fourth call is on its way."""
    span = fixed_span()
    process = subprocess.Popen([sys.executable, "-m", "sizeup", "collect", "production", *span], stderr=subprocess.DEVNULL)
    while len(metric_calls(aws)) < 3:
        time.sleep(0.005)
        assert process.poll() is None
    aws.world.trouble.answers = len(aws.calls)
    while not (tmp_path / "results").exists() or len(aws.calls) <= aws.world.trouble.answers:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (torn,) = (tmp_path / "results/runs").iterdir()
    before = open_run(torn).metrics.height
    aws.world.trouble.answers = None
    walked = aws.calls.count("elasticloadbalancing:DescribeLoadBalancers")

    sizeup("runs", "list")
    done = sizeup("collect", "production", *span)

    whole = open_run(torn)
    assert [path.name for path in (tmp_path / "results/runs").iterdir()] == [torn.name]
    assert whole.status == "complete"
    assert 0 < before < whole.metrics.height == whole.metrics.n_unique()
    assert max(asked_for(aws).values()) == 1
    assert aws.calls.count("elasticloadbalancing:DescribeLoadBalancers") == walked
    assert "billed metrics" in done.out
    sizeup("collect", "production", *span)
    assert len(list((tmp_path / "results/runs").iterdir())) == 2


def fixed_span():
    """Fourteen days that a later call of the same names again."""
    start, end = (f"{datetime.fromtimestamp(time.time() - ago_s, UTC):%Y-%m-%dT%H:%M}" for ago_s in (14 * DAY_S, 600))
    return "--start", start, "--end", end


def asked_for(aws):
    return Counter(json.dumps(call, sort_keys=True) for call in metric_calls(aws))


@pytest.mark.parametrize("room_bytes", [150_000, 260_000])
def test_a_file_that_may_not_grow_is_a_sentence_and_the_next_call_goes_on(aws, sizeup, tmp_path, room_bytes):
    """A page's frame or a table is cut short at `room_bytes`: only the answer that found no room is asked for again."""
    command = ["collect", "production", *fixed_span()]

    full = subprocess.run(
        [sys.executable, "-m", "sizeup", *command], capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, room_bytes)),
    )  # fmt: skip

    (torn,) = (tmp_path / "results/runs").iterdir()
    assert full.returncode == 2, full.stderr
    assert "can't be written (" in full.stderr.splitlines()[-1]
    assert f"what was read is kept in {torn.name}, and the same call goes on" in full.stderr.splitlines()[-1]
    before = open_run(torn).metrics.height
    sizeup(*command)
    whole = open_run(torn)
    assert (whole.status, [path.name for path in torn.rglob("*.half")]) == ("complete", [])
    assert before < whole.metrics.height == whole.metrics.n_unique()
    assert sum(asked_for(aws).values()) - len(asked_for(aws)) <= 1


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="a file system of some MiB is mounted")
def test_a_disk_that_is_full_is_a_sentence_and_the_next_call_asks_for_nothing_twice(aws, sizeup, tmp_path):
    """Room is looked for before a call is made, so that no answer is billed in vain."""
    disk = tmp_path / "disk"
    disk.mkdir()
    room = ROOM_BYTES // 1024
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room + 500}k", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this container may not mount")
    command = ["--results", str(disk), "collect", "production", *fixed_span()]
    try:
        refused = sizeup(*command, expect=2)

        (torn,) = (path.parent for path in disk.glob("*/run.json"))
        assert f"{torn}: can't be written (No space left on device); free some space; what was read is kept" in refused.err.splitlines()[-1]
        assert open_run(torn).status == "stopped"
        assert 0 < len(metric_calls(aws)) < 8
        subprocess.run(["mount", "-o", f"remount,size={room + 20_000}k", str(disk)], check=True)
        sizeup(*command)
        assert open_run(torn).status == "complete"
        assert max(asked_for(aws).values()) == 1
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_credentials_that_expire_in_the_middle_are_a_sentence_and_the_next_call_goes_on(aws, sizeup, tmp_path):
    sizeup("collect", "production", "--dry-run")
    aws.world.trouble.expire_after = len(aws.calls) * 2 + 2

    refused = sizeup("collect", "production", "--since", "13d", expect=2)

    (torn,) = (tmp_path / "results/runs").iterdir()
    assert refused.err.strip().splitlines()[-1].startswith("sizeup: AWS: the credentials have expired at cloudwatch:GetMetricData")
    assert f"what was read is kept in {torn.name}, and the same call goes on" in refused.err
    assert open_run(torn).status == "stopped"
    assert open_run(torn).metrics.height > 0
    aws.world.trouble.expire_after = None
    sizeup("collect", "production", "--since", "13d")
    assert open_run(torn).status == "complete"
    assert max(asked_for(aws).values()) == 1


def test_an_action_that_is_not_allowed_is_named(aws, sizeup):
    aws.world.trouble.denied = {METRIC_DATA}

    refused = sizeup("collect", "production", "--since", "1h", expect=2)

    assert "AWS refused cloudwatch:GetMetricData to these credentials" in refused.err
    assert "Traceback" not in refused.err


def test_a_source_beside_cloudwatch_that_is_refused_is_a_warning_and_so_is_an_empty_span(aws, sizeup):
    """DescribeAlarmHistory is not allowed, and nobody published anything."""
    aws.world.trouble.denied, aws.world.metrics = {"cloudwatch:DescribeAlarmHistory", "cloudwatch:ListMetrics"}, []

    done = sizeup("collect", "production", "--since", "1h", "--json")

    found = json.loads(done.out)
    assert (found["status"], found["collected"]["cloudwatch"]) == ("complete", 0)
    assert {"metrics_empty", "topology_partial"} <= {warning["code"] for warning in found["warnings"]}
    assert "cloudwatch:DescribeAlarmHistory" in done.err


@pytest.mark.parametrize(
    ("args", "more", "sentence"),
    [
        (("stagin",), {}, "doesn't name it; it names production"),
        (("production", "--start", "2026-11-02", "--end", "2026-11-01"), {}, "spans no whole five minutes"),
        (("production", "--end", "2999-01-01"), {}, "lies in the future"),
        (("production", "--since", "14"), {}, "a span such as 6h, 14d or 8w"),
        (("production", "--since", "1d", "--start", "2026-11-01"), {}, "both say where to begin"),
        (("production",), {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "can't be reached for elasticloadbalancing:DescribeLoadBalancers"),
        (("production",), {"AWS_ENDPOINT_URL": ""}, "no usable credentials"),
    ],
)
def test_a_wrong_question_is_one_sentence_and_leaves_no_run(sizeup, tmp_path, args, more, sentence):
    """No network, no credentials, no such target, no such span."""
    refused = sizeup("collect", *args, expect=2, **more)

    assert sentence in refused.err.splitlines()[-1]
    assert not (tmp_path / "results").exists()
