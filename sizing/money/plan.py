"""One way to commit: which of one term's offers to buy, what that saves over the term, and what happens if it was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from catalogue import size_units, units_or_none
from evidence import rfc3339
from sizing.money.billing import MILL, HourBill, Plan, Reservation, bill_hour
from sizing.money.demand import Demand, key_of, quarters_of
from sizing.money.held import Holding
from sizing.money.offers import Priced
from sizing.money.optimum import Item, Optimum, Problem, optimise
from sizing.money.units import MONTH_H, YEAR_H, cents, rate

FREE_TO_MOVE = ("ri_convertible", "sp_compute")
"""Kinds that another family can use: by exchange, or as they are."""


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
        return _hourly(self.purchases)

    @property
    def owed_usd(self) -> Decimal:
        """All that is owed to the end of the term, whether used or not."""
        return self.hourly_usd * self.term_h

    @property
    def upfront_usd(self) -> Decimal | None:
        """What is paid at once; None where only the sum of both parts is published."""
        shares = {"all_upfront": Decimal(1), "partial_upfront": Decimal("0.5"), "no_upfront": Decimal(0)}
        plans = sum((p.count * MILL * self.term_h * shares[p.offer.payment] for p in self.purchases if p.is_plan), Decimal(0))
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

    @property
    def movable_ratio(self) -> Decimal:
        """Which part of what is owed another family could use."""
        moves = sum((p.owed_hourly_usd * p.count for p in self.purchases if p.offer.kind in FREE_TO_MOVE), Decimal(0))
        return moves / self.hourly_usd if self.hourly_usd else Decimal(0)

    def as_json(self, action: str, at: datetime) -> dict[str, Any]:
        return {
            "action": action, "purchases": [p.as_json() | {"at": rfc3339(at)} for p in self.purchases],
            "upfront_usd": cents(self.upfront_usd),
            "cost_usd": {"on_demand": cents(self.on_demand_usd), "plan": cents(self.cost_usd), "saved": cents(self.saved_usd)},
            "coverage_ratio": _round(self.coverage_ratio), "utilisation_ratio": _round(self.utilisation_ratio),
            "break_even_month": _round(self.break_even_month, 2), "billed_usd": cents(self.cost_usd),
            "gap_usd": f"{abs(self.cost_usd - self.bound_usd):.9f}",
        }  # fmt: skip


def commit(
    demand: Demand, rows: Sequence[Priced], held: Sequence[Holding], years: int, capital_ratio_per_year: float,
    owed_most_usd: Decimal | None,
) -> Commitment:  # fmt: skip
    """Find what to buy of one term's offers; the figures are those of the simulated bill, re-added in Decimal."""
    items = _items(demand, rows, years, capital_ratio_per_year)
    ratios = [next((r.ratio for r in rows if r.kind == "sp_compute" and r.family == name), None) for name in demand.families]
    problem = Problem(
        demand.quarters, demand.weights, demand.horizon_h, demand.on_demand_usd, [item for item, _ in items],
        ratios if any(r.kind == "sp_compute" for r in rows) else (), owed_most_usd=owed_most_usd,
    )  # fmt: skip
    best = optimise(problem)
    bought = _fewest([Purchase(row, count, item.usd_per_h) for (item, row), count in zip(items, best.counts, strict=True)])
    return _billed(demand, bought, held, years, best)


def _items(demand: Demand, rows: Sequence[Priced], years: int, capital: float) -> list[tuple[Item, Priced]]:
    """Offers as whole things that cover quarter units; of a Compute plan one, whatever the families it has rates of."""
    places = {family: number for number, family in enumerate(demand.families)}
    found: list[tuple[Item, Priced]] = []
    for row in rows:
        if row.kind == "sp_compute":
            if not any(item.family is None for item, _ in found):
                found.append((Item(row.id, None, MILL, MILL * (1 + _capital(row, years, capital))), row))
        elif row.kind == "sp_ec2":
            covers = MILL * quarters_of(row.type) / row.effective_hourly_usd
            found.append((Item(row.id, places[key_of(row.type)], covers, MILL * (1 + _capital(row, years, capital))), row))
        else:
            hourly = row.effective_hourly_usd * (1 + _capital(row, years, capital))
            found.append((Item(row.id, places[key_of(row.type)], quarters_of(row.type), hourly), row))
    return found


def _fewest(all_sizes: Sequence[Purchase]) -> list[Purchase]:
    """Put reservations of a family into its larger sizes where that costs no more: fewer things to hold, the same cover."""
    found = [p for p in all_sizes if p.is_plan and p.count]
    for family in sorted({key_of(p.offer.type) for p in all_sizes if not p.is_plan}):
        mine = [p for p in all_sizes if not p.is_plan and key_of(p.offer.type) == family]
        left, packed = sum((quarters_of(p.offer.type) * p.count for p in mine), Decimal(0)), []
        for p in sorted(mine, key=lambda p: quarters_of(p.offer.type), reverse=True):
            packed.append(replace(p, count=int(left // quarters_of(p.offer.type))))
            left -= packed[-1].count * quarters_of(p.offer.type)
        better = not left and _hourly(packed) <= _hourly(mine)
        found += [p for p in (packed if better else mine) if p.count]
    return found


def _hourly(purchases: Sequence[Purchase]) -> Decimal:
    return sum((p.owed_hourly_usd * p.count for p in purchases), Decimal(0))


def _capital(row: Priced, years: int, ratio_per_year: float) -> Decimal:
    """What the money paid at once would have earned: on average half of it is tied up over the term."""
    shares = {"all_upfront": Decimal(1), "partial_upfront": Decimal("0.5"), "no_upfront": Decimal(0)}
    return Decimal(str(ratio_per_year)) * years * shares[row.payment] / 2


def _billed(demand: Demand, bought: Sequence[Purchase], held: Sequence[Holding], years: int, best: Optimum) -> Commitment:
    own = [Reservation(holding) for holding in held]
    reserved = [Reservation(Holding(p.offer.id, p.offer.type, p.count)) for p in bought if not p.is_plan]
    plans = [_plan(p) for p in bought if p.is_plan]
    rated = [_rated(usage, bought) for usage in demand.usage]
    weights = [Decimal(float(w)) for w in demand.weights]
    before = [bill_hour(usage, own, (), at) for usage, at in zip(rated, demand.at, strict=True)]
    after = [bill_hour(usage, [*own, *reserved], plans, at) for usage, at in zip(rated, demand.at, strict=True)]
    first = [number for number, at in enumerate(demand.at) if at == min(demand.at)]
    saved = [b.on_demand_usd - a.on_demand_usd for a, b in zip(after, before, strict=True)]
    hourly = _hourly(bought)
    return Commitment(
        years, bought, _weigh(weights, [b.on_demand_usd for b in before]),
        _weigh(weights, [a.on_demand_usd for a in after]) + hourly * demand.horizon_h, Decimal(best.bound_usd),
        _weigh([weights[n] for n in first], [saved[n] for n in first]) / sum((weights[n] for n in first), Decimal(0)),
        _coverage(weights, after), _utilisation(demand, bought, _weigh(weights, saved)),
    )  # fmt: skip


def _plan(purchase: Purchase) -> Plan:
    offer, usd = purchase.offer, purchase.count * MILL
    return Plan(offer.id, "ec2", usd, offer.family) if offer.kind == "sp_ec2" else Plan(offer.id, "compute", usd)


def _rated(usage: Sequence[Any], bought: Sequence[Purchase]) -> list[Any]:
    """Give usage the rates of the plans bought; every size of a family has its discount."""
    kinds = {"sp_compute": "compute", "sp_ec2": "ec2"}
    ratios = {(kinds[p.offer.kind], p.offer.family): p.offer.ratio for p in bought if p.is_plan}
    return [
        replace(use, plan_usd={kind: use.on_demand_usd * ratio for (kind, family), ratio in ratios.items() if family == use.plan_family})
        for use in usage
    ]


def _coverage(weights: Sequence[Decimal], bills: Sequence[HourBill]) -> float | None:
    total = _weigh(weights, [bill.covered_usd + bill.on_demand_usd for bill in bills])
    return float(_weigh(weights, [bill.covered_usd for bill in bills]) / total) if total else None


def _utilisation(demand: Demand, bought: Sequence[Purchase], used_usd: Decimal) -> float | None:
    """What the purchases took off the bill over what they could have, used to the last hour."""
    prices = dict(zip(demand.families, demand.on_demand_usd, strict=True))
    room = sum(
        (p.count * (MILL / p.offer.ratio if p.is_plan else quarters_of(p.offer.type) * prices[key_of(p.offer.type)]) for p in bought),
        Decimal(0),
    )
    return float(used_usd / (room * demand.horizon_h)) if room else None


def smaller_share(name: str, smaller: str | None) -> Decimal:
    """Which part of a reservation the next smaller size would use; 0 where there is none or the size has no units."""
    if smaller is None or units_or_none(name) is None or units_or_none(smaller) is None:
        return Decimal(0)
    return size_units(smaller) / size_units(name)


def _weigh(weights: Sequence[Decimal], values: Sequence[Decimal]) -> Decimal:
    return sum((w * v for w, v in zip(weights, values, strict=True)), Decimal(0))


def _round(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else float(np.round(value, digits))
