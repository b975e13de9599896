"""CloudWatch as a reader sees it, with its limits. Source: CloudWatch API reference, GetMetricData, ListMetrics, DescribeAlarmHistory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from staging.aws.alarms import describe_alarm_history
from staging.aws.metric import MetricSeries, describe, read_points
from staging.aws.service import Service
from staging.aws.world import AwsFault, AwsWorld, page

MOST_QUERIES, MOST_POINTS, LISTED = 500, 100_800, 500
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


def get_metric_data(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the queries in their order, cut into pages of at most the points that a call may return."""
    queries = asked.get("MetricDataQueries", [])
    _check(queries, asked)
    by_key = {series.key: series for series in world.metrics}
    points = [_points(world, by_key.get(_key(query["MetricStat"]["Metric"])), query, asked) for query in queries]
    flat = [(n, at_s, value) for n, found in enumerate(points) for at_s, value in zip(*found, strict=True)]
    most = min(asked.get("MaxDatapoints", MOST_POINTS), MOST_POINTS)
    cut, token = page(world, flat, asked.get("NextToken"), most, MOST_POINTS, "InvalidNextToken", world.points_a_page)
    told: dict[int, list[tuple[int, float]]] = {n: [] for n in range(len(queries))}
    for n, at_s, value in cut:
        told[n].append((at_s, value))
    last = cut[-1][0] if token else len(queries)
    results = [_result(query, told[n], n < last) for n, query in enumerate(queries)]
    if world.trouble.incomplete:
        world.trouble.incomplete -= 1
        return {"MetricDataResults": [_half(result) for result in results], "Messages": []}
    return {"MetricDataResults": results, "Messages": []} | ({"NextToken": token} if token else {})


def list_metrics(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Name each metric that has the namespace, the name and the dimensions asked for."""
    wanted = {d["Name"]: d.get("Value") for d in asked.get("Dimensions", [])}
    found = [
        describe(series) for series in world.metrics
        if asked.get("Namespace") in (None, series.namespace) and asked.get("MetricName") in (None, series.name)
        and all(name in series.dimensions and value in (None, series.dimensions[name]) for name, value in wanted.items())
    ]  # fmt: skip
    items, token = page(world, found, asked.get("NextToken"), None, LISTED, "InvalidParameterValue")
    return {"Metrics": items} | ({"NextToken": token} if token else {})


def billed_metrics(queries: Sequence[Mapping[str, Any]]) -> int:
    """Count what a call's queries are billed as: up to five statistics of a metric are one. Source: CloudWatch pricing, API requests."""
    statistics: dict[Any, set[str]] = {}
    for query in queries:
        statistics.setdefault(_key(query["MetricStat"]["Metric"]), set()).add(query["MetricStat"]["Stat"])
    return sum(-(-len(found) // 5) for found in statistics.values())


def _check(queries: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]) -> None:
    """Refuse what CloudWatch refuses.

    Raises
    ------
    AwsFault
        ValidationError, worded as CloudWatch words it.
    """
    if len(queries) > MOST_QUERIES:
        raise _invalid(f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.")
    if not queries:
        raise _invalid("The parameter MetricDataQueries is required.")
    if asked["StartTime"] >= asked["EndTime"]:
        raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids):
        raise _invalid("The values for parameter id in MetricDataQueries are not unique.")
    if wrong := next((name for name in ids if not _ID.fullmatch(name)), None):
        raise _invalid(f"The value {wrong} for parameter MetricDataQueries.member.1.Id is not matching the expected pattern {_ID.pattern}.")
    if any(query["MetricStat"]["Period"] % 60 for query in queries):
        raise _invalid("The parameter MetricDataQueries.member.1.MetricStat.Period must be a multiple of 60.")
    if asked.get("MaxDatapoints", 1) > MOST_POINTS:
        raise _invalid(f"The value for parameter MaxDatapoints must be less than or equal to {MOST_POINTS}.")


def _invalid(message: str) -> AwsFault:
    return AwsFault("ValidationError", message)


def _key(metric: Mapping[str, Any]) -> tuple[str, str, frozenset[tuple[str, str]]]:
    return metric["Namespace"], metric["MetricName"], frozenset((d["Name"], d["Value"]) for d in metric.get("Dimensions", []))


def _points(
    world: AwsWorld, series: MetricSeries | None, query: Mapping[str, Any], asked: Mapping[str, Any]
) -> tuple[list[int], list[float]]:
    if series is None:
        return [], []
    stat, now_s = query["MetricStat"], world.clock().timestamp()
    times = int(asked["StartTime"]), int(asked["EndTime"])
    at_s, values = read_points(series, world.trouble, stat["Stat"], stat["Period"], *times, now_s)
    if asked.get("ScanBy", "TimestampDescending") == "TimestampDescending" and not world.trouble.is_shuffled:
        at_s, values = at_s[::-1], values[::-1]
    return at_s.tolist(), values.tolist()


def _result(query: Mapping[str, Any], points: Sequence[tuple[int, float]], is_whole: bool) -> dict[str, Any]:
    return {
        "Id": query["Id"], "Label": query.get("Label", query["MetricStat"]["Metric"]["MetricName"]),
        "Timestamps": [at_s for at_s, _ in points], "Values": [value for _, value in points],
        "StatusCode": "Complete" if is_whole else "PartialData",
    }  # fmt: skip


def _half(result: Mapping[str, Any]) -> dict[str, Any]:
    kept = len(result["Values"]) // 2
    return {**result, "Timestamps": result["Timestamps"][:kept], "Values": result["Values"][:kept], "StatusCode": "InternalError"}


SERVICE = Service({"DescribeAlarmHistory": describe_alarm_history, "GetMetricData": get_metric_data, "ListMetrics": list_metrics})
