"""Collections as `sizeup collect` leaves them, whose counts are odd: made whole, without an account."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from catalogue import load_catalogue
from evidence import SpoolWriter, create_run, micros, rfc3339, seal
from sizeup.measure import describe

REGION, PERIOD_S, DAY_S = "ap-northeast-2", 300, 86_400
END = datetime(2026, 11, 23, tzinfo=UTC)
BALANCER = {"LoadBalancer": "app/shop/1"}
GROUP = {**BALANCER, "TargetGroup": "targetgroup/shop-api/2"}
HOST = {"InstanceId": "i-0a"}
KINDS = {
    "requests": ("AWS/ApplicationELB", "RequestCount", BALANCER, "Sum", "Count"),
    "api_requests": ("AWS/ApplicationELB", "RequestCount", GROUP, "Sum", "Count"),
    "api_5xx": ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", GROUP, "Sum", "Count"),
    "api_time": ("AWS/ApplicationELB", "TargetResponseTime", GROUP, "Average", "Seconds"),
    "cpu": ("AWS/EC2", "CPUUtilization", HOST, "Average", "Percent"),
    "credits": ("AWS/EC2", "CPUCreditBalance", HOST, "Average", "Credits (vCPU-minutes)"),
}
Values = Callable[[np.ndarray], np.ndarray]


def constant(value: float) -> Values:
    return lambda at_s: np.full(len(at_s), float(value))


def daily(mean: float) -> Values:
    return lambda at_s: mean * (1 + 0.8 * np.cos(2 * np.pi * at_s / DAY_S))


def topology(**more: Any) -> dict[str, Any]:
    return {
        "schema": "1", "account": "123456789012", "region": REGION, "as_of": rfc3339(END),
        "load_balancer": {"name": "app/shop/1", "scheme": "internet-facing", "zones": ["ap-northeast-2a"], "listeners": []},
        "target_groups": [{"name": "shop-api", "class": "api", "dimension": "targetgroup/shop-api/2", "targets": [
            {"instance": "i-0a", "zone": "ap-northeast-2a", "port": 8080, "health": "healthy"}]}],
        "instances": [{"id": "i-0a", "class": "api", "type": "t3.small", "arch": "x86_64", "zone": "ap-northeast-2a",
                       "credit_mode": "unlimited", "platform": "Linux/UNIX", "tenancy": "default", "monitoring": "basic", "volumes": []}],
        "addresses": [], "rds": [], "cache": [], "reservations": [], "savings_plans": [], "deployments": [], "warnings": [], **more,
    }  # fmt: skip


def make_collection(results: Path, series: dict[str, Values | tuple[np.ndarray, np.ndarray]], days: float = 14, stack: Any = None) -> Path:
    """Write a run of `days` up to END: each series by the name of its kind, a function of its times or times and values."""
    start = END - timedelta(days=days)
    every_s = np.arange(start.timestamp(), END.timestamp(), PERIOD_S)
    folder = create_run(results, "production", "collect", END, collected={"cloudwatch": 1})
    folder.update(plan={"name": "collect", "asked": {}, "start": rfc3339(start), "end": rfc3339(END)})
    catalogue = load_catalogue(REGION)
    describe(catalogue, [t for t in catalogue.types if t.startswith(("t2.", "t3.", "t4g."))], folder, "", stack or topology())
    writer = SpoolWriter(folder.spool / "metrics.spool", "metrics")
    for name, told in series.items():
        namespace, metric, dimensions, statistic, unit = KINDS[name]
        at_s, values = (every_s, told(every_s)) if callable(told) else told
        for at, value in zip(at_s, values, strict=True):
            row = (micros(datetime.fromtimestamp(float(at), UTC)), namespace, metric, json.dumps(dimensions, sort_keys=True), statistic)
            writer.append((*row, PERIOD_S, float(value), unit, REGION))
    writer.close()
    seal(folder, "complete", END)
    return folder.path
