"""The same made run as CloudWatch would have it: averages of the whole host, and the load balancer's counts."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl

from evidence import TABLES, Run

SCHEMA = {"at": pl.Datetime("us", "UTC"), "period_s": pl.Int32, "value": pl.Float64}
BALANCER = "app/made/1"
IDS = {"api": "i-api", "frontend": "i-frontend"}
VCPUS = 2


def metric_rows(at, value, metric: str, dimensions: dict[str, str], period_s: int, statistic: str = "Sum") -> pl.DataFrame:
    namespace = "AWS/EC2" if "InstanceId" in dimensions else "AWS/ApplicationELB"
    frame = pl.DataFrame({"at": at, "value": value.cast(pl.Float64)}).with_columns(
        namespace=pl.lit(namespace), metric=pl.lit(metric), dimensions=pl.lit(json.dumps(dimensions, sort_keys=True)),
        statistic=pl.lit(statistic), period_s=pl.lit(period_s, pl.Int32), unit=pl.lit(""), region=pl.lit("ap-northeast-2"),
    )  # fmt: skip
    return frame.select(c.name for c in TABLES["metrics"])


def cpu_metrics(hosts: pl.DataFrame, period_s: int) -> pl.DataFrame:
    """CPUUtilization of each class's instance; a period's time is its start."""
    found = []
    for (name,), rows in hosts.partition_by("class", as_dict=True).items():
        began = (pl.col("at") - pl.duration(milliseconds=1)).dt.truncate(f"{period_s}s")
        took = rows.group_by(began.alias("at")).agg(value=pl.col("cpu_user_s").sum() / period_s / VCPUS * 100).sort("at")
        found.append(metric_rows(took["at"], took["value"], "CPUUtilization", {"InstanceId": IDS[str(name)]}, period_s, "Average"))
    return pl.concat(found)


def count_metrics(log: pl.DataFrame, group: str, period_s: int) -> pl.DataFrame:
    """RequestCount and TargetResponseTime of one target group, and of the balancer as a whole."""
    began = pl.col("created_at").dt.truncate(f"{period_s}s").alias("at")
    by = log.group_by(began).agg(n=pl.len(), mean=pl.col("target_s").mean()).sort("at")
    own = {"LoadBalancer": BALANCER, "TargetGroup": f"targetgroup/{group}/2"}
    return pl.concat([
        metric_rows(by["at"], by["n"], "RequestCount", own, period_s),
        metric_rows(by["at"], by["mean"], "TargetResponseTime", own, period_s, "Average"),
        metric_rows(by["at"], by["n"], "RequestCount", {"LoadBalancer": BALANCER}, period_s),
    ])  # fmt: skip


def only_cloudwatch(run: Run, period_s: int) -> Run:
    """The run without hosts, processes and access log."""
    metrics = pl.concat([cpu_metrics(run.hosts, period_s), count_metrics(run.access_log, "moco-api", period_s)])
    topology = {**run.topology, "instances": [{**i, "id": IDS[i["class"]]} for i in run.topology["instances"]]}
    return replace(
        run, hosts=run.hosts.clear(), processes=run.processes.clear(), access_log=run.access_log.clear(), metrics=metrics,
        topology=topology, catalogue={"types": [{"type": "t3.small", "vcpus": VCPUS}]},
    )  # fmt: skip
