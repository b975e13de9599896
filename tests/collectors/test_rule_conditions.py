"""Rules that ask for more than host and path, against moto's own server, in a region of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from collectors import AwsSession, discover_topology
from sizeup.init import host_headers

REGION = "eu-central-1"
HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["api.example.run"]}}
CANARY = {"Field": "host-header", "HostHeaderConfig": {"Values": ["canary.example.run"]}}
CONDITIONS: list[list[dict[str, Any]]] = [
    [CANARY, {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["1", "yes"]}}],
    [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}],
    [{"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "version", "Value": "v1"}, {"Value": "*beta*"}]}}],
    [{"Field": "source-ip", "SourceIpConfig": {"Values": ["203.0.113.0/24"]}}],
    [HOST],
]


@pytest.fixture(scope="module")
def topology(moto_url: str) -> dict[str, Any]:
    def client(service: str) -> Any:
        return boto3.client(
            service, region_name=REGION, endpoint_url=moto_url, aws_access_key_id="x", aws_secret_access_key="x", config=Config(proxies={}),
        )  # fmt: skip

    ec2, elb = client("ec2"), client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    arn = elb.create_load_balancer(Name="picky", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(Name="picky-api", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    listener = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=forward)["Listeners"][0]["ListenerArn"]
    for priority, conditions in enumerate(CONDITIONS, 1):
        elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=conditions, Actions=forward)
    return discover_topology(AwsSession(REGION, moto_url), "picky", classes={"api": "picky-api"}, as_of=datetime.now(UTC))


def test_each_kind_of_condition_is_told(topology):
    """Elastic Load Balancing user guide, "Condition types for listener rules": header, method, query string, source."""
    rules = topology["load_balancer"]["listeners"][0]["rules"]

    assert [rule.get("conditions") for rule in rules] == [
        [{"field": "http-header", "name": "X-Canary", "values": ["1", "yes"]}],
        [{"field": "http-request-method", "name": None, "values": ["POST"]}],
        [{"field": "query-string", "name": None, "values": ["version=v1", "*beta*"]}],
        [{"field": "source-ip", "name": None, "values": ["203.0.113.0/24"]}],
        None,
        None,
    ]
    assert [rule["hosts"] for rule in rules] == [["canary.example.run"], [], [], [], ["api.example.run"], []]


def test_a_host_that_is_enough_by_itself_names_the_class(topology):
    """The canary's needs a header too, which a load doesn't send."""
    assert host_headers(topology, {"api": "picky-api"}) == {"api": "api.example.run"}
