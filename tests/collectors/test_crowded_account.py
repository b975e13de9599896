"""Paging and odd targets: a load balancer with 60 rules and 40 targets, against moto's own server, in a region of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from collectors import AwsSession, discover_topology
from evidence import SizeupError

REGION = "eu-west-1"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
RULES, TARGETS = 60, 40


@pytest.fixture(scope="module")
def crowd(moto_url: str) -> dict[str, Any]:
    def client(service: str) -> Any:
        return boto3.client(
            service, region_name=REGION, endpoint_url=moto_url, aws_access_key_id="x", aws_secret_access_key="x", config=Config(proxies={}),
        )  # fmt: skip

    ec2, elb, scaling = client("ec2"), client("elbv2"), client("autoscaling")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    arn = elb.create_load_balancer(Name="crowd", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    group = _group(elb, "crowd-api", vpc, "instance")
    started = ec2.run_instances(ImageId="ami-12345678", InstanceType="m5.large", MinCount=TARGETS, MaxCount=TARGETS, SubnetId=subnets[0])
    ids = [instance["InstanceId"] for instance in started["Instances"]]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance, "Port": 8080} for instance in ids])
    by_ip = _group(elb, "crowd-by-ip", vpc, "ip")
    address = started["Instances"][7]["PrivateIpAddress"]
    elb.register_targets(TargetGroupArn=by_ip, Targets=[{"Id": address, "Port": 9090}, {"Id": "10.0.1.250", "Port": 9090}])
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    listener = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=forward)["Listeners"][0]["ListenerArn"]
    for n in range(1, RULES + 1):
        condition = {"Field": "host-header", "HostHeaderConfig": {"Values": [f"h{n}.example.run"]}}
        target = by_ip if n == RULES else group
        elb.create_rule(ListenerArn=listener, Priority=n, Conditions=[condition], Actions=[{"Type": "forward", "TargetGroupArn": target}])
    scaling.create_launch_configuration(LaunchConfigurationName="c", ImageId="ami-12345678", InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="crowd-asg", LaunchConfigurationName="c", MinSize=1, MaxSize=4, DesiredCapacity=1,
        VPCZoneIdentifier=subnets[1], TargetGroupARNs=[group],
    )  # fmt: skip
    ec2.terminate_instances(InstanceIds=[ids[0]])
    return {"ids": ids, "url": moto_url}


@pytest.fixture(scope="module")
def topology(crowd: dict[str, Any]) -> dict[str, Any]:
    return discover_topology(AwsSession(REGION, crowd["url"]), "crowd", classes={"api": "crowd-api"}, as_of=NOW)


def _group(elb: Any, name: str, vpc: str, kind: str) -> str:
    made = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType=kind)
    return made["TargetGroups"][0]["TargetGroupArn"]


def test_every_rule_of_sixty_is_told_in_its_order(topology):
    """As built, and the default one last: more than a page of DescribeRules."""
    (listener,) = topology["load_balancer"]["listeners"]

    assert [rule["priority"] for rule in listener["rules"]] == [*range(1, RULES + 1), None]
    assert listener["rules"][RULES - 1]["target_group"] == "crowd-by-ip"


def test_every_target_of_forty_is_told_and_one_that_is_gone_is_no_error(topology, crowd):
    """As built; the first was terminated while its target group still named it."""
    groups = {group["name"]: group for group in topology["target_groups"]}
    instances = {instance["id"] for instance in topology["instances"]}

    assert {target["instance"] for target in groups["crowd-api"]["targets"]} >= set(crowd["ids"][1:])
    assert instances >= set(crowd["ids"][1:])
    assert crowd["ids"][0] not in instances


def test_a_target_by_address_is_told_as_the_instance_whose_it_is(topology, crowd):
    """As built: one address is an instance's, the other nobody's."""
    (group,) = [group for group in topology["target_groups"] if group["name"] == "crowd-by-ip"]

    assert [(t["instance"], t["port"]) for t in group["targets"]] == [(crowd["ids"][7], 9090), ("10.0.1.250", 9090)]
    assert group["kind"] == "ip"


def test_no_type_but_a_burstable_one_has_a_credit_mode(topology, crowd):
    """EC2 User Guide: credits are the T families'."""
    modes = {instance["credit_mode"] for instance in topology["instances"] if instance["id"] in crowd["ids"]}

    assert modes == {None}


def test_the_auto_scaling_group_that_fills_a_target_group_is_told(topology):
    """As built."""
    (scaling,) = topology["auto_scaling"]

    assert (scaling["name"], scaling["class"], scaling["min"], scaling["max"], scaling["desired"]) == ("crowd-asg", "api", 1, 4, 1)
    assert len(scaling["instances"]) == 1


def test_an_account_with_no_load_balancer_is_one_sentence(moto_url):
    """A region where nothing stands."""
    with pytest.raises(SizeupError, match='load balancer "moco-staging": ap-southeast-2 has none of that name, nor any other; mend alb'):
        discover_topology(AwsSession("ap-southeast-2", moto_url), "moco-staging", classes={}, as_of=NOW)
