"""Which class of RDS, which node of ElastiCache would do? From what CloudWatch saw of the present one; without all of it: unknown.

CPU: the highest vCPUs busy, and on a burstable class the mean ones, which must stay under its baseline or its credits run
out. Memory: what was not freeable at the worst. Connections: the most at once against what the class allows by default.
IOPS: reads and writes a second against the volume's own baseline, the same for every class.

Sources: RDS user guide "Monitoring metrics" and "Best practices"; ElastiCache user guide "Which metrics should I monitor?"
(keep engine CPU under 90 %, alarms by vCPUs) and "Managing reserved memory" (a quarter is kept for snapshots and failover).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from catalogue import CacheNode, Catalogue, DatabaseClass, Price, cache_nodes, database_classes
from evidence import Unknown
from sizing.money.held import Usage
from sizing.money.units import MONTH_H, cents

if TYPE_CHECKING:
    import polars as pl

CPU_RATIO = 0.8
"""Share of the vCPUs that a peak may take: beyond it waiting grows faster than load."""
CACHE_DATA_RATIO = 0.75
"""Default reserved-memory-percent is 25."""
GP2_IOPS_A_GIB, GP2_LEAST_IOPS, GP3_IOPS = 3, 100, 3000
RDS_METRICS = ("CPUUtilization", "FreeableMemory", "DatabaseConnections", "ReadIOPS", "WriteIOPS")
CACHE_METRICS = ("CPUUtilization", "BytesUsedForCache", "CurrConnections")
Class = DatabaseClass | CacheNode


@dataclass(frozen=True, slots=True)
class Demand:
    """What the present class was seen to carry."""

    busy_vcpus: float
    mean_vcpus: float
    memory_bytes: float
    connections: float
    iops: float | None = None


@dataclass(frozen=True, slots=True)
class ManagedBound:
    """One need against what a class has; `ok` None where what it has isn't known."""

    constraint: Literal["cpu", "credits", "memory", "connections", "iops"]
    need: float
    have: float | None
    unit: str

    @property
    def ok(self) -> bool | None:
        return None if self.have is None else self.need <= self.have

    def as_json(self) -> dict[str, Any]:
        return {"constraint": self.constraint, "need": self.need, "have": self.have, "unit": self.unit, "ok": self.ok}


@dataclass(frozen=True, slots=True)
class ManagedVerdict:
    """A class, priced and judged."""

    held: Class
    monthly_usd: Decimal
    bounds: Sequence[ManagedBound]
    price: Price

    @property
    def fits(self) -> bool | None:
        told = [bound.ok for bound in self.bounds]
        return False if False in told else None if None in told else True

    def as_json(self) -> dict[str, Any]:
        return {
            "class": self.held.name, "monthly_usd": cents(self.monthly_usd), "fits": self.fits,
            "constraints": [b.as_json() for b in self.bounds],
            "source": self.price.source, "as_of": None if self.price.as_of is None else self.price.as_of.isoformat(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ManagedAnswer:
    """The answer for one database or cache.

    Attributes
    ----------
    verdict : str
        unknown, undersized, oversized or rightsized, as for a host class.
    candidates : sequence
        Every class of the price list that costs no more than the present one, or than the recommended, cheapest first.
    """

    service: Literal["rds", "elasticache"]
    id: str
    present: str
    verdict: str
    recommended: ManagedVerdict | None = None
    candidates: Sequence[ManagedVerdict] = ()
    unknown: Unknown | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "service": self.service, "id": self.id, "present": self.present, "verdict": self.verdict,
            "recommended": None if self.recommended is None else self.recommended.as_json(),
            "candidates": [verdict.as_json() for verdict in self.candidates],
        }  # fmt: skip


def size_database(metrics: pl.DataFrame, database: Mapping[str, Any], catalogue: Catalogue) -> ManagedAnswer:
    """Size a database of topology.json from a run's metrics."""
    name, kind, engine = str(database["id"]), str(database["class"]), str(database["engine"])
    held = database_classes().get(kind)
    seen, missing = _seen(metrics, "AWS/RDS", "DBInstanceIdentifier", name, RDS_METRICS)
    if held is None or missing:
        return _unknown("rds", name, kind, missing)
    demand = Demand(
        seen["CPUUtilization"].max / 100 * held.vcpus, seen["CPUUtilization"].mean / 100 * held.vcpus,
        held.memory_bytes - seen["FreeableMemory"].min, seen["DatabaseConnections"].max, seen["ReadIOPS"].max + seen["WriteIOPS"].max,
    )  # fmt: skip
    priced = [(c, catalogue.rds(c.name, engine, multi_az=bool(database.get("multi_az")))) for c in database_classes().values()]
    volume_iops = _volume_iops(database)
    return _judge(
        "rds", name, kind, [(c, p, _bounds(c, demand, _connections(c, engine), c.memory_bytes, volume_iops)) for c, p in priced if p]
    )


def size_cache(metrics: pl.DataFrame, cache: Mapping[str, Any], catalogue: Catalogue) -> ManagedAnswer:
    """Size a cache of topology.json from a run's metrics."""
    name, kind, engine = str(cache["id"]), str(cache["class"]), str(cache["engine"])
    held = cache_nodes().get(kind)
    seen, missing = _seen(metrics, "AWS/ElastiCache", "CacheClusterId", name, CACHE_METRICS)
    if held is None or missing:
        return _unknown("elasticache", name, kind, missing)
    cpu = seen["CPUUtilization"]
    demand = Demand(
        cpu.max / 100 * held.vcpus,
        cpu.mean / 100 * held.vcpus,
        seen["BytesUsedForCache"].max / CACHE_DATA_RATIO,
        seen["CurrConnections"].max,
    )
    priced = [(node, catalogue.cache_node(node.name, engine)) for node in cache_nodes().values()]
    return _judge(
        "elasticache", name, kind, [(n, p, _bounds(n, demand, _connections(n, engine), n.memory_bytes, None)) for n, p in priced if p]
    )


def managed_usage(topology: Mapping[str, Any], answers: Sequence[ManagedAnswer]) -> list[Usage]:
    """What databases and caches will run: the recommended class where one is, else the present one; a second zone counts as one more."""
    wanted: dict[tuple[str, str], str] = {(a.service, a.id): a.recommended.held.name for a in answers if a.recommended is not None}
    databases = [(row, "rds", 2 if row.get("multi_az") else 1) for row in topology.get("rds", ())]
    caches = [(row, "elasticache", int(row.get("nodes") or 1)) for row in topology.get("cache", ())]
    return [
        Usage(str(row["id"]), wanted.get((service, str(row["id"])), str(row["class"])), count, platform=str(row["engine"]))
        for row, service, count in [*databases, *caches]
    ]


@dataclass(frozen=True, slots=True)
class _Seen:
    min: float
    mean: float
    max: float


def _seen(metrics: pl.DataFrame, namespace: str, key: str, name: str, wanted: Sequence[str]) -> tuple[dict[str, _Seen], list[str]]:
    """What each metric was for one database or cache, and which of them nobody measured."""
    import polars as pl

    ours = [json.loads(text).get(key) == name for text in metrics["dimensions"]]
    rows = metrics.filter(pl.Series(ours, dtype=pl.Boolean) & (pl.col("namespace") == namespace))
    found: dict[str, _Seen] = {}
    for metric in wanted:
        values = rows.filter(pl.col("metric") == metric)["value"].to_list()
        if values:
            found[metric] = _Seen(min(values), sum(values) / len(values), max(values))
    return found, [metric for metric in wanted if metric not in found]


def _bounds(held: Class, demand: Demand, connections: int | None, memory_bytes: int, volume_iops: float | None) -> list[ManagedBound]:
    bounds = [
        ManagedBound("cpu", demand.busy_vcpus, held.vcpus * CPU_RATIO, "vcpus"),
        ManagedBound("memory", demand.memory_bytes, memory_bytes, "bytes"),
        ManagedBound("connections", demand.connections, connections, "connections"),
    ]
    baseline = _baseline_vcpus(held)
    bounds += [] if baseline is None else [ManagedBound("credits", demand.mean_vcpus, baseline, "vcpus")]
    return bounds + ([] if demand.iops is None else [ManagedBound("iops", demand.iops, volume_iops, "per_s")])


def _baseline_vcpus(held: Class) -> float | None:
    """The vCPUs that a burstable class has for ever: those of the EC2 type of its name; None where it doesn't burst."""
    from catalogue.instances import burst_rules

    rule = burst_rules().get(held.name.partition(".")[2])
    return None if rule is None else rule.baseline_ratio_per_vcpu * held.vcpus


def _volume_iops(database: Mapping[str, Any]) -> float | None:
    gib, kind = database.get("storage_gib"), database.get("storage_type")
    if gib is None or kind not in ("gp2", "gp3"):
        return None
    return GP3_IOPS if kind == "gp3" else max(GP2_LEAST_IOPS, GP2_IOPS_A_GIB * float(gib))


def _connections(held: Class, engine: str) -> int | None:
    from catalogue.load import ENGINES

    return held.connections(ENGINES.get(engine.lower(), engine))


def _judge(
    service: Literal["rds", "elasticache"], name: str, kind: str, priced: Sequence[tuple[Class, Price, list[ManagedBound]]]
) -> ManagedAnswer:
    ranked = sorted((ManagedVerdict(c, p.usd * MONTH_H, bounds, p) for c, p, bounds in priced), key=lambda v: (v.monthly_usd, v.held.name))
    chosen = next((verdict for verdict in ranked if verdict.fits is True), None)
    present = next((verdict for verdict in ranked if verdict.held.name == kind), None)
    dearest = max((v.monthly_usd for v in (chosen, present) if v is not None), default=Decimal(0))
    return ManagedAnswer(service, name, kind, _verdict(present, chosen), chosen, [v for v in ranked if v.monthly_usd <= dearest])


def _verdict(present: ManagedVerdict | None, chosen: ManagedVerdict | None) -> str:
    if present is None or present.fits is None:
        return "unknown"
    if present.fits is False:
        return "undersized"
    return "oversized" if chosen is not None and chosen.monthly_usd < present.monthly_usd else "rightsized"


def _unknown(service: Literal["rds", "elasticache"], name: str, kind: str, missing: Sequence[str]) -> ManagedAnswer:
    why = f"no metric {', '.join(missing)} of {name} was read" if missing else f"nothing is known of the class {kind}"
    return ManagedAnswer(service, name, kind, "unknown", unknown=Unknown(why, "collect a run from an account whose CloudWatch has them"))
