"""What CloudWatch counted: the load balancer, each target group, and the instances' CPU and credits, as rows of `metrics`.

GetMetricData bills by the metric asked for, not by the call, so each metric is asked for once and calls are filled up to
their limit of 500 (CloudWatch API reference, GetMetricData). A period without data is no row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collectors.aws import AwsSession, in_parts
from collectors.registry import Collector
from evidence import micros

QUERIES_A_CALL = 500
PERIOD_S = 60
CREDIT_PERIOD_S = 300
"""EC2 User Guide: credit metrics are always 5-minute, CPUUtilization too unless detailed monitoring is on."""

_CODES = tuple((f"HTTPCode_Target_{n}XX_Count", "Sum", "Count") for n in (2, 3, 4, 5))
_BALANCER = (("RequestCount", "Sum", "Count"), ("TargetResponseTime", "Average", "Seconds"), *_CODES)
_BALANCER_ALONE = (("HTTPCode_ELB_4XX_Count", "Sum", "Count"), ("HTTPCode_ELB_5XX_Count", "Sum", "Count"))
_CAPACITY = (("NewConnectionCount", "Sum", "Count"), ("ActiveConnectionCount", "Sum", "Count"), ("ProcessedBytes", "Sum", "Bytes"),
             ("RuleEvaluations", "Sum", "Count"))  # fmt: skip
"""What capacity units are billed by."""
_DATABASE = (("CPUUtilization", "Average", "Percent"), ("FreeableMemory", "Average", "Bytes"), ("DatabaseConnections", "Average", "Count"),
             ("ReadIOPS", "Average", "Count/Second"), ("WriteIOPS", "Average", "Count/Second"))  # fmt: skip
_CACHE = (("CPUUtilization", "Average", "Percent"), ("BytesUsedForCache", "Average", "Bytes"), ("CurrConnections", "Average", "Count"))
_INSTANCE = (("CPUUtilization", "Average", "Percent"),)
_BURSTABLE = (("CPUCreditBalance", "Average", "Count"),)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric to ask for; `dimensions` by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period_s: int
    unit: str


def planned_metrics(topology: Mapping[str, Any]) -> list[Metric]:
    """List every metric that a collection asks for: its length is what GetMetricData bills."""
    balancer = (("LoadBalancer", topology["load_balancer"]["name"]),)
    planned = _metrics("AWS/ApplicationELB", balancer, PERIOD_S, _BALANCER + _BALANCER_ALONE + _CAPACITY)
    for group in topology["target_groups"]:
        planned += _metrics("AWS/ApplicationELB", (*balancer, ("TargetGroup", group["dimension"])), PERIOD_S, _BALANCER)
    for instance in topology["instances"]:
        own = (("InstanceId", instance["id"]),)
        period_s = PERIOD_S if instance["monitoring"] == "detailed" else CREDIT_PERIOD_S
        planned += _metrics("AWS/EC2", own, period_s, _INSTANCE)
        planned += _metrics("AWS/EC2", own, CREDIT_PERIOD_S, _BURSTABLE) if instance["credit_mode"] else []
    for database in topology.get("rds", ()):
        planned += _metrics("AWS/RDS", (("DBInstanceIdentifier", database["id"]),), PERIOD_S, _DATABASE)
    for cache in topology.get("cache", ()):
        planned += _metrics("AWS/ElastiCache", (("CacheClusterId", cache["id"]),), PERIOD_S, _CACHE)
    return planned


def collect_cloudwatch(aws: AwsSession, topology: Mapping[str, Any], start: datetime, end: datetime) -> list[tuple[Any, ...]]:
    """Read every planned metric from `start` to `end`; return rows in the order of `evidence.TABLES["metrics"]`, by time.

    Raises
    ------
    SizeupError
        Where AWS doesn't answer.
    """
    rows: list[tuple[Any, ...]] = []
    for part in in_parts(planned_metrics(topology), QUERIES_A_CALL):
        rows += _read(aws, part, start, end)
    return sorted(rows)


def _metrics(namespace: str, dimensions: tuple[tuple[str, str], ...], period_s: int, names: Iterable[tuple[str, str, str]]) -> list[Metric]:
    return [Metric(namespace, name, dimensions, statistic, period_s, unit) for name, statistic, unit in names]


def _read(aws: AwsSession, metrics: Iterable[Metric], start: datetime, end: datetime) -> list[tuple[Any, ...]]:
    """Read one call's metrics with all its pages."""
    by_id = {f"m{n}": metric for n, metric in enumerate(metrics)}
    arguments: dict[str, Any] = {
        "MetricDataQueries": [{"Id": key, "MetricStat": _stat(metric), "ReturnData": True} for key, metric in by_id.items()],
        "StartTime": start, "EndTime": end, "ScanBy": "TimestampAscending",
    }  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    while True:
        answer = aws.call("cloudwatch", "get_metric_data", **arguments)
        for result in answer["MetricDataResults"]:
            rows += _rows(by_id[result["Id"]], result, aws.region)
        if not answer.get("NextToken"):
            return rows
        arguments["NextToken"] = answer["NextToken"]


def _stat(metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {
        "Metric": {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions},
        "Period": metric.period_s,
        "Stat": metric.statistic,
    }


def _rows(metric: Metric, result: Mapping[str, Any], region: str) -> Iterable[tuple[Any, ...]]:
    dimensions = json.dumps(dict(metric.dimensions), sort_keys=True)
    for at, value in zip(result["Timestamps"], result["Values"], strict=True):
        yield (micros(at), metric.namespace, metric.name, dimensions, metric.statistic, metric.period_s, float(value), metric.unit, region)


COLLECTOR = Collector(
    asks="what did the load balancer and the hypervisor count?",
    fills="metrics",
    calls=("cloudwatch:GetMetricData",),
    collect=collect_cloudwatch,
)
