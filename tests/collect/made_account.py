"""A stack, in moto and as topology.json would have it, and what CloudWatch would hold of it: values that follow from the time alone."""

from __future__ import annotations

import math
import zlib
from typing import Any

import boto3
import numpy as np
from botocore.config import Config

from collectors import planned_metrics
from collectors.metrics import Metric
from staging.aws import MetricSeries

REGION = "ap-northeast-2"
CLASSES = {"frontend": "shop-frontend", "api": "shop-api"}
SETTINGS = """
[project]
region = "ap-northeast-2"

[target.production]
alb = "shop"

[class.frontend]
target_group = "shop-frontend"

[class.api]
target_group = "shop-api"
"""


def client(url: str, service: str) -> Any:
    return boto3.client(
        service, region_name=REGION, endpoint_url=url, aws_access_key_id="x", aws_secret_access_key="x", config=Config(proxies={}),
    )  # fmt: skip


def build_account(url: str) -> None:
    """Make the load balancer, its target groups and one host each in moto: the API's under detailed monitoring."""
    ec2, elb = client(url, "ec2"), client(url, "elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
        for n, zone in enumerate("ac")
    ]
    balancer = elb.create_load_balancer(Name="shop", Subnets=subnets, Scheme="internet-facing")["LoadBalancers"][0]["LoadBalancerArn"]
    for port, (name, group) in enumerate(CLASSES.items(), 80):
        instance = ec2.run_instances(
            ImageId="ami-12345678", InstanceType="t3.small", MinCount=1, MaxCount=1, SubnetId=subnets[0],
            Monitoring={"Enabled": name == "api"},
        )["Instances"][0]["InstanceId"]  # fmt: skip
        arn = elb.create_target_group(Name=group, Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance, "Port": 8080}])
        forward = [{"Type": "forward", "TargetGroupArn": arn}]
        elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=forward)


def topology(groups: int = 2, **more: Any) -> dict[str, Any]:
    """A stack of a load balancer (12 metrics) and so many target groups (7 each)."""
    names = [f"group-{n}" for n in range(groups)]
    return {
        "load_balancer": {"name": "app/moco/1"}, "target_groups": [{"name": n, "dimension": f"targetgroup/{n}/1"} for n in names],
        "instances": [], **more,
    }  # fmt: skip


def instance(name: str = "i-1", monitoring: str = "detailed", credits: str | None = None, volumes: tuple[dict[str, Any], ...] = ()) -> Any:
    return {"id": name, "type": "t3.small", "monitoring": monitoring, "credit_mode": credits, "volumes": list(volumes)}


def made_series(stack: dict[str, Any], start_s: int, end_s: int, every_s: int = 60) -> list[MetricSeries]:
    """One series for each metric of a stack."""
    return [made_metric(metric, start_s, end_s, every_s) for metric in planned_metrics(stack)]


def made_metric(metric: Metric, start_s: int, end_s: int, every_s: int = 60) -> MetricSeries:
    """A day's rhythm at a level of the metric's own, in whole thousandths; a sample every so often, gaps between."""
    every_s = max(every_s, metric.period_s)
    at_s = np.arange(-(-start_s // every_s) * every_s, end_s, every_s)
    level = 1 + zlib.crc32(f"{metric.kind.name}{metric.dimensions}".encode()) % 23
    level *= 1000 if metric.kind.name == "RequestCount" else 1
    values = np.round(level * (2 + np.cos(2 * math.pi * at_s / 86_400)) + at_s % 7, 3)
    return MetricSeries(metric.namespace, metric.kind.name, dict(metric.dimensions), at_s, values, metric.kind.unit, metric.period_s)
