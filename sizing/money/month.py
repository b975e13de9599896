"""How much does a stack use of what is billed by use? Read from a run: its access log, or what the load balancer counted.

Source: Elastic Load Balancing pricing: new connections a second, connections active in a minute, GB an hour, and rule
evaluations; each averaged over the hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sizing.money.lcu import Lcu, alb_lcu
from sizing.money.units import MONTH_H

if TYPE_CHECKING:
    import polars as pl

GIB = 1024**3
NAMESPACE = "AWS/ApplicationELB"


@dataclass(frozen=True, slots=True)
class MonthlyUse:
    """What a month uses; None where nobody measured it.

    Attributes
    ----------
    lcu : Lcu, optional
        The load balancer's capacity units, by dimension.
    transfer_gb, cdn_gb : Decimal, optional
        GB that leave for the internet from the region, and from CloudFront.
    metrics_read : int, optional
        Metrics that our own collection reads in the month.
    basis : str
        At which traffic, for people.
    """

    lcu: Lcu | None = None
    transfer_gb: Decimal | None = None
    cdn_gb: Decimal | None = None
    metrics_read: int | None = None
    basis: str = ""


def run_use(access_log: pl.DataFrame, metrics: pl.DataFrame, topology: Mapping[str, Any], *, mean_per_s: float | None = None) -> MonthlyUse:
    """Read the use of a month from a run.

    Parameters
    ----------
    mean_per_s : float, optional
        Requests a second from outside, on average over the month ([traffic] mean_per_s); without it the load balancer's
        units are those of the run's own traffic around the clock, and how much leaves for the internet is not known.
    """
    rules = rule_count(topology)
    seen = units_of_metrics(metrics) or units_of_log(access_log, rules)
    span_s = _span_s(access_log)
    read = metrics.select("namespace", "metric", "dimensions").n_unique() or None  # up to five statistics of one are billed as one
    if seen is None or span_s is None or mean_per_s is None or access_log.is_empty():
        return MonthlyUse(seen, None, None, read, "the run's own traffic, around the clock")
    share = Decimal(str(mean_per_s)) / (Decimal(outside(access_log).height) / Decimal(str(span_s)))
    sent = Decimal(int(outside(access_log)["sent_bytes"].sum())) / Decimal(str(span_s)) * share
    scaled = Lcu({name: units * share for name, units in seen.by_dimension.items()})
    return MonthlyUse(scaled, sent * 3600 * MONTH_H / GIB, None, read, f"{mean_per_s:g} requests a second on average, at the run's mix")


def units_of_log(access_log: pl.DataFrame, rules: int) -> Lcu | None:
    """Count capacity units from access-log lines; a client's address and port are one connection. None without lines."""
    import polars as pl

    span_s = _span_s(access_log)
    if span_s is None:
        return None
    a_minute = access_log.group_by(pl.col("at").dt.truncate("1m")).agg(pl.col("client").n_unique())["client"]
    moved = int(access_log["received_bytes"].sum()) + int(access_log["sent_bytes"].sum())
    seconds, new = Decimal(str(span_s)), Decimal(access_log["client"].n_unique())
    active = Decimal(str(a_minute.mean()))
    return alb_lcu(
        new_per_s=new / seconds, duration_s=active * seconds / new, gb_per_h=Decimal(moved) / GIB / seconds * 3600,
        requests_per_s=access_log.height / seconds, rules=rules,
    )  # fmt: skip


def units_of_metrics(metrics: pl.DataFrame) -> Lcu | None:
    """Count capacity units from what the load balancer told CloudWatch; None unless it told all of it."""
    import polars as pl

    ours = metrics.filter(pl.col("namespace") == NAMESPACE)
    told = {name: ours.filter(pl.col("metric") == name) for name in ("NewConnectionCount", "ActiveConnectionCount", "ProcessedBytes")}
    if any(rows.is_empty() for rows in told.values()):
        return None
    new, active, moved = (_per_second(rows) for rows in told.values())
    evaluated = ours.filter(pl.col("metric") == "RuleEvaluations")
    minute = Decimal(60)
    return Lcu({
        "new": new / 25, "active": active * minute / 3000, "gb": moved * 3600 / GIB,
        "rules": Decimal(0) if evaluated.is_empty() else _per_second(evaluated) / 1000,
    })  # fmt: skip


def rule_count(topology: Mapping[str, Any]) -> int:
    """Return the most rules that a request may meet: those of the listener with the most."""
    listeners = (topology.get("load_balancer") or {}).get("listeners", ())
    return max((len(listener["rules"]) for listener in listeners), default=0)


def outside(access_log: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of requests from outside: those that a load generator sent, else all."""
    import polars as pl

    traced = access_log.filter(pl.col("trace_run").is_not_null())
    return access_log if traced.is_empty() else traced


def _per_second(rows: pl.DataFrame) -> Decimal:
    """The mean over the periods seen, a sum each."""
    return Decimal(str(rows["value"].sum())) / Decimal(int(rows["period_s"].sum()))


def _span_s(access_log: pl.DataFrame) -> float | None:
    """Seconds from the first to the last line; None for less than a second of traffic."""
    if access_log.is_empty():
        return None
    seconds: float = (access_log["at"].max() - access_log["at"].min()).total_seconds()  # type: ignore[operator, union-attr]  # a Datetime column that isn't empty
    return seconds if seconds >= 1 else None
