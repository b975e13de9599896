"""What would the same service cost on Fargate, or on Lambda, and what would that change? From the measured demand.

Sources of what changes: AWS Fargate pricing (no credits, billed from the image's download on), Lambda developer guide,
"Understanding Lambda function scaling" (an environment serves one request at a time, 15 minutes at most) and "Improving
startup performance with Lambda SnapStart" (down to under a second).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from catalogue import Catalogue, ServicePrice
from evidence import Unknown
from sizing.money.fargate import HOUR_S, FargateRates, TaskSize, fargate_usd, sizes_that_hold
from sizing.money.functions import function_usd, memory_for
from sizing.money.units import MONTH_H, cents

GIB = 1024**3
MONTH_S = MONTH_H * HOUR_S


@dataclass(frozen=True, slots=True)
class ServiceDemand:
    """What one host class needs.

    Attributes
    ----------
    peak_vcpus : float
        Busy vCPUs at the peak.
    memory_bytes : float
        Of one copy of the service's own processes, without kernel and page cache, which the platform brings.
    mean_per_s, peak_per_s : float
        Requests that reach the class.
    duration_s : float
        Mean time of a request at the target.
    """

    host_class: str
    peak_vcpus: float
    memory_bytes: float
    mean_per_s: float
    peak_per_s: float
    duration_s: float
    arch: Literal["x86", "arm64"] = "x86"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One other way to run a host class.

    Attributes
    ----------
    size : str
        What would be configured, for people.
    changes : sequence of str
        What it would change beside the price.
    """

    host_class: str
    service: Literal["fargate", "lambda"]
    size: str | None
    monthly_usd: Decimal | None
    changes: Sequence[str]
    source: str | None = None
    as_of: date | None = None
    unknown: Unknown | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "class": self.host_class, "service": self.service, "size": self.size, "monthly_usd": cents(self.monthly_usd),
            "changes": list(self.changes), "source": self.source, "as_of": None if self.as_of is None else self.as_of.isoformat(),
        }  # fmt: skip


def other_ways(demand: ServiceDemand, catalogue: Catalogue) -> list[Alternative]:
    """Price a class's demand on Fargate and on Lambda."""
    return [on_fargate(demand, catalogue), on_lambda(demand, catalogue)]


def on_fargate(demand: ServiceDemand, catalogue: Catalogue) -> Alternative:
    """Price one task that holds the peak, around the clock: the cheapest of Fargate's sizes that does."""
    prices = _prices(catalogue, "fargate", f"vCPU {demand.arch}", f"memory {demand.arch}")
    sizes = sizes_that_hold(Decimal(str(demand.peak_vcpus)), Decimal(str(demand.memory_bytes / GIB)))
    if prices is None or not sizes:
        return _unknown(demand, "fargate", catalogue, prices is None)
    rates = FargateRates(prices[0].usd / HOUR_S, prices[1].usd / HOUR_S)
    costs: list[tuple[Decimal, TaskSize]] = [(fargate_usd(rates, size, seconds=MONTH_S).total_usd, size) for size in sizes]
    usd, size = min(costs, key=lambda pair: pair[0])
    return Alternative(
        demand.host_class, "fargate", f"{size.vcpus:g} vCPU, {size.gb:g} GB", usd,
        (
            "no CPU credits: the vCPUs are there at all times, and no more than those",
            "a new task starts in tens of seconds (image, JVM); a deployment runs old and new beside each other, each billed",
            "connections to the database and the cache stay as they are, a pool a task",
            "no host to patch; a public address, if a task has one, is billed as a host's",
        ),
        prices[0].source, _oldest(prices),
    )  # fmt: skip


def on_lambda(demand: ServiceDemand, catalogue: Catalogue) -> Alternative:
    """Price every request as a function of one vCPU or more that holds a copy of the service."""
    prices = _prices(catalogue, "lambda", f"compute {demand.arch}, tier 1", "requests")
    memory_mb = memory_for(demand.memory_bytes, 1.0)
    if prices is None or memory_mb is None:
        return _unknown(demand, "lambda", catalogue, prices is None)
    cost = function_usd(
        requests=Decimal(str(demand.mean_per_s)) * MONTH_S, duration_s=Decimal(str(demand.duration_s)), memory_mb=Decimal(memory_mb),
        gb_s_usd=prices[0].usd, million_usd=prices[1].usd,
    )  # fmt: skip
    size = f"{memory_mb} MB, {demand.mean_per_s:.3g} requests a second of {demand.duration_s * 1000:.3g} ms"
    at_once = max(1, round(demand.peak_per_s * demand.duration_s + 0.5))
    return Alternative(
        demand.host_class, "lambda", size, cost.total_usd,
        (
            f"a cold start whenever more than the warm environments are asked for, about {at_once} at once at the peak: seconds for a JVM, "
            "under one with SnapStart",
            f"each environment holds connections of its own: at least {at_once} to the database at the peak, and none are shared",
            "nothing in memory outlives a request for sure, and a request ends after 15 minutes",
            "the free million requests and 400,000 GB-seconds a month are taken off",
        ),
        prices[0].source, _oldest(prices),
    )  # fmt: skip


def _prices(catalogue: Catalogue, service: str, *items: str) -> list[ServicePrice] | None:
    found = [catalogue.service(service, item) for item in items]
    return [tiers[0] for tiers in found] if all(found) else None


def _oldest(prices: Sequence[ServicePrice]) -> date | None:
    days = [price.as_of for price in prices if price.as_of is not None]
    return min(days, default=None)


def _unknown(demand: ServiceDemand, service: Literal["fargate", "lambda"], catalogue: Catalogue, no_price: bool) -> Alternative:
    unknown = (
        Unknown(f"no price of {service} in {catalogue.region} is known here", f"sizeup prices refresh --region {catalogue.region}")
        if no_price
        else Unknown(f"no size of {service} holds what {demand.host_class} needs", "split the service, or stay on hosts")
    )
    return Alternative(demand.host_class, service, None, None, (), unknown=unknown)
