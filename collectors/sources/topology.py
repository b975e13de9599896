"""What stands behind a load balancer: rules, targets, instances, public addresses, database, cache, what is held, what was deployed.

The walk goes from the load balancer's name outwards. What the credentials may not see, or the account can't answer, is an
empty list and a warning in `warnings`; without the load balancer and its instances there is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from collectors.addresses import public_addresses
from collectors.aws import AwsSession, Rows, SideCalls, in_parts
from collectors.balancers import describe_balancer, describe_target_groups, find_load_balancer, tags_of
from collectors.deployments import deployments_since, describe_deployment
from collectors.holdings import reservations, savings_plans
from collectors.registry import Collector
from collectors.stores import caches_in, databases_in, describe_database
from evidence import SCHEMA, rfc3339

DEPLOYMENTS_KEPT = 25
DEPLOYED_WITHIN = timedelta(days=90)
PER_FILTER = 200
"""EC2 API reference, Filter: at most so many values."""
STATES = ("pending", "running", "stopping", "stopped")
_BURSTABLE = re.compile(r"t\d")


def discover_topology(
    aws: AwsSession, load_balancer: str, *, classes: Mapping[str, str], as_of: datetime, address_monthly_usd: Decimal | None = None
) -> dict[str, Any]:
    """Walk from a load balancer to everything behind it; return what topology.json holds.

    Parameters
    ----------
    load_balancer : str
        Its name, `app/name/id` as logs and metrics call it, its ARN, or the address that it is reached at.
    classes : Mapping[str, str]
        Host class -> name of its target group; a target group of no class has `class` null.
    address_monthly_usd : Decimal or None
        What a public IPv4 address costs a month.

    Raises
    ------
    SizeupError
        Where there is no such load balancer, or AWS doesn't answer for it.
    """
    side = SideCalls(aws)
    balancer = find_load_balancer(aws, load_balancer, classes.values())
    interfaces = side.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=_filter("vpc-id", [balancer["VpcId"]]))
    groups = _as_instances(
        describe_target_groups(aws, balancer["LoadBalancerArn"], {group: name for name, group in classes.items()}), interfaces
    )
    described = _describe_instances(aws, {t["instance"] for g in groups for t in g["targets"] if t["instance"].startswith("i-")})
    databases = databases_in(side, balancer["VpcId"])
    deployed = deployments_since(side, as_of - DEPLOYED_WITHIN)[:DEPLOYMENTS_KEPT]
    return {
        "schema": SCHEMA, "account": _account(balancer), "region": aws.region, "as_of": rfc3339(as_of),
        "load_balancer": describe_balancer(aws, side, balancer), "target_groups": _with_zones(groups, described),
        "instances": _instances(side, described, groups),
        "addresses": public_addresses(side, interfaces, described, databases, address_monthly_usd),
        "rds": [describe_database(db) for db in databases], "cache": caches_in(side, balancer["VpcId"]),
        "auto_scaling": _auto_scaling(side, groups), "reservations": reservations(side), "savings_plans": savings_plans(side),
        "deployments": [describe_deployment(info, classes) for info in deployed],
        "warnings": [dict(warning.as_json()) for warning in side.warnings],
    }  # fmt: skip


def _filter(name: str, values: Iterable[str]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


def _as_instances(groups: Rows, interfaces: Rows) -> Rows:
    """Name a target that is registered by its address by the instance whose it is; one that is nobody's stays as it is."""
    owners = {
        address["PrivateIpAddress"]: interface["Attachment"]["InstanceId"]
        for interface in interfaces if interface.get("Attachment", {}).get("InstanceId")
        for address in interface.get("PrivateIpAddresses", [])
    }  # fmt: skip
    return [g | {"targets": [t | {"instance": owners.get(t["instance"], t["instance"])} for t in g["targets"]]} for g in groups]


def _with_zones(groups: Rows, instances: Iterable[Mapping[str, Any]]) -> Rows:
    """Fill in the zone that an instance target leaves out: its instance's."""
    zones = {i["InstanceId"]: i["Placement"]["AvailabilityZone"] for i in instances}
    return [g | {"targets": [t | {"zone": t["zone"] or zones.get(t["instance"])} for t in g["targets"]]} for g in groups]


def _describe_instances(aws: AwsSession, ids: Iterable[str]) -> Rows:
    """Ask by filter: an id that is gone already, as of a target that drains, is then no error."""
    alive = _filter("instance-state-name", STATES)
    asked = [
        aws.pages("ec2", "describe_instances", "Reservations", Filters=_filter("instance-id", part) + alive)
        for part in in_parts(sorted(ids), PER_FILTER)
    ]
    return [instance for reservations in asked for reservation in reservations for instance in reservation["Instances"]]


def _instances(side: SideCalls, described: Rows, groups: Rows) -> Rows:
    classes = {t["instance"]: g["class"] for g in groups for t in g["targets"] if g["class"]}
    credits, volumes = _credit_modes(side, described), _volumes(side, [i["InstanceId"] for i in described])
    return [
        {
            "id": i["InstanceId"], "class": classes.get(i["InstanceId"]), "type": i["InstanceType"],
            "arch": i.get("Architecture", "x86_64"), "zone": i["Placement"]["AvailabilityZone"],
            "credit_mode": credits.get(i["InstanceId"]),
            "platform": i.get("PlatformDetails") or ("Windows" if i.get("Platform") == "windows" else "Linux/UNIX"),
            "tenancy": i["Placement"].get("Tenancy", "default"),
            "monitoring": "detailed" if i.get("Monitoring", {}).get("State") in ("enabled", "pending") else "basic",
            "volumes": volumes.get(i["InstanceId"], []), "private_ip": i.get("PrivateIpAddress"), "tags": tags_of(i.get("Tags", [])),
        }
        for i in described
    ]  # fmt: skip


def _credit_modes(side: SideCalls, described: Rows) -> dict[str, str]:
    """Ask for the burstable ones alone: AWS refuses the question for any other."""
    ids = [i["InstanceId"] for i in described if _BURSTABLE.match(i["InstanceType"])]
    asked = [
        side.pages("ec2", "describe_instance_credit_specifications", "InstanceCreditSpecifications", InstanceIds=list(part))
        for part in in_parts(ids, PER_FILTER)
    ]
    return {row["InstanceId"]: row["CpuCredits"] for rows in asked for row in rows}


def _volumes(side: SideCalls, ids: Sequence[str]) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for part in in_parts(ids, PER_FILTER):
        for volume in side.pages("ec2", "describe_volumes", "Volumes", Filters=_filter("attachment.instance-id", part)):
            for attachment in volume["Attachments"]:
                found.setdefault(attachment["InstanceId"], []).append(_volume(volume))
    return found


def _volume(volume: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": volume["VolumeId"], "type": volume["VolumeType"], "gib": volume["Size"], "iops": volume.get("Iops"),
        "mbps": volume.get("Throughput"),
    }  # fmt: skip


def _auto_scaling(side: SideCalls, groups: Rows) -> Rows:
    """Return the Auto Scaling groups that fill one of the target groups, or that one of their instances belongs to."""
    classes = {g["dimension"]: g["class"] for g in groups}
    of_target = {t["instance"]: g["class"] for g in groups for t in g["targets"]}
    found = []
    for group in side.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"):
        names = [arn.rpartition(":")[2] for arn in group.get("TargetGroupARNs", [])]
        ids = [instance["InstanceId"] for instance in group.get("Instances", [])]
        ours = [classes[n] for n in names if n in classes] + [of_target[i] for i in ids if i in of_target]
        if ours:
            found.append(
                {"name": group["AutoScalingGroupName"], "class": ours[0], "min": group["MinSize"], "max": group["MaxSize"],
                 "desired": group["DesiredCapacity"], "instances": ids}
            )  # fmt: skip
    return found


def _account(balancer: Mapping[str, Any]) -> str:
    """Return the account's number, which stands in every ARN."""
    return str(balancer["LoadBalancerArn"].split(":")[4])


COLLECTOR = Collector(
    asks="what stands behind the load balancer, and what is held?",
    fills="topology.json",
    calls=(
        "autoscaling:DescribeAutoScalingGroups", "codedeploy:BatchGetDeployments", "codedeploy:ListDeployments", "ec2:DescribeAddresses",
        "ec2:DescribeInstanceCreditSpecifications", "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeReservedInstances", "ec2:DescribeVolumes", "elasticache:DescribeCacheClusters",
        "elasticache:DescribeCacheSubnetGroups", "elasticache:DescribeReservedCacheNodes", "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth", "rds:DescribeDBInstances", "rds:DescribeReservedDBInstances",
        "savingsplans:DescribeSavingsPlans",
    ),
    collect=discover_topology,
)  # fmt: skip
