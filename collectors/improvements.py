"""What would make the evidence better, as the aws commands that do it; the program itself never changes anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DETAILED_METRICS = 7
"""Metrics that detailed monitoring bills an instance for. Source: EC2 User Guide, "Detailed monitoring"; CloudWatch pricing, EC2."""
LOG_LINE_BYTES = 48
"""A gzipped line of results/sample: 190,408 bytes of 3,944 lines."""
LOG_SERVICE = "logdelivery.elasticloadbalancing.amazonaws.com"
"""Who writes the log. Source: Elastic Load Balancing user guide, "Enable access logs for your Application Load Balancer"."""


@dataclass(frozen=True, slots=True)
class Improvement:
    """One thing to turn on.

    Attributes
    ----------
    service, item, quantity : str, str, float
        What of the price list a month of it takes; `per` says of what.
    """

    code: str
    subject: str
    why: str
    commands: tuple[str, ...]
    service: str
    item: str
    quantity: float
    per: str


def improvements_of(topology: Mapping[str, Any]) -> list[Improvement]:
    """List what a stack lacks, as far as it is known: detailed monitoring, an instance each, and the access log."""
    found = [_detailed(i, topology["region"]) for i in topology["instances"] if i["monitoring"] != "detailed"]
    return [*found, _access_log(topology)] if topology["load_balancer"].get("access_logs", {}) is None else found


def _detailed(instance: Mapping[str, Any], region: str) -> Improvement:
    return Improvement(
        "detailed_monitoring", instance["id"], "its CPU is told each minute; each five minutes hide a peak",
        (f"aws ec2 monitor-instances --instance-ids {instance['id']} --region {region}",), "cloudwatch", "custom metric", DETAILED_METRICS,
        "month",
    )  # fmt: skip


def _access_log(topology: Mapping[str, Any]) -> Improvement:
    account, region, name = topology["account"], topology["region"], topology["load_balancer"]["name"]
    bucket = f"alb-logs-{account}-{region}"
    arn = f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{name}"
    attributes = f"Key=access_logs.s3.enabled,Value=true Key=access_logs.s3.bucket,Value={bucket}"
    return Improvement(
        "access_log", name, "each request's arrival, route and target's time; without it a route's cost isn't known", (
            f"aws s3api create-bucket --bucket {bucket} --region {region}{_location(region)}",
            f"aws s3api put-bucket-policy --bucket {bucket} --policy '{json.dumps(_bucket_policy(bucket, account))}'",
            f"aws elbv2 modify-load-balancer-attributes --load-balancer-arn {arn} --attributes {attributes} --region {region}",
        ), "s3", "standard storage", LOG_LINE_BYTES * 1e6 / 2**30, "month and million requests",
    )  # fmt: skip


def _location(region: str) -> str:
    """Return what names a bucket's region; us-east-1 refuses to be named."""
    return "" if region == "us-east-1" else f" --create-bucket-configuration LocationConstraint={region}"


def _bucket_policy(bucket: str, account: str) -> dict[str, Any]:
    allowed: Sequence[Mapping[str, Any]] = [{
        "Effect": "Allow", "Principal": {"Service": LOG_SERVICE}, "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/{account}/*",
    }]  # fmt: skip
    return {"Version": "2012-10-17", "Statement": allowed}
