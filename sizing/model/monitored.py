"""What CloudWatch alone says of a host class: CPU averages of its instances, and its target group's counts.

Source: EC2 user guide, "List the available CloudWatch metrics": CPUUtilization is the share of all vCPUs, a period's mean;
Application Load Balancer user guide, "CloudWatch metrics": RequestCount by target group, no row for a period without one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from evidence import Run
from sizing.model.arrivals import counted_in, epoch_s
from sizing.model.series import series_shape
from sizing.types import F8


@dataclass(frozen=True, slots=True)
class Counts:
    """A metric of the load balancer: the start of each period, its length and its sum (or mean), in order of time."""

    at_s: F8
    period_s: F8
    value: F8

    def inside(self, starts: F8, ends: F8) -> F8:
        """Sums over [start, end), shape (bins,)."""
        return counted_in(self.at_s, self.period_s, self.value, starts, ends) if len(self.at_s) else np.zeros(len(ends))


def instance_types(run: Run, host_class: str) -> list[tuple[str, str]]:
    """Id and type of the class's instances, by the run's topology."""
    return [(str(i["id"]), str(i["type"])) for i in run.topology.get("instances", []) if i.get("class") == host_class]


def vcpus_of(run: Run, host_class: str) -> int | None:
    """A host's vCPUs, by the run's own catalogue; None where neither topology nor catalogue tells."""
    known = {str(t["type"]): int(t["vcpus"]) for t in run.catalogue.get("types", [])}
    return next((known[kind] for _, kind in instance_types(run, host_class) if kind in known), None)


def hosts_from_metrics(run: Run, host_class: str, vcpus: int) -> pl.DataFrame:
    """Rows as of the hosts table, one a period, from the instances' CPUUtilization; empty where it wasn't collected."""
    ids = {name for name, _ in instance_types(run, host_class)}
    rows = _of(run.metrics, "AWS/EC2", "CPUUtilization", lambda d: d.get("InstanceId") in ids)
    # A whole host is 100 %: more than its vCPUs it can't take, whatever a monitor says.
    busy_s = pl.col("value").clip(upper_bound=100.0) / 100.0 * vcpus * pl.col("period_s")
    rows = rows.select(
        (pl.col("at") + pl.duration(seconds=pl.col("period_s"))).alias("at"),
        pl.col("period_s").cast(pl.Float32).alias("interval_s"),
        pl.col("dimensions").str.json_path_match("$.InstanceId").alias("host"),
        pl.lit(host_class).alias("class"),
        pl.lit("cloudwatch").alias("source"),
        pl.lit(vcpus, pl.Int16).alias("vcpus"),
        busy_s.cast(pl.Float32).alias("cpu_user_s"),
        pl.lit(0.0, pl.Float32).alias("cpu_system_s"),
        pl.lit(False).alias("gap"),
    )
    # A period in which one of several instances has no row would count too little: what all have stands.
    hosts = max(rows["host"].n_unique(), 1)
    return rows.unique(["at", "host"]).filter(pl.len().over("at") == hosts).sort("at")


def balancer_counts(run: Run, metric: str, target_group: str | None = None, balancer: bool = False) -> Counts:
    """A metric of the load balancer, of one target group (by its name) or of all it was asked for."""

    def wanted(dimensions: Mapping[str, Any]) -> bool:
        group = str(dimensions.get("TargetGroup", ""))
        return not group if balancer else f"/{target_group}/" in group

    rows = _of(run.metrics, "AWS/ApplicationELB", metric, wanted).unique("at").sort("at")
    return Counts(epoch_s(rows["at"]), rows["period_s"].to_numpy().astype(float), rows["value"].to_numpy().astype(float))


def mean_latency_s(requests: Counts, means: Counts) -> float | None:
    """The mean response time over all periods, each weighed by its requests; None where there is none."""
    weight = requests.inside(means.at_s, means.at_s + means.period_s)
    return float(weight @ means.value / weight.sum()) if len(means.at_s) and weight.sum() > 0 else None


def gaps_words(hosts: pl.DataFrame) -> str | None:
    """What is missing of the monitor's series, in words; None where it is whole."""
    at_s = epoch_s(hosts["at"].unique())
    if len(at_s) < 2:
        return None
    shape = series_shape(at_s, np.zeros(len(at_s)))
    if not shape.missing:
        return None
    longest = f"in {shape.gaps} gaps, the longest {shape.max_gap_s:g} s"
    return f"{shape.missing} periods of {shape.step_s:g} s are missing {longest}; they are left out."


def _of(metrics: pl.DataFrame, namespace: str, metric: str, wanted: Any) -> pl.DataFrame:
    """A metric's sums or means; its percentiles stand beside them. A value that counts nothing (NaN, below 0) is none."""
    of_it = (pl.col("namespace") == namespace) & (pl.col("metric") == metric) & ~pl.col("statistic").str.starts_with("p")
    rows = metrics.filter(of_it & pl.col("value").is_finite() & (pl.col("value") >= 0))
    kept = {text for text in rows["dimensions"].unique() if wanted(json.loads(text))}
    return rows.filter(pl.col("dimensions").is_in(list(kept)))
