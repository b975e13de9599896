"""`sizeup init`: a commented sizeup.toml out of what the account says; what only a person can know is marked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence import SizeupError, Warn, write_atomic
from sizeup.init_toml import MARK, Facts, settings_toml
from sizeup.output import envelope
from sizeup.targets import TAG_KEYS, production_tag, topology_of

if TYPE_CHECKING:
    from collectors import AwsSession
    from sizeup.context import Context

SCHEMA = "sizeup.init/1"
ROLES = {
    "api": {"api", "backend", "back", "server", "rest", "graphql"}, "frontend": {"frontend", "front", "web", "www", "next", "ui", "site"},
}  # fmt: skip
"""Words in a target group's name that tell which part of the service it is."""
PRELAUNCH = ("prelaunch", "preprod", "pre", "beta")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written; `document` is the JSON document."""

    path: Path
    document: dict[str, Any]


def write_settings(ctx: Context, alb: str | None, *, force: bool) -> Written:
    """Read the account and write the settings file that the context names (./sizeup.toml).

    Raises
    ------
    SizeupError
        Where a file is there already and `force` isn't given, the region has no load balancer or several, or AWS doesn't answer.
    """
    from collectors import AwsSession

    path = ctx.config or Path("sizeup.toml")
    if path.exists() and not force:
        raise SizeupError(f"{path}: is there already, nothing was written; name another with --config, or replace it with --force.")
    region, warnings = ctx.region()
    aws = AwsSession(region, os.environ.get("AWS_ENDPOINT_URL"), ctx.profile)
    name = alb or only_load_balancer(aws)
    ctx.say(f"reads what stands behind {name} in {region}")
    topology = topology_of(aws, name, {})
    facts = facts_of(topology, local_timezone(), free_tier(ctx, region))
    text = settings_toml(facts)
    try:
        write_atomic(path, text.encode())
    except OSError as refused:
        raise SizeupError(f"{path}: can't be written ({refused.strerror}); name another file with --config.") from None
    warnings += [Warn(each["code"], each["message"]) for each in topology["warnings"]]
    body = {
        "path": str(path), "target": facts.target, "load_balancer": facts.load_balancer, "region": region,
        "classes": [{"class": each, "target_group": group} for each, group in facts.classes.items()], "marks": marks(text),
    }  # fmt: skip
    return Written(path, envelope(SCHEMA, datetime.now(UTC), [], None, None, None, [], warnings, body))


def only_load_balancer(aws: AwsSession) -> str:
    """Return the region's one Application Load Balancer.

    Raises
    ------
    SizeupError
        Where it has none, or several.
    """
    from collectors import load_balancers, short_name

    found = [short_name(balancer) for balancer in load_balancers(aws)]
    if not found:
        raise SizeupError(f"{aws.region} has no application load balancer; name another region, or write sizeup.toml by hand.")
    if len(found) > 1:
        raise SizeupError(f"{aws.region} has {len(found)} load balancers; name one with --alb: {', '.join(found)}.")
    return found[0]


def facts_of(topology: Mapping[str, Any], timezone: str, tier: tuple[str, str | None]) -> Facts:
    """Turn a topology into what the settings file says."""
    balancer = topology["load_balancer"]
    classes = class_groups(topology)
    places = {i["id"]: i.get("private_ip") for i in topology["instances"]}
    groups = {g["name"]: [places.get(t["instance"]) or t["instance"] for t in g["targets"]] for g in topology["target_groups"]}
    target, environment = environment_of(balancer["tags"])
    secure = {listener["protocol"] for listener in balancer["listeners"]} == {"HTTPS"}
    return Facts(
        region=topology["region"], timezone=timezone, target=target, environment=environment, load_balancer=balancer["name"],
        tag=next((f"{k}={v}" for k, v in balancer["tags"].items() if k.lower() in TAG_KEYS), None), only_https=secure,
        hosts=host_headers(topology, classes), dns_name=str(balancer["dns_name"]), classes=classes,
        places={name: groups[group] for name, group in classes.items()},
        reservations=held_of(topology), free_tier=tier[0], free_tier_ends=tier[1],
    )  # fmt: skip


def class_groups(topology: Mapping[str, Any]) -> dict[str, str]:
    """Name a host class for each target group of hosts: api and frontend by its name, else by its rules, the rest by its own name."""
    names = [g["name"] for g in topology["target_groups"] if g["kind"] in ("instance", "ip")]
    defaults = {rule["target_group"] for ls in topology["load_balancer"]["listeners"] for rule in ls["rules"] if rule["priority"] is None}
    found: dict[str, str] = {}
    for name in names:
        words = set(re.split(r"[^a-z0-9]+", name.lower()))
        role = next((role for role, told in ROLES.items() if words & told), None)
        if role is not None:
            found.setdefault(role, name)
    for name in names:
        if name not in found.values():
            role = "frontend" if name in defaults and len(names) > 1 else "api"
            found[role if role not in found else re.sub(r"[^A-Za-z0-9_-]+", "-", name)] = name
    return found


def host_headers(topology: Mapping[str, Any], classes: Mapping[str, str]) -> dict[str, str | None]:
    """Return the Host header that the rules send to frontend and api, by host alone before others; None where no rule names one."""
    found = [rule for listener in topology["load_balancer"]["listeners"] for rule in listener["rules"]]
    rules = sorted(found, key=lambda rule: "conditions" in rule)
    return {
        name: next((host for rule in rules if rule["target_group"] == group for host in rule["hosts"] if not set(host) & set("*?")), None)
        for name, group in classes.items() if name in ROLES
    }  # fmt: skip


def held_of(topology: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...] | None:
    """Return what the account holds; None where it couldn't be asked."""
    refused = any("Reserved" in warning["message"] for warning in topology["warnings"])
    return None if refused else tuple(topology["reservations"])


def environment_of(tags: Mapping[str, str]) -> tuple[str, str]:
    """Return a target's name and environment by its tags; one without a tag is taken for staging, which the file marks."""
    if production_tag(tags):
        return "production", "production"
    values = {value.lower() for key, value in tags.items() if key.lower() in TAG_KEYS}
    return ("prelaunch", "prelaunch") if values & set(PRELAUNCH) else ("staging", "staging")


def free_tier(ctx: Context, region: str) -> tuple[str, str | None]:
    """Ask for the account's plan; return its kind as [account] names it, and the day that it ends.

    Source: Billing API reference, GetAccountPlanState: accounts without a plan are those from before it, whose own tier it can't tell.
    """
    from collectors import AwsSession, account_plan
    from collectors.permissions import GLOBAL_REGION

    try:
        plan = account_plan(AwsSession(GLOBAL_REGION, os.environ.get("AWS_ENDPOINT_URL"), ctx.profile))
    except SizeupError as refused:
        ctx.detail(str(refused))
        return "unknown", None
    if plan is None:
        return "unknown", None
    ends = plan.get("accountPlanExpirationDate")
    return "credits", None if ends is None else str(ends)[:10]


def local_timezone() -> str:
    """Return this machine's time zone by its IANA name; UTC where it isn't told."""
    told = os.environ.get("TZ", "").lstrip(":")
    if "/" in told and not told.startswith("/"):
        return told
    try:
        return os.readlink("/etc/localtime").partition("zoneinfo/")[2] or "UTC"
    except OSError:
        return "UTC"


def marks(text: str) -> list[dict[str, Any]]:
    """List the lines of a settings file that only a person can fill in, with what they ask."""
    lines: Iterable[tuple[int, str]] = enumerate(text.splitlines(), start=1)
    told = ((n, line.partition(MARK)) for n, line in lines if MARK in line and not line.startswith("# Lines"))
    return [{"line": n, "key": _key(before), "why": after.strip()} for n, (before, _, after) in told]


def _key(before: str) -> str | None:
    found = re.match(r"#?\s*([A-Za-z_]+)\s*=|#?\s*(\[\[?[\w.]+\]\]?)", before)
    return None if found is None else found[1] or found[2]
