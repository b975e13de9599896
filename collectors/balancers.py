"""A load balancer found by whatever it is called, with its listeners, rules, target groups and targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from collectors.aws import AwsError, AwsSession, Rows, SideCalls
from evidence import SizeupError

_ABSENT = ("LoadBalancerNotFound", "LoadBalancerNotFoundException", "ValidationError")


def find_load_balancer(aws: AwsSession, name: str, groups: Iterable[str] = ()) -> dict[str, Any]:
    """Find an Application Load Balancer by `name`, `app/name/id`, ARN, or the address that it is reached at.

    An address that isn't at the load balancer's own DNS name is the service's; then it is the one that serves one of the target
    groups named `groups`.

    Raises
    ------
    SizeupError
        Where the region has none of that name, or AWS doesn't answer.
    """
    host = host_of(name)
    found = (_by_host(aws, host) or _by_group(aws, groups)) if host else _by_name(aws, name)
    if found is None:
        raise SizeupError(_absent(aws, name))
    if found.get("Type", "application") != "application":
        raise SizeupError(f'load balancer "{found["LoadBalancerName"]}": a {found["Type"]} one; sizeup reads application load balancers.')
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """A load balancer by the name that logs use, and the address that it answers at; None where it has no listener."""

    name: str
    address: str | None


def balancer_at(aws: AwsSession, name: str) -> tuple[Found, dict[str, str]]:
    """Find a load balancer and its tags.

    Raises
    ------
    SizeupError
        Where the region has none of that name, or AWS doesn't answer.
    """
    balancer = find_load_balancer(aws, name)
    arn = balancer["LoadBalancerArn"]
    tags = aws.call("elbv2", "describe_tags", ResourceArns=[arn]).get("TagDescriptions", [])
    address = balancer_address(balancer, describe_listeners(aws, arn))
    return Found(short_name(balancer), address), tags_of([tag for resource in tags for tag in resource.get("Tags", [])])


def load_balancers(aws: AwsSession) -> Rows:
    """Return every Application Load Balancer of the region, by name."""
    every = aws.pages("elbv2", "describe_load_balancers", "LoadBalancers")
    return sorted((b for b in every if b.get("Type", "application") == "application"), key=lambda b: str(b["LoadBalancerName"]))


def short_name(balancer: Mapping[str, Any]) -> str:
    """Return the name that logs and metrics use: `app/name/id`."""
    return str(balancer["LoadBalancerArn"].rpartition("loadbalancer/")[2])


def host_of(name: str) -> str | None:
    """Return the host that an address or a DNS name names; None where it is neither."""
    if "://" in name:
        return (urlsplit(name).hostname or "").lower()
    return name.lower() if "." in name and "/" not in name and not name.startswith("arn:") else None


def balancer_address(balancer: Mapping[str, Any], listeners: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the address that a load balancer answers at by its own DNS name: its HTTP listener's before its HTTPS one's.

    A certificate names the service and not the load balancer, so an HTTPS address of this kind is refused by a careful client.
    """
    ports = sorted((ls["Protocol"] != "HTTP", ls["Port"]) for ls in listeners)
    if not ports:
        return None
    secure, port = ports[0]
    scheme, usual = ("https", 443) if secure else ("http", 80)
    return f"{scheme}://{balancer['DNSName']}{'' if port == usual else f':{port}'}"


def describe_balancer(aws: AwsSession, side: SideCalls, balancer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a load balancer as topology.json has it, with where its access log goes (None where it writes none) and its tags."""
    arn = balancer["LoadBalancerArn"]
    return {
        "name": short_name(balancer), "scheme": balancer.get("Scheme", "internet-facing"), "dns_name": balancer.get("DNSName"),
        "zones": sorted(zone["ZoneName"] for zone in balancer["AvailabilityZones"]),
        "listeners": [
            {"port": ls["Port"], "protocol": ls["Protocol"], "rules": _rules(aws, ls["ListenerArn"])} for ls in describe_listeners(aws, arn)
        ],
        **_access_logs(side, arn), "tags": balancer_tags(side, arn),
    }  # fmt: skip


def describe_listeners(aws: AwsSession, balancer_arn: str) -> Rows:
    return sorted(aws.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer_arn), key=lambda ls: int(ls["Port"]))


def balancer_tags(side: SideCalls, arn: str) -> dict[str, str]:
    described = side.call("elbv2", "describe_tags", ResourceArns=[arn]).get("TagDescriptions", [])
    return tags_of([tag for resource in described for tag in resource.get("Tags", [])])


def tags_of(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Turn AWS's list of tags into a mapping, by key."""
    return {tag["Key"]: tag["Value"] for tag in sorted(tags, key=lambda tag: tag["Key"])}


def describe_target_groups(aws: AwsSession, balancer_arn: str, classes: Mapping[str, str]) -> Rows:
    """Return each target group with its targets; `classes` is its name -> host class, `dimension` how CloudWatch names it."""
    groups = _groups_of(aws, balancer_arn)
    return [
        {
            "name": group["TargetGroupName"], "class": classes.get(group["TargetGroupName"]), "kind": group.get("TargetType", "instance"),
            "dimension": group["TargetGroupArn"].rpartition(":")[2], "targets": _targets(aws, group["TargetGroupArn"]),
        }
        for group in sorted(groups, key=lambda group: str(group["TargetGroupName"]))
    ]  # fmt: skip


def _groups_of(aws: AwsSession, balancer_arn: str) -> Rows:
    """Return a load balancer's target groups; that it has none may be told as an error."""
    try:
        groups: Rows = aws.pages("elbv2", "describe_target_groups", "TargetGroups", LoadBalancerArn=balancer_arn)
    except AwsError as missing:
        if not missing.code.startswith("TargetGroupNotFound"):
            raise
        return []
    return groups


def _by_name(aws: AwsSession, name: str) -> dict[str, Any] | None:
    """Find by `name`, `app/name/id` or ARN; where an id is given it must be that one."""
    parts = name.rpartition("loadbalancer/")[2].split("/")
    short = parts[1] if len(parts) == 3 else parts[0]
    try:
        found: Rows = aws.pages("elbv2", "describe_load_balancers", "LoadBalancers", Names=[short])
    except AwsError as missing:
        if missing.code not in _ABSENT:
            raise
        return None
    return next((b for b in found if len(parts) != 3 or short_name(b) == "/".join(parts)), None)


def _by_host(aws: AwsSession, host: str) -> dict[str, Any] | None:
    return next((b for b in load_balancers(aws) if str(b.get("DNSName", "")).lower() == host), None)


def _by_group(aws: AwsSession, names: Iterable[str]) -> dict[str, Any] | None:
    wanted = set(names)
    every = aws.pages("elbv2", "describe_target_groups", "TargetGroups") if wanted else []
    arns = {arn for group in every if group["TargetGroupName"] in wanted for arn in group.get("LoadBalancerArns", [])}
    return next((b for b in load_balancers(aws) if b["LoadBalancerArn"] in arns), None)


def _absent(aws: AwsSession, name: str) -> str:
    there = [str(b["LoadBalancerName"]) for b in load_balancers(aws)]
    known = f"only {', '.join(there)}" if there else "nor any other"
    parts = name.rpartition("loadbalancer/")[2].split("/")
    shown = name if host_of(name) else parts[1] if len(parts) == 3 and parts[1] not in there else "/".join(parts)
    return f'load balancer "{shown}": {aws.region} has none of that name, {known}; mend alb in sizeup.toml, or the region.'


def _access_logs(side: SideCalls, arn: str) -> dict[str, Any]:
    """Return `access_logs` with bucket and prefix, or null where none is written; nothing where that isn't known."""
    described = side.call("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=arn).get("Attributes", [])
    found = {attribute["Key"]: attribute.get("Value", "") for attribute in described}
    if not found:
        return {}
    place = {"bucket": found.get("access_logs.s3.bucket", ""), "prefix": found.get("access_logs.s3.prefix", "")}
    return {"access_logs": place if found.get("access_logs.s3.enabled") == "true" else None}


def _rules(aws: AwsSession, listener_arn: str) -> Rows:
    """Return a listener's rules in their order; the default one has no priority and comes last.

    What else than host and path a rule asks for stands in `conditions`, which only such a rule has.
    """
    rules = [
        {
            "priority": None if rule["IsDefault"] else int(rule["Priority"]), "hosts": _condition(rule, "host-header", "HostHeaderConfig"),
            "paths": _condition(rule, "path-pattern", "PathPatternConfig"), "target_group": _forwards_to(rule), **_other_conditions(rule),
        }
        for rule in aws.pages("elbv2", "describe_rules", "Rules", ListenerArn=listener_arn)
    ]  # fmt: skip
    return sorted(rules, key=lambda rule: (rule["priority"] is None, rule["priority"]))


def _condition(rule: Mapping[str, Any], field: str, config: str) -> list[str]:
    """Return a condition's values, in whichever of AWS's two forms they stand."""
    return [v for c in rule["Conditions"] if c.get("Field") == field for v in c.get(config, {}).get("Values") or c.get("Values", [])]


def _other_conditions(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule's conditions on header, method, query or source: `name` is the header's, a query's value is `key=value`.

    Source: Elastic Load Balancing API reference, RuleCondition.
    """
    found = [
        {"field": c["Field"], "name": c.get("HttpHeaderConfig", {}).get("HttpHeaderName"), "values": _values(c)}
        for c in rule["Conditions"] if c.get("Field") not in ("host-header", "path-pattern")
    ]  # fmt: skip
    return {"conditions": found} if found else {}


def _values(condition: Mapping[str, Any]) -> list[str]:
    """Return a condition's values out of its one `...Config`, each as text."""
    told = next((config.get("Values", []) for name, config in condition.items() if name.endswith("Config")), condition.get("Values", []))
    return ["=".join(v[key] for key in ("Key", "Value") if v.get(key)) if isinstance(v, Mapping) else str(v) for v in told]


def _forwards_to(rule: Mapping[str, Any]) -> str | None:
    """Return the target group that gets the most of a rule's requests; None for a redirect or a fixed answer."""
    for action in rule["Actions"]:
        shares = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
        if action["Type"] == "forward":
            return _group_name(max(shares, key=lambda share: share.get("Weight", 1))["TargetGroupArn"])
    return None


def _group_name(arn: str) -> str:
    return arn.rpartition("targetgroup/")[2].split("/")[0]


def _targets(aws: AwsSession, group_arn: str) -> Rows:
    described = aws.call("elbv2", "describe_target_health", TargetGroupArn=group_arn)["TargetHealthDescriptions"]
    states = [(d["Target"], d["TargetHealth"]["State"]) for d in described]
    return [{"instance": t["Id"], "zone": t.get("AvailabilityZone"), "port": t.get("Port"), "health": health} for t, health in states]
