"""One way to commit: what one term's purchases cost, save, tie up and lose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from evidence import rfc3339
from sizing.money.billing import MILL
from sizing.money.offers import Priced
from sizing.money.orders import Order, cache_order, database_order, instance_order, plan_order
from sizing.money.units import MONTH_H, YEAR_H, cents, rate

UPFRONT_SHARES = {"all_upfront": Decimal(1), "partial_upfront": Decimal("0.5"), "no_upfront": Decimal(0)}
MOVES: dict[str, tuple[str, ...]] = {"another family": ("ri_convertible", "sp_compute"), "Fargate": ("sp_compute",)}
"""Kinds that go along where a service moves: by exchange, or as they are."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """So many reservations of one offer, or steps of $0.001 an hour of a plan."""

    offer: Priced
    count: int
    owed_hourly_usd: Decimal

    @property
    def is_plan(self) -> bool:
        return self.offer.kind.startswith("sp_")

    @property
    def commit_usd_per_h(self) -> Decimal | None:
        return self.count * MILL if self.is_plan else None

    def order(self, region: str) -> Order:
        """How a person would buy it."""
        offer, years = self.offer, self.offer.term_years or 1
        if self.commit_usd_per_h is not None:
            return plan_order(offer.kind, self.commit_usd_per_h, years, offer.payment, offer.family, region)
        if offer.service == "rds":
            return database_order(offer.type, self.count, years, offer.payment, offer.platform, region)
        if offer.service == "elasticache":
            return cache_order(offer.type, self.count, years, offer.payment, offer.platform, region)
        return instance_order(offer.type, self.count, years, offer.payment, offer.kind.removeprefix("ri_"), region)

    def as_json(self) -> dict[str, Any]:
        many = 1 if self.is_plan else self.count
        return {"offer": self.offer.id, "count": many, "commit_usd_per_h": rate(self.commit_usd_per_h)}


@dataclass(frozen=True, slots=True)
class Commitment:
    """What one term and payment come to.

    Attributes
    ----------
    on_demand_usd, cost_usd : Decimal
        Expected over the term, with the chance of leaving: without any purchase, and with it.
    covered_now_usd : Decimal
        What the purchase takes off an hour's bill as things are now.
    coverage_ratio, utilisation_ratio : float or None
        Usage covered, held reservations counted; what is used of what was bought.
    """

    years: int
    purchases: Sequence[Purchase]
    on_demand_usd: Decimal
    cost_usd: Decimal
    bound_usd: Decimal
    covered_now_usd: Decimal
    coverage_ratio: float | None
    utilisation_ratio: float | None

    @property
    def saved_usd(self) -> Decimal:
        return self.on_demand_usd - self.cost_usd

    @property
    def term_h(self) -> Decimal:
        return YEAR_H * self.years

    @property
    def hourly_usd(self) -> Decimal:
        return hourly_usd(self.purchases)

    @property
    def owed_usd(self) -> Decimal:
        """All that is owed to the end of the term, whether used or not."""
        return self.hourly_usd * self.term_h

    @property
    def upfront_usd(self) -> Decimal | None:
        """What is paid at once; None where only the sum of both parts is published."""
        plans = sum((p.count * MILL * self.term_h * UPFRONT_SHARES[p.offer.payment] for p in self.purchases if p.is_plan), Decimal(0))
        parts = [(p.count, p.offer.upfront_usd) for p in self.purchases if not p.is_plan]
        known = [count * usd for count, usd in parts if usd is not None]
        return plans + sum(known, Decimal(0)) if len(known) == len(parts) else None

    @property
    def break_even_month(self) -> float | None:
        """Months as now after which the whole commitment has cost less than on demand; None where it never does."""
        if not self.purchases or self.covered_now_usd <= self.hourly_usd:
            return None
        return float(self.owed_usd / (self.covered_now_usd * MONTH_H))

    def wait_usd(self, days: int) -> Decimal:
        """What so many days without it cost."""
        return (self.covered_now_usd - self.hourly_usd) * 24 * days

    def loss_usd(self, month: int, still_used: Decimal) -> Decimal:
        """What is lost against on demand where from a month on only a part of it is used; 0 where it has paid by then."""
        used_months = month + still_used * (self.term_h / MONTH_H - month)
        return max(self.owed_usd - self.covered_now_usd * MONTH_H * used_months, Decimal(0))

    def movable_ratio(self, to: str) -> Decimal:
        """Which part of what is owed goes along where the hosts move to another family, or to Fargate; databases and caches stay."""
        return self.part([p for p in self.purchases if p.offer.kind in MOVES[to] or p.offer.service != "ec2"])

    def part(self, purchases: Sequence[Purchase]) -> Decimal:
        """Which part of what is owed some of the purchases are."""
        return hourly_usd(purchases) / self.hourly_usd if self.hourly_usd else Decimal(0)

    def as_json(self, action: str, at: datetime, region: str) -> dict[str, Any]:
        bought = [p.as_json() | {"at": rfc3339(at), "order": p.order(region).as_json(action == "buy")} for p in self.purchases]
        return {
            "action": action, "purchases": bought,
            "upfront_usd": cents(self.upfront_usd),
            "cost_usd": {"on_demand": cents(self.on_demand_usd), "plan": cents(self.cost_usd), "saved": cents(self.saved_usd)},
            "coverage_ratio": _round(self.coverage_ratio), "utilisation_ratio": _round(self.utilisation_ratio),
            "break_even_month": _round(self.break_even_month, 2), "billed_usd": cents(self.cost_usd),
            "gap_usd": f"{abs(self.cost_usd - self.bound_usd):.9f}",
        }  # fmt: skip


def hourly_usd(purchases: Sequence[Purchase]) -> Decimal:
    """What purchases cost in each hour of their term, what is paid at once spread over it."""
    return sum((p.owed_hourly_usd * p.count for p in purchases), Decimal(0))


def _round(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else float(np.round(value, digits))
