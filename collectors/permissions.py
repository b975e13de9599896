"""Which actions of AWS the program asks for, whether the credentials may ask for them, and the policies that allow them.

A policy is judged before an operation looks at its arguments, so each action is asked for with the least that it takes: EC2's
as a dry run, the others for one item, or for one that doesn't exist. Whatever else but a refusal comes back, the action is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.aws import SIDE_ATTEMPTS, AwsError, AwsSession
from collectors.registry import collectors
from collectors.transport import all_transports

GLOBAL_REGION = "us-east-1"
"""Where the Price List, the savings plans and the free tier answer. Source: AWS General Reference, endpoints of these services."""
OTHER_READS = (
    "ec2:DescribeInstanceTypes", "ec2:DescribeReservedInstancesOfferings", "freetier:GetAccountPlanState", "pricing:GetProducts",
    "savingsplans:DescribeSavingsPlansOfferingRates",
)  # fmt: skip
"""What `sizeup prices refresh` and `sizeup stack` ask for beside the collectors."""
BUCKET = "YOUR-ACCESS-LOG-BUCKET"
AGENT_BUCKET = "YOUR-BUCKET"
AGENT_TAG = ("sizeup", "agent")
"""The tag that an instance wears for commands to be sent to it."""
NEEDLESS_ARN = "arn:aws:elasticloadbalancing:{region}:000000000000:{kind}/app/none/0000000000000000"
_GLOBAL = ("freetier", "pricing", "savingsplans")
_CLIENT = {"elasticloadbalancing": "elbv2"}


@dataclass(frozen=True, slots=True)
class Probed:
    """Whether an action is allowed; `ok` is None where it couldn't be told, and `why` says why or what AWS said."""

    action: str
    ok: bool | None
    why: str | None = None

    def as_json(self, bucket: str | None = None) -> dict[str, Any]:
        lacking = statement([self.action], bucket or BUCKET) if self.ok is False else None
        return {"action": self.action, "ok": self.ok, "why": self.why, "statement": lacking}


def read_actions() -> list[str]:
    """Return every action that the program reads with, as a policy names them."""
    return sorted({action for collector in collectors().values() for action in collector.calls} | set(OTHER_READS))


def agent_actions() -> list[str]:
    """Return every action that putting the host agent on an instance takes."""
    return sorted({action for transport in all_transports().values() for action in transport.calls})


def probe(aws: AwsSession, logs: Mapping[str, str] | None = None) -> Iterator[Probed]:
    """Ask for each action that the program reads with; `logs` is where the load balancer's log goes, as topology.json has it.

    Raises
    ------
    AwsError
        Where the credentials themselves are not accepted.
    """
    elsewhere = aws if aws.region == GLOBAL_REGION else AwsSession(GLOBAL_REGION, aws.endpoint_url, aws.profile)
    for action in read_actions():
        if action.startswith("s3:"):
            yield _probe_log(aws, action, logs)
        else:
            service, _, name = action.partition(":")
            session = elsewhere if service in _GLOBAL else aws
            yield _ask(session, action, _CLIENT.get(service, service), name, _least(action, aws.region))


def statement(actions: Sequence[str], bucket: str = BUCKET) -> dict[str, Any]:
    """Return the policy statement that allows actions of one kind: S3's on the log's bucket, all others on anything.

    None of the others knows resources, or they are asked for before a resource is known.
    """
    resources = {"s3:ListBucket": f"arn:aws:s3:::{bucket}", "s3:GetObject": f"arn:aws:s3:::{bucket}/*"}
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources.get(actions[0], "*")}


def read_policy() -> dict[str, Any]:
    """Return the policy of docs/iam/read.json."""
    account = [action for action in read_actions() if not action.startswith("s3:")]
    return _policy([
        {"Sid": "SizeupReads", **statement(account)}, {"Sid": "SizeupListsTheAccessLog", **statement(["s3:ListBucket"])},
        {"Sid": "SizeupReadsTheAccessLog", **statement(["s3:GetObject"])},
    ])  # fmt: skip


def agent_policy() -> dict[str, Any]:
    """Return the policy of docs/iam/agent.json. A command is root's on the instance: one document alone, and instances with the tag.

    Source: Systems Manager user guide, "Restricting Run Command access based on tags".
    """
    key, value = AGENT_TAG
    told = {"Condition": {"StringEquals": {f"ssm:resourceTag/{key}": value}}}
    moved = [action for action in agent_actions() if action.startswith("s3:")]
    asked = [action for action in agent_actions() if action.startswith("ssm:") and action != "ssm:SendCommand"]
    document, instances = "arn:aws:ssm:*::document/AWS-RunShellScript", "arn:aws:ec2:*:*:instance/*"
    return _policy([
        {"Sid": "SizeupSendsOneDocument", "Effect": "Allow", "Action": ["ssm:SendCommand"], "Resource": document},
        {"Sid": "SizeupSendsToTaggedInstances", "Effect": "Allow", "Action": ["ssm:SendCommand"], "Resource": instances, **told},
        {"Sid": "SizeupAsksHowItWent", "Effect": "Allow", "Action": asked, "Resource": "*"},
        {"Sid": "SizeupMovesSpools", "Effect": "Allow", "Action": moved, "Resource": f"arn:aws:s3:::{AGENT_BUCKET}/sizeup/*"},
    ])  # fmt: skip


def _policy(statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [dict(each) for each in statements]}


def _ask(aws: AwsSession, action: str, service: str, name: str, arguments: Mapping[str, Any]) -> Probed:
    from botocore import xform_name

    try:
        aws.call(service, xform_name(name), attempts=SIDE_ATTEMPTS, **arguments)
    except AwsError as refused:
        if refused.ends_all:
            raise
        if refused.kind == "denied":
            return Probed(action, False, str(refused))
        if refused.kind in ("throttled", "unreachable", "absent") or refused.broken:
            return Probed(action, None, str(refused))
    return Probed(action, True)


def _probe_log(aws: AwsSession, action: str, logs: Mapping[str, str] | None) -> Probed:
    """Ask for the log's bucket; an object that doesn't exist is told from one that may not be read only by who may list."""
    if not logs:
        return Probed(action, None, "the load balancer writes no access log, so nobody knows a bucket to ask for")
    bucket = {"Bucket": logs["bucket"]}
    listed = _ask(aws, "s3:ListBucket", "s3", "ListObjectsV2", bucket | {"MaxKeys": 1, "Prefix": logs["prefix"]})
    if action == "s3:ListBucket":
        return listed
    if not listed.ok:
        return Probed(action, None, "can't be told before s3:ListBucket is allowed")
    return _ask(aws, action, "s3", "GetObject", bucket | {"Key": f"{logs['prefix']}/none".lstrip("/")})


def _least(action: str, region: str) -> Mapping[str, Any]:
    """Return the least that an action can be asked with."""
    if action.startswith("ec2:"):
        return {"DryRun": True, **_EC2.get(action, {})}
    balancer = NEEDLESS_ARN.format(region=region, kind="loadbalancer")
    listener = NEEDLESS_ARN.format(region=region, kind="listener") + "/0000000000000000"
    group = f"arn:aws:elasticloadbalancing:{region}:000000000000:targetgroup/none/0000000000000000"
    arns: Mapping[str, Mapping[str, Any]] = {
        "DescribeListeners": {"LoadBalancerArn": balancer}, "DescribeLoadBalancerAttributes": {"LoadBalancerArn": balancer},
        "DescribeRules": {"ListenerArn": listener}, "DescribeTags": {"ResourceArns": [balancer]},
        "DescribeTargetHealth": {"TargetGroupArn": group},
    }  # fmt: skip
    return arns.get(action.partition(":")[2], _LEAST.get(action, {}))


_EC2: Mapping[str, Mapping[str, Any]] = {"ec2:DescribeInstanceCreditSpecifications": {"InstanceIds": ["i-00000000000000000"]}}
_NO_DEPLOYMENT = {"deploymentId": "d-000000000"}
_LEAST: Mapping[str, Mapping[str, Any]] = {
    "autoscaling:DescribeAutoScalingGroups": {"MaxRecords": 1}, "cloudwatch:DescribeAlarmHistory": {"MaxRecords": 1},
    "cloudwatch:DescribeAlarms": {"MaxRecords": 1}, "cloudwatch:ListMetrics": {"Namespace": "none"},
    "cloudwatch:GetMetricData": {"MetricDataQueries": [], "StartTime": 0, "EndTime": 60},
    "codedeploy:BatchGetDeployments": {"deploymentIds": ["d-000000000"]},
    "codedeploy:BatchGetDeploymentTargets": _NO_DEPLOYMENT | {"targetIds": ["none"]},
    "codedeploy:ListDeploymentTargets": _NO_DEPLOYMENT, "elasticloadbalancing:DescribeLoadBalancers": {"PageSize": 1},
    "elasticloadbalancing:DescribeTargetGroups": {"PageSize": 1}, "pricing:GetProducts": {"ServiceCode": "AmazonEC2", "MaxResults": 1},
    "savingsplans:DescribeSavingsPlans": {"maxResults": 1}, "savingsplans:DescribeSavingsPlansOfferingRates": {"maxResults": 1},
}  # fmt: skip
