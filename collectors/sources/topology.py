"""What stands behind a load balancer: rules, targets, instances, public addresses, database, cache, what is held, what was deployed.

The walk goes from the load balancer's name outwards. What the credentials may not see, or the account can't answer, is an
empty list and a warning in `warnings`; without the load balancer and its instances there is no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from collectors.addresses import public_addresses
from collectors.aws import AwsError, AwsSession, Rows, SideCalls, in_parts
from collectors.holdings import reservations, savings_plans
from collectors.registry import Collector
from evidence import SCHEMA, SizeupError, rfc3339

DEPLOYMENTS_KEPT = 25


def discover_topology(
    aws: AwsSession, load_balancer: str, *, classes: Mapping[str, str], as_of: datetime, address_monthly_usd: Decimal | None = None
) -> dict[str, Any]:
    """Walk from a load balancer to everything behind it; return what topology.json holds.

    Parameters
    ----------
    load_balancer : str
        Its name, or `app/name/id` as logs and metrics call it.
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
    balancer = _find_load_balancer(aws, load_balancer)
    groups = _target_groups(aws, balancer["LoadBalancerArn"], {group: name for name, group in classes.items()})
    described = _describe_instances(aws, {t["instance"] for g in groups for t in g["targets"] if t["instance"].startswith("i-")})
    databases = side.pages("rds", "describe_db_instances", "DBInstances")
    addresses = public_addresses(side, balancer, described, databases, address_monthly_usd)
    return {
        "schema": SCHEMA, "account": _account(balancer), "region": aws.region, "as_of": rfc3339(as_of),
        "load_balancer": _load_balancer(aws, balancer), "target_groups": _with_zones(groups, described),
        "instances": _instances(side, described, groups), "addresses": addresses,
        "rds": [_database(db) for db in databases], "cache": _caches(side), "reservations": reservations(side),
        "savings_plans": savings_plans(side), "deployments": _deployments(side, classes),
        "warnings": [dict(warning.as_json()) for warning in side.warnings],
    }  # fmt: skip


def _find_load_balancer(aws: AwsSession, name: str) -> dict[str, Any]:
    """Find an Application Load Balancer by `name`, `app/name/id` or ARN."""
    parts = name.rpartition("loadbalancer/")[2].split("/")
    short = parts[1] if len(parts) == 3 else parts[0]
    try:
        found = aws.pages("elbv2", "describe_load_balancers", "LoadBalancers", Names=[short])
    except AwsError as missing:
        if missing.code not in ("LoadBalancerNotFound", "LoadBalancerNotFoundException", "ValidationError"):
            raise
        found = []
    if not found:
        there = sorted(b["LoadBalancerName"] for b in aws.pages("elbv2", "describe_load_balancers", "LoadBalancers"))
        known = f"only {', '.join(there)}" if there else "nor any other"
        raise SizeupError(f'load balancer "{short}": {aws.region} has none of that name, {known}; mend alb in sizeup.toml, or the region.')
    balancer: dict[str, Any] = found[0]
    return balancer


def _load_balancer(aws: AwsSession, balancer: Mapping[str, Any]) -> dict[str, Any]:
    arn = balancer["LoadBalancerArn"]
    return {
        "name": arn.rpartition("loadbalancer/")[2], "scheme": balancer["Scheme"],
        "zones": sorted(zone["ZoneName"] for zone in balancer["AvailabilityZones"]),
        "listeners": [
            {"port": ls["Port"], "protocol": ls["Protocol"], "rules": _rules(aws, ls["ListenerArn"])}
            for ls in aws.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn)
        ],
    }  # fmt: skip


def _rules(aws: AwsSession, listener_arn: str) -> Rows:
    """Return a listener's rules in their order; the default one has no priority and comes last."""
    rules = [
        {
            "priority": None if rule["IsDefault"] else int(rule["Priority"]), "hosts": _condition(rule, "host-header", "HostHeaderConfig"),
            "paths": _condition(rule, "path-pattern", "PathPatternConfig"), "target_group": _forwards_to(rule),
        }
        for rule in aws.pages("elbv2", "describe_rules", "Rules", ListenerArn=listener_arn)
    ]  # fmt: skip
    return sorted(rules, key=lambda rule: (rule["priority"] is None, rule["priority"]))


def _condition(rule: Mapping[str, Any], field: str, config: str) -> list[str]:
    """Return a condition's values, in whichever of AWS's two forms they stand."""
    return [v for c in rule["Conditions"] if c.get("Field") == field for v in c.get(config, {}).get("Values") or c.get("Values", [])]


def _forwards_to(rule: Mapping[str, Any]) -> str | None:
    """Return the target group that gets the most of a rule's requests; None for a redirect or a fixed answer."""
    for action in rule["Actions"]:
        shares = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
        if action["Type"] == "forward":
            return _group_name(max(shares, key=lambda share: share.get("Weight", 1))["TargetGroupArn"])
    return None


def _group_name(arn: str) -> str:
    return arn.rpartition("targetgroup/")[2].split("/")[0]


def _target_groups(aws: AwsSession, balancer_arn: str, classes: Mapping[str, str]) -> Rows:
    """Return each target group with its targets; `dimension` is how CloudWatch names it."""
    groups = aws.pages("elbv2", "describe_target_groups", "TargetGroups", LoadBalancerArn=balancer_arn)
    return [
        {
            "name": group["TargetGroupName"], "class": classes.get(group["TargetGroupName"]),
            "dimension": group["TargetGroupArn"].rpartition(":")[2], "targets": _targets(aws, group["TargetGroupArn"]),
        }
        for group in sorted(groups, key=lambda group: str(group["TargetGroupName"]))
    ]  # fmt: skip


def _targets(aws: AwsSession, group_arn: str) -> Rows:
    described = aws.call("elbv2", "describe_target_health", TargetGroupArn=group_arn)["TargetHealthDescriptions"]
    states = [(d["Target"], d["TargetHealth"]["State"]) for d in described]
    return [{"instance": t["Id"], "zone": t.get("AvailabilityZone"), "port": t.get("Port"), "health": health} for t, health in states]


def _with_zones(groups: Rows, instances: Iterable[Mapping[str, Any]]) -> Rows:
    """Fill in the zone that an instance target leaves out: its instance's."""
    zones = {i["InstanceId"]: i["Placement"]["AvailabilityZone"] for i in instances}
    return [g | {"targets": [t | {"zone": t["zone"] or zones.get(t["instance"])} for t in g["targets"]]} for g in groups]


def _describe_instances(aws: AwsSession, ids: Iterable[str]) -> Rows:
    parts = in_parts(sorted(ids), 100)
    reservations = [r for part in parts for r in aws.pages("ec2", "describe_instances", "Reservations", InstanceIds=list(part))]
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def _instances(side: SideCalls, described: Rows, groups: Rows) -> Rows:
    ids = [i["InstanceId"] for i in described]
    classes = {t["instance"]: g["class"] for g in groups for t in g["targets"]}
    credits = _credit_modes(side, described)
    volumes = _volumes(side, ids)
    return [
        {
            "id": i["InstanceId"], "class": classes.get(i["InstanceId"]), "type": i["InstanceType"],
            "arch": i.get("Architecture", "x86_64"), "zone": i["Placement"]["AvailabilityZone"],
            "credit_mode": credits.get(i["InstanceId"]),
            "platform": i.get("PlatformDetails") or ("Windows" if i.get("Platform") == "windows" else "Linux/UNIX"),
            "tenancy": i["Placement"].get("Tenancy", "default"),
            "monitoring": "detailed" if i.get("Monitoring", {}).get("State") in ("enabled", "pending") else "basic",
            "volumes": volumes.get(i["InstanceId"], []),
        }
        for i in described
    ]  # fmt: skip


def _credit_modes(side: SideCalls, described: Rows) -> dict[str, str]:
    """Ask for the burstable ones alone: AWS refuses the question for any other."""
    ids = [i["InstanceId"] for i in described if i["InstanceType"].startswith("t")]
    if not ids:
        return {}
    rows = side.pages("ec2", "describe_instance_credit_specifications", "InstanceCreditSpecifications", InstanceIds=ids)
    return {row["InstanceId"]: row["CpuCredits"] for row in rows}


def _volumes(side: SideCalls, ids: Sequence[str]) -> dict[str, Rows]:
    if not ids:
        return {}
    found: dict[str, Rows] = {}
    for volume in side.pages("ec2", "describe_volumes", "Volumes", Filters=[{"Name": "attachment.instance-id", "Values": list(ids)}]):
        for attachment in volume["Attachments"]:
            found.setdefault(attachment["InstanceId"], []).append(_volume(volume))
    return found


def _volume(volume: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": volume["VolumeType"], "gib": volume["Size"], "iops": volume.get("Iops"), "mbps": volume.get("Throughput")}


def _account(balancer: Mapping[str, Any]) -> str:
    """Return the account's number, which stands in every ARN."""
    return str(balancer["LoadBalancerArn"].split(":")[4])


def _database(db: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": db["DBInstanceIdentifier"], "class": db["DBInstanceClass"], "engine": db["Engine"], "multi_az": bool(db.get("MultiAZ")),
        "public": bool(db.get("PubliclyAccessible")), "storage_gib": db.get("AllocatedStorage"), "storage_type": db.get("StorageType"),
    }  # fmt: skip


def _caches(side: SideCalls) -> Rows:
    clusters = side.pages("elasticache", "describe_cache_clusters", "CacheClusters")
    return [{"id": c["CacheClusterId"], "class": c["CacheNodeType"], "engine": c["Engine"], "nodes": c["NumCacheNodes"]} for c in clusters]


def _deployments(side: SideCalls, classes: Mapping[str, str]) -> Rows:
    """Return the newest deployments, newest first."""
    ids = side.call("codedeploy", "list_deployments").get("deployments", [])[:DEPLOYMENTS_KEPT]
    infos = side.call("codedeploy", "batch_get_deployments", deploymentIds=ids).get("deploymentsInfo", []) if ids else []
    rows = [
        {
            "id": d["deploymentId"], "class": _deployed_class(d, classes), "started_at": _when(d.get("startTime") or d.get("createTime")),
            "ended_at": _when(d.get("completeTime")), "status": d["status"],
        }
        for d in infos
    ]  # fmt: skip
    return sorted(rows, key=lambda row: str(row["started_at"]), reverse=True)


def _deployed_class(deployment: Mapping[str, Any], classes: Mapping[str, str]) -> str | None:
    """Tell a deployment's host class by its target group, else by an application or group of that name."""
    balancing = deployment.get("loadBalancerInfo", {}).get("targetGroupInfoList", [])
    names = {group.get("name") for group in balancing} | {deployment.get("applicationName"), deployment.get("deploymentGroupName")}
    return next((name for name, group in classes.items() if {name, group} & names), None)


def _when(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


COLLECTOR = Collector(
    asks="what stands behind the load balancer, and what is held?",
    fills="topology.json",
    calls=(
        "codedeploy:BatchGetDeployments", "codedeploy:ListDeployments", "ec2:DescribeAddresses", "ec2:DescribeInstanceCreditSpecifications",
        "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeReservedInstances", "ec2:DescribeVolumes",
        "elasticache:DescribeCacheClusters", "elasticache:DescribeReservedCacheNodes", "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth", "rds:DescribeDBInstances", "rds:DescribeReservedDBInstances",
        "savingsplans:DescribeSavingsPlans",
    ),
    collect=discover_topology,
)  # fmt: skip
