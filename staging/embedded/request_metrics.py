"""What the load balancer counts for CloudWatch: by minute, load balancer and target group, as AWS/ApplicationELB does.

Source: Elastic Load Balancing user guide, "CloudWatch metrics for your Application Load Balancer": RequestCount only where a
target could be chosen, TargetResponseTime from the request's leaving to the response's head, an HTTPCode where it isn't zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NAMESPACE = "AWS/ApplicationELB"
PERIOD_S = 60

Key = tuple[int, str, str | None]
"""Minute (UTC seconds), metric, target group's dimension or None for the load balancer as a whole."""


@dataclass(slots=True)
class Statistic:
    """A metric's values in one period, as CloudWatch's StatisticValues."""

    count: int = 0
    total: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def add(self, value: float) -> None:
        self.least = value if not self.count else min(self.least, value)
        self.most = value if not self.count else max(self.most, value)
        self.count += 1
        self.total += value


class RequestMetrics:
    """Counts of requests until they are taken away by `take`."""

    def __init__(self) -> None:
        self._statistics: dict[Key, Statistic] = {}

    def record(self, at_s: float, group: str | None, status: int, target_status: int | None, target_s: float | None) -> None:
        """Count one finished request; `group` is None where no target could be chosen."""
        minute = int(at_s) // PERIOD_S * PERIOD_S
        if group is not None:
            self._add(minute, "RequestCount", group, 1)
        if target_status is None:
            if status >= 400:
                self._add(minute, f"HTTPCode_ELB_{status // 100}XX_Count", None, 1)
            return
        self._add(minute, f"HTTPCode_Target_{target_status // 100}XX_Count", group, 1)
        if target_s is not None:
            self._add(minute, "TargetResponseTime", group, target_s)

    def take(self) -> list[Mapping[str, Any]]:
        """Return what was counted since the last call, and begin anew."""
        taken, self._statistics = self._statistics, {}
        return [
            {"minute": minute, "metric": metric, "target_group": group,
             "count": s.count, "sum": s.total, "min": s.least, "max": s.most}
            for (minute, metric, group), s in taken.items()
        ]  # fmt: skip

    def _add(self, minute: int, metric: str, group: str | None, value: float) -> None:
        for each in {group, None}:
            self._statistics.setdefault((minute, metric, each), Statistic()).add(value)


def as_metric_data(counts: list[Mapping[str, Any]], load_balancer: str) -> Iterator[dict[str, Any]]:
    """Turn taken counts into PutMetricData's form; a period's time is its start."""
    for count in counts:
        dimensions = [{"Name": "LoadBalancer", "Value": load_balancer}]
        if count["target_group"]:
            dimensions.insert(0, {"Name": "TargetGroup", "Value": count["target_group"]})
        yield {
            "MetricName": count["metric"], "Dimensions": dimensions, "Timestamp": count["minute"],
            "StatisticValues": {"SampleCount": count["count"], "Sum": count["sum"], "Minimum": count["min"], "Maximum": count["max"]},
            "Unit": "Seconds" if count["metric"] == "TargetResponseTime" else "Count",
        }  # fmt: skip
