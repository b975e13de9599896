"""The account from its settings file to an answer, and every call on the way: what `init` writes is enough for the rest."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collectors import AwsSession, discover_topology, planned_metrics
from collectors.registry import Asked
from collectors.sources.events import gather_events
from evidence import create_run, open_run
from evidence.alb_log import format_line, log_time
from staging.aws import MetricSeries
from staging.embedded.account import Clients

REGION, ACCOUNT, BUCKET = "ap-northeast-2", "123456789012", "alb-logs-123456789012"
IAM = Path(__file__).resolve().parents[2] / "docs" / "iam"
CLASSES = {"frontend": "moco-frontend", "api": "moco-api"}
HOUR_S = 3600


@pytest.fixture
def traffic(account, stand_in) -> dict[str, Any]:
    """Two hours of every metric, an alarm that went off, the deployment's target, and a file of the access log."""
    stack = discover_topology(AwsSession(REGION, stand_in.url), "moco-staging", classes=CLASSES, as_of=datetime.now(UTC))
    now_s = int(time.time())
    stand_in.world.metrics = [_series(metric, now_s) for metric in planned_metrics(stack)]
    hour_ago = datetime.fromtimestamp(now_s - HOUR_S, UTC)
    clients = Clients(stand_in.url, REGION)
    clients.cloudwatch.put_metric_alarm(
        AlarmName="cpu", MetricName="CPUUtilization", Namespace="AWS/EC2", Statistic="Average", Period=300, EvaluationPeriods=1,
        Threshold=80, ComparisonOperator="GreaterThanThreshold", Dimensions=[{"Name": "InstanceId", "Value": account.instances["api"]}],
    )  # fmt: skip
    told = {"oldState": {"stateValue": "OK"}, "newState": {"stateValue": "ALARM", "stateReason": "over 80"}}
    target = {"deploymentId": stack["deployments"][0]["id"], "targetId": account.instances["api"], "lifecycleEvents": []}
    stand_in.world.lists |= {
        "DescribeAlarmHistory": [{
            "AlarmName": "cpu", "Timestamp": hour_ago.isoformat(), "HistoryItemType": "StateUpdate", "HistoryData": json.dumps(told),
        }],
        "BatchGetDeploymentTargets": [{"instanceTarget": target}],
    }  # fmt: skip
    _put_log(clients, stack["load_balancer"]["name"], hour_ago)
    stand_in.calls.clear()
    return stack


def _series(metric: Any, now_s: int) -> MetricSeries:
    """One rhythm for all: what is asked for and what it costs rise and fall together; 600 requests a minute at 12 % CPU."""
    at_s, kind = np.arange(now_s - 2 * HOUR_S, now_s, 60) // 60 * 60, metric.kind
    level = {"RequestCount": 600.0, "TargetResponseTime": 0.02}.get(kind.name, 12.0)
    values = np.round(level * (1 + 0.5 * np.cos(at_s / 900)), 3)
    return MetricSeries(metric.namespace, kind.name, dict(metric.dimensions), at_s, values, kind.unit, metric.period_s)


def _put_log(clients: Clients, name: str, at: datetime) -> None:
    line = format_line({
        "type": "http", "time": log_time(at), "request_creation_time": log_time(at), "elb": name, "client": "203.0.113.7:4711",
        "target": "10.0.1.5:8080", "request_processing_time": "0.000", "target_processing_time": "0.020",
        "response_processing_time": "0.000", "elb_status_code": "200", "target_status_code": "200", "received_bytes": "1",
        "sent_bytes": "1", "request": "GET http://api.example.run:80/boards HTTP/1.1", "matched_rule_priority": "10",
        "target_group_arn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/moco-api/73e2d6bc24d8a067",
    })  # fmt: skip
    end = at + timedelta(minutes=5)
    file = f"{ACCOUNT}_elasticloadbalancing_{REGION}_{name.replace('/', '.')}_{end:%Y%m%dT%H%MZ}_10.0.0.9_abc.log.gz"
    key = f"AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/{end:%Y/%m/%d}/{file}"
    clients.other("s3").put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(f"{line}\n".encode()))


def test_from_init_to_an_answer_nothing_has_to_be_edited(sizeup, traffic):
    """`init`, `load --dry-run`, `collect`, `recommend`: what only a person knows is marked, and has a default."""
    codes = [sizeup("init")[0], sizeup("load", "staging", "--dry-run")[0], sizeup("collect", "staging", "--since", "90m")[0]]

    (run,) = Path("results/runs").iterdir()
    code, out, err = sizeup("recommend", run.name, "--json")

    assert out, err
    collected = open_run(run)
    hosts = {host["class"]: host["present"] and host["present"]["type"] for host in json.loads(out)["hosts"]}
    assert (codes, code) == ([0, 0, 0], 0)
    assert hosts == {"api": "t3.small", "frontend": "t2.micro"}
    assert (collected.metrics.height > 100, collected.access_log.height) == (True, 1)
    assert set(collected.events["kind"]) >= {"alarm"}


def test_all_commands_together_ask_for_what_the_policy_allows_and_for_nothing_else(sizeup, stand_in, traffic, tmp_path: Path):
    """Recorded at the endpoint. The doctor, which asks for each action by itself, is left out; what CodeDeploy did a moment
    ago lies after any span that can be collected, so it is gathered by hand."""
    sizeup("init")
    sizeup("load", "staging", "--dry-run")
    sizeup("collect", "staging", "--since", "90m")
    sizeup("prices", "refresh")
    folder = create_run(tmp_path, "staging", "events", datetime.now(UTC))
    now = datetime.now(UTC)
    gather_events(Asked(AwsSession(REGION, stand_in.url), traffic, now - timedelta(hours=1), now, folder.path, lambda _: None))

    allowed = {action for each in json.loads((IAM / "read.json").read_text())["Statement"] for action in each["Action"]}
    assert set(stand_in.calls) == allowed
