"""Which metrics of CloudWatch does a stack have, by what stands in its topology?

Sources: Application Load Balancer user guide, "CloudWatch metrics" (each metric's meaningful statistics; nothing is reported
for a period without requests); EC2 user guide, "List the available CloudWatch metrics" (basic monitoring has five-minute
periods, credit metrics always); EBS user guide, "Amazon CloudWatch metrics for Amazon EBS"; RDS user guide, "CloudWatch
metrics"; ElastiCache user guide, "Host-level metrics" and "Metrics for Redis OSS"; CloudWatch user guide, "Metrics collected
by the CloudWatch agent".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MINUTE_S, FIVE_MINUTES_S = 60, 300
AGENT = "CWAgent"

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A metric that every resource of a kind has: its name, statistics, unit, and the finest period it is published by."""

    name: str
    statistics: tuple[str, ...]
    unit: str
    period_s: int = MINUTE_S


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric to ask for; all its statistics together are billed as one up to five."""

    namespace: str
    dimensions: Dimensions
    kind: Kind
    period_s: int


def _kinds(statistics: str, unit: str, *names: str, period_s: int = MINUTE_S) -> tuple[Kind, ...]:
    return tuple(Kind(name, tuple(statistics.split()), unit, period_s) for name in names)


_TARGETS = (
    *_kinds("Sum", "Count", "RequestCount"),
    *_kinds("Average p50 p90 p99", "Seconds", "TargetResponseTime"),
    *_kinds("Sum", "Count", *(f"HTTPCode_Target_{n}XX_Count" for n in (2, 3, 4, 5))),
)
LOAD_BALANCER = (
    *_TARGETS,
    *_kinds("Sum", "Count", "HTTPCode_ELB_4XX_Count", "HTTPCode_ELB_5XX_Count"),
    *_kinds("Sum", "Count", "NewConnectionCount", "ActiveConnectionCount", "RuleEvaluations"),
    *_kinds("Sum", "Bytes", "ProcessedBytes"),
)
"""Beside what targets answered: what the load balancer itself did, and what its capacity units are billed by."""
TARGET_GROUP = (*_TARGETS, *_kinds("Minimum", "Count", "HealthyHostCount"))
INSTANCE = (*_kinds("Average", "Percent", "CPUUtilization"), *_kinds("Sum", "Bytes", "NetworkIn", "NetworkOut"))
"""By the minute under detailed monitoring, else by five."""
CREDITS = (
    *_kinds("Sum", "Credits (vCPU-minutes)", "CPUCreditUsage", period_s=FIVE_MINUTES_S),
    *_kinds("Average", "Credits (vCPU-minutes)", "CPUCreditBalance", period_s=FIVE_MINUTES_S),
)
SURPLUS = (
    *_kinds("Average", "Credits (vCPU-minutes)", "CPUSurplusCreditBalance", period_s=FIVE_MINUTES_S),
    *_kinds("Sum", "Credits (vCPU-minutes)", "CPUSurplusCreditsCharged", period_s=FIVE_MINUTES_S),
)
"""Of an unlimited instance; a standard one has none to spend."""
VOLUME = (
    *_kinds("Sum", "Count", "VolumeReadOps", "VolumeWriteOps", period_s=FIVE_MINUTES_S),
    *_kinds("Sum", "Bytes", "VolumeReadBytes", "VolumeWriteBytes", period_s=FIVE_MINUTES_S),
)
BURST_VOLUME = _kinds("Average", "Percent", "BurstBalance", period_s=FIVE_MINUTES_S)
"""Of gp2, st1 and sc1, which have a bucket."""
DATABASE = (
    *_kinds("Average", "Percent", "CPUUtilization"), *_kinds("Average", "Bytes", "FreeableMemory"),
    *_kinds("Average", "Count", "DatabaseConnections"), *_kinds("Average", "Count/Second", "ReadIOPS", "WriteIOPS"),
)  # fmt: skip
CACHE = (
    *_kinds("Average", "Percent", "CPUUtilization", "EngineCPUUtilization"), *_kinds("Average", "Bytes", "BytesUsedForCache"),
    *_kinds("Average", "Count", "CurrConnections"), *_kinds("Sum", "Count", "Evictions"),
)  # fmt: skip
BURST_CLASS = _kinds("Average", "Credits (vCPU-minutes)", "CPUCreditBalance", period_s=FIVE_MINUTES_S)
AGENT_KINDS = (
    *_kinds("Average Maximum", "Percent", "mem_used_percent", "mem_available_percent", "swap_used_percent"),
    *_kinds("Average Maximum", "Bytes", "mem_used", "mem_available", "mem_total", "mem_cached", "swap_used", "procstat_memory_rss"),
)
"""What a CloudWatch agent on a host may publish of its memory."""


def planned_metrics(topology: Mapping[str, Any]) -> list[Metric]:
    """List every metric of a stack, in the order of what topology.json holds; those of CloudWatch agents where it has `agent_metrics`."""
    balancer = (("LoadBalancer", str(topology["load_balancer"]["name"])),)
    planned = _of("AWS/ApplicationELB", balancer, LOAD_BALANCER)
    for group in topology["target_groups"]:
        planned += _of("AWS/ApplicationELB", (*balancer, ("TargetGroup", str(group["dimension"]))), TARGET_GROUP)
    for instance in topology["instances"]:
        planned += _of_instance(instance)
    for database in topology.get("rds", ()):
        kinds = (*DATABASE, *(BURST_CLASS if database["class"].startswith("db.t") else ()))
        planned += _of("AWS/RDS", (("DBInstanceIdentifier", str(database["id"])),), kinds)
    for cache in topology.get("cache", ()):
        kinds = (*CACHE, *(BURST_CLASS if cache["class"].startswith("cache.t") else ()))
        planned += _of("AWS/ElastiCache", (("CacheClusterId", str(cache["id"])),), kinds)
    return planned + _of_agents(topology, topology.get("agent_metrics", ()))


def _of(namespace: str, dimensions: Dimensions, kinds: Iterable[Kind], least_s: int = MINUTE_S) -> list[Metric]:
    return [Metric(namespace, dimensions, kind, max(kind.period_s, least_s)) for kind in kinds]


def _of_instance(instance: Mapping[str, Any]) -> list[Metric]:
    own = (("InstanceId", str(instance["id"])),)
    planned = _of("AWS/EC2", own, INSTANCE, MINUTE_S if instance["monitoring"] == "detailed" else FIVE_MINUTES_S)
    planned += _of("AWS/EC2", own, CREDITS) if instance["credit_mode"] else []
    planned += _of("AWS/EC2", own, SURPLUS) if instance["credit_mode"] == "unlimited" else []
    for volume in instance["volumes"]:
        if "id" in volume:
            kinds = (*VOLUME, *(BURST_VOLUME if volume["type"] in ("gp2", "st1", "sc1") else ()))
            planned += _of("AWS/EBS", (("VolumeId", str(volume["id"])),), kinds)
    return planned


def _of_agents(topology: Mapping[str, Any], listed: Iterable[Mapping[str, Any]]) -> list[Metric]:
    """Return what agents on the stack's instances publish, each set of dimensions its own metric."""
    ours, kinds = {str(instance["id"]) for instance in topology["instances"]}, {kind.name: kind for kind in AGENT_KINDS}
    found = sorted((str(m["name"]), tuple(sorted(m["dimensions"].items()))) for m in listed)
    wanted = [(name, own) for name, own in found if name in kinds and dict(own).get("InstanceId") in ours]
    return [metric for name, own in wanted for metric in _of(AGENT, own, (kinds[name],))]
