"""Deployments with their lifecycle, and alarms, as events: CodeDeploy and CloudWatch of moto, behind what the stand-in knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto_account import REGION, client

from collectors import AwsSession, SideCalls, collect_events, collectors
from collectors.sources.events import spells
from evidence import micros
from staging.aws import AwsStandIn, AwsWorld, Trouble, start_aws

START = datetime.now(UTC) - timedelta(hours=1)
END = START + timedelta(hours=2)
BALANCER, GROUP = "app/moco/50dc6c495c0c9188", "targetgroup/moco-api/73e2d6bc24d8a067"
TOPOLOGY: dict[str, Any] = {
    "load_balancer": {"name": BALANCER}, "instances": [{"id": "i-api"}], "rds": [{"id": "moco"}],
    "target_groups": [{"name": "moco-api", "class": "api", "dimension": GROUP}],
}  # fmt: skip
STEPS = ("BeforeBlockTraffic", "ApplicationStop", "BeforeInstall", "Install", "ApplicationStart", "ValidateService", "AllowTraffic")


@pytest.fixture(scope="module")
def account(moto_url: str) -> Iterator[tuple[AwsStandIn, str]]:
    """An application with one deployment to 30 instances, and alarms that watch the stack and something else."""
    deploy, group = client(moto_url, "codedeploy"), {"applicationName": "moco-events", "deploymentGroupName": "blue-green"}
    deploy.create_application(applicationName="moco-events", computePlatform="Server")
    told = {"targetGroupInfoList": [{"name": "moco-api"}]}
    deploy.create_deployment_group(**group, serviceRoleArn="arn:aws:iam::123456789012:role/x", loadBalancerInfo=told)
    bundle = {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "bundleType": "zip"}}
    deployment = deploy.create_deployment(**group, revision=bundle)["deploymentId"]
    for name, dimension, value in (("cpu", "InstanceId", "i-api"), ("latency", "TargetGroup", GROUP), ("elsewhere", "InstanceId", "i-0")):
        client(moto_url, "cloudwatch").put_metric_alarm(
            AlarmName=name, MetricName="m", Namespace="n", Statistic="Average", Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold", Dimensions=[{"Name": dimension, "Value": value}],
        )  # fmt: skip
    with start_aws(AwsWorld(), beyond=moto_url) as stand_in:
        yield stand_in, deployment


@pytest.fixture
def aws(account) -> AwsSession:
    stand_in, deployment = account
    stand_in.world = AwsWorld(page_size=10)
    stand_in.world.lists = {
        "BatchGetDeploymentTargets": [_target(deployment, n) for n in range(30)],
        "DescribeAlarmHistory": [
            _change("cpu", 10, "OK", "ALARM"), _change("cpu", 25, "ALARM", "OK"), _change("cpu", 90, "OK", "ALARM"),
            _change("elsewhere", 12, "OK", "ALARM"), _change("latency", -30, "OK", "ALARM"),
        ],
    }  # fmt: skip
    return AwsSession(REGION, stand_in.url)


def _target(deployment: str, n: int) -> dict[str, Any]:
    start = START.timestamp() + n
    steps = [{"lifecycleEventName": name, "status": "Succeeded", "startTime": start, "endTime": start + 5} for name in STEPS]
    return {
        "deploymentTargetType": "InstanceTarget",
        "instanceTarget": {"deploymentId": deployment, "targetId": f"i-{n:02}", "status": "Succeeded", "lifecycleEvents": steps},
    }


def _change(name: str, minute: int, old: str, new: str) -> dict[str, Any]:
    data = {"oldState": {"stateValue": old}, "newState": {"stateValue": new, "stateReason": "Threshold crossed"}}
    told = {"AlarmType": "MetricAlarm", "HistoryItemType": "StateUpdate", "HistoryData": json.dumps(data)}
    return {"AlarmName": name, "Timestamp": (START + timedelta(minutes=minute)).isoformat()} | told


def events(aws: AwsSession, kind: str) -> list[tuple[Any, ...]]:
    return [row for row in collect_events(SideCalls(aws), TOPOLOGY, START, END) if row[2] == kind]


def test_a_deployment_is_told_with_each_step_of_each_target(aws, account):
    """As made; 30 targets are more than a page, and more than one call may ask for."""
    (deploy,) = [row for row in events(aws, "deploy") if account[1] in row[4]]

    detail = json.loads(deploy[4])
    assert (deploy[3], detail["application"], detail["id"]) == ("api", "moco-events", account[1])
    assert [step["event"] for step in detail["lifecycle"] if step["target"] == "i-07"] == list(STEPS)
    assert len(detail["lifecycle"]) == 30 * len(STEPS)
    assert detail["lifecycle"][0]["started_at"].endswith("Z")


def test_an_alarm_of_the_stack_is_told_from_its_start_to_its_end(aws):
    """One that went off and was well again, once more and still is; neither another stack's nor one before the span."""
    rows = events(aws, "alarm")

    at = [micros(START + timedelta(minutes=minute)) for minute in (10, 25, 90)]
    assert [row[:4] for row in rows] == [(at[0], at[1], "alarm", "cpu"), (at[2], None, "alarm", "cpu")]
    assert json.loads(rows[0][4]) == {"from": "OK", "to": "ALARM", "reason": "Threshold crossed"}


def test_it_asks_for_exactly_the_actions_that_it_names(aws):
    collect_events(SideCalls(aws), TOPOLOGY, START, END)

    assert aws.calls == set(collectors()["events"].calls)


def test_what_may_not_be_seen_is_none_and_a_warning(aws, account):
    """Alarms are refused: deployments are told all the same."""
    account[0].world.trouble = Trouble(denied={"cloudwatch:DescribeAlarmHistory"})
    side = SideCalls(aws, "events_partial")

    rows = collect_events(side, TOPOLOGY, START, END)

    assert {row[2] for row in rows} == {"deploy"}
    assert [(w.code, "cloudwatch:DescribeAlarmHistory" in w.message) for w in side.warnings] == [("events_partial", True)]


def test_changes_told_twice_or_out_of_order_count_once():
    """CloudWatch's own order isn't relied on."""
    first, last = START, START + timedelta(minutes=5)
    changes = [_change("a", 5, "ALARM", "OK"), _change("a", 0, "OK", "ALARM"), _change("a", 0, "OK", "ALARM")]

    rows = spells([change | {"Timestamp": datetime.fromisoformat(change["Timestamp"])} for change in changes])

    assert [row[:2] for row in rows] == [(micros(first), micros(last))]
