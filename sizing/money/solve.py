"""Which of one term's offers make the expected bill least? Found exactly, then billed again hour by hour in Decimal.

EC2 and the managed services share no reservation and no plan, so each has a programme of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

import numpy as np

from sizing.money.billing import MILL, HourBill, Plan, Reservation, Use, bill_hour
from sizing.money.demand import Demand
from sizing.money.goods import key_of, service_of
from sizing.money.held import Holding
from sizing.money.held_plans import HeldPlan, PlanKind
from sizing.money.offers import Priced
from sizing.money.optimum import Item, Problem, optimise
from sizing.money.plan import UPFRONT_SHARES, Commitment, Purchase, hourly_usd
from sizing.types import F8

PLANS: dict[str, PlanKind] = {"sp_compute": "compute", "sp_ec2": "ec2", "sp_database": "database"}
WIDE = ("sp_compute", "sp_database")
"""Plans of all families, of hosts and of databases."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one term's search is bound by.

    Attributes
    ----------
    capital_ratio_per_year : what money that is paid at once would have earned
    owed_most_usd : the most that may be owed to the end; None: any sum
    """

    years: int
    capital_ratio_per_year: float = 0.0
    owed_most_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What the account has: reservations, plans, and the plans' rates over the price on demand by (kind, family)."""

    reservations: Sequence[Holding] = ()
    plans: Sequence[HeldPlan] = ()
    ratios: Mapping[tuple[PlanKind, str], Decimal] = field(default_factory=dict)

    def running(self, at: datetime) -> list[Plan]:
        return [Plan(p.id, p.kind, p.usd_per_h, p.family) for p in self.plans if p.is_running(at)]


def commit(demand: Demand, rows: Sequence[Priced], held: Held, terms: Terms) -> Commitment:
    """Find what to buy of one term's offers; the figures are those of the simulated bill, re-added in Decimal."""
    bought: list[Purchase] = []
    bound_usd = 0.0
    for managed in (False, True):
        columns = [n for n, key in enumerate(demand.families) if (service_of(key) != "ec2") is managed]
        if columns:
            mine = [row for row in rows if (row.service != "ec2") is managed]
            own = replace(terms, owed_most_usd=_share(demand, columns, terms.owed_most_usd))
            purchases, bound = _best(demand, columns, mine, held, own)
            bought, bound_usd = bought + purchases, bound_usd + bound
    rates = {(PLANS[row.kind], row.key): row.ratio for row in rows if row.kind in PLANS}
    return _billed(_rated(demand, {**held.ratios, **rates}), bought, held, terms.years, Decimal(bound_usd))


def _share(demand: Demand, columns: Sequence[int], usd: Decimal | None) -> Decimal | None:
    """A programme's part of what may be owed: that of its bill on demand."""
    if usd is None or len(columns) == len(demand.families):
        return usd
    each = (demand.weights @ demand.quarters) * np.array(demand.on_demand_usd, dtype=np.float64)
    return usd * Decimal(float(each[list(columns)].sum() / each.sum())) if each.sum() else Decimal(0)


def _best(demand: Demand, columns: Sequence[int], rows: Sequence[Priced], held: Held, terms: Terms) -> tuple[list[Purchase], float]:
    keys = [demand.families[n] for n in columns]
    items = _items(keys, rows, terms)
    wide: PlanKind = "database" if service_of(keys[0]) != "ec2" else "compute"
    ratios = {row.key: row.ratio for row in rows if row.kind in WIDE} or _known(held, wide, keys)
    commit_usd = np.array([float(sum(p.commitment_usd for p in held.running(at) if p.kind == wide)) for at in demand.at])
    problem = Problem(
        np.maximum(demand.quarters[:, columns] - _by_ec2_plans(demand, columns, held), 0.0), demand.weights, demand.horizon_h,
        [demand.on_demand_usd[n] for n in columns], [item for item, _ in items], [ratios.get(key) for key in keys] if ratios else (),
        held_commit_usd=commit_usd, owed_most_usd=terms.owed_most_usd,
    )  # fmt: skip
    best = optimise(problem)
    return _fewest([Purchase(row, n, item.usd_per_h) for (item, row), n in zip(items, best.counts, strict=True)]), best.bound_usd


def _known(held: Held, kind: PlanKind, keys: Sequence[str]) -> dict[str, Decimal]:
    return {key: ratio for (plan, key), ratio in held.ratios.items() if plan == kind and key in keys}


def _by_ec2_plans(demand: Demand, columns: Sequence[int], held: Held) -> F8:
    """Quarter units that held EC2 plans cover, shape (rows, columns): each is of one family."""
    found = np.zeros((len(demand.at), len(columns)))
    for place, column in enumerate(columns):
        key, price = demand.families[column], demand.on_demand_usd[column]
        ratio = held.ratios.get(("ec2", key))
        if ratio is not None:
            usd = [sum((p.commitment_usd for p in held.running(at) if p.kind == "ec2" and p.family == key), Decimal(0)) for at in demand.at]
            found[:, place] = [float(each / (ratio * price)) for each in usd]
    return found


def _items(keys: Sequence[str], rows: Sequence[Priced], terms: Terms) -> list[tuple[Item, Priced]]:
    """Offers as whole things that cover quarter units; of a wide plan one, whatever the families it has rates of."""
    places = {key: number for number, key in enumerate(keys)}
    found: list[tuple[Item, Priced]] = []
    for row in rows:
        capital = 1 + _capital(row, terms)
        if row.kind in WIDE:
            if not any(item.family is None for item, _ in found):
                found.append((Item(row.id, None, MILL, MILL * capital), row))
        elif row.kind == "sp_ec2":
            found.append((Item(row.id, places[row.key], MILL * row.quarters / row.effective_hourly_usd, MILL * capital), row))
        else:
            found.append((Item(row.id, places[row.key], row.quarters, row.effective_hourly_usd * capital), row))
    return found


def _capital(row: Priced, terms: Terms) -> Decimal:
    """What the money paid at once would have earned: on average half of it is tied up over the term."""
    return Decimal(str(terms.capital_ratio_per_year)) * terms.years * UPFRONT_SHARES[row.payment] / 2


def _fewest(all_sizes: Sequence[Purchase]) -> list[Purchase]:
    """Put reservations of a family into its larger sizes where that costs no more: fewer things to hold, the same cover."""
    found = [p for p in all_sizes if p.is_plan and p.count]
    for key in sorted({p.offer.key for p in all_sizes if not p.is_plan}):
        mine = [p for p in all_sizes if not p.is_plan and p.offer.key == key]
        left, packed = sum((p.offer.quarters * p.count for p in mine), Decimal(0)), []
        for p in sorted(mine, key=lambda p: p.offer.quarters, reverse=True):
            packed.append(replace(p, count=int(left // p.offer.quarters)))
            left -= packed[-1].count * p.offer.quarters
        better = not left and hourly_usd(packed) <= hourly_usd(mine) * (1 + Decimal("1e-12"))
        found += [p for p in (packed if better else mine) if p.count]
    return found


def _billed(demand: Demand, bought: Sequence[Purchase], held: Held, years: int, bound_usd: Decimal) -> Commitment:
    own = [Reservation(holding) for holding in held.reservations]
    reserved = [Reservation(Holding(p.offer.id, p.offer.type, p.count, platform=p.offer.platform)) for p in bought if not p.is_plan]
    plans = [_plan(p) for p in bought if p.is_plan]
    weights = [Decimal(float(w)) for w in demand.weights]
    hours = list(zip(demand.usage, demand.at, strict=True))
    before = [bill_hour(usage, own, held.running(at), at) for usage, at in hours]
    after = [bill_hour(usage, [*own, *reserved], [*held.running(at), *plans], at) for usage, at in hours]
    first = [number for number, at in enumerate(demand.at) if at == min(demand.at)]
    saved = [b.on_demand_usd - a.on_demand_usd for a, b in zip(after, before, strict=True)]
    return Commitment(
        years, bought, _weigh(weights, [b.on_demand_usd for b in before]),
        _weigh(weights, [a.on_demand_usd for a in after]) + hourly_usd(bought) * demand.horizon_h, bound_usd,
        _weigh([weights[n] for n in first], [saved[n] for n in first]) / sum((weights[n] for n in first), Decimal(0)),
        _coverage(weights, after), _utilisation(demand, bought, _weigh(weights, saved)),
    )  # fmt: skip


def _plan(purchase: Purchase) -> Plan:
    kind = PLANS[purchase.offer.kind]
    return Plan(purchase.offer.id, kind, purchase.commit_usd_per_h or Decimal(0), purchase.offer.key if kind == "ec2" else None)


def _rated(demand: Demand, ratios: Mapping[tuple[PlanKind, str], Decimal]) -> Demand:
    """Give usage the rates of the plans held and on offer; every size of a family has its discount."""
    return replace(demand, usage=[[replace(use, plan_usd=_plan_usd(use, ratios)) for use in usage] for usage in demand.usage])


def _plan_usd(use: Use, ratios: Mapping[tuple[PlanKind, str], Decimal]) -> dict[PlanKind, Decimal]:
    key = key_of(use.type, use.platform)
    return {kind: use.on_demand_usd * ratio for (kind, family), ratio in ratios.items() if family == key}


def _coverage(weights: Sequence[Decimal], bills: Sequence[HourBill]) -> float | None:
    total = _weigh(weights, [bill.covered_usd + bill.on_demand_usd for bill in bills])
    return float(_weigh(weights, [bill.covered_usd for bill in bills]) / total) if total else None


def _utilisation(demand: Demand, bought: Sequence[Purchase], used_usd: Decimal) -> float | None:
    """What the purchases took off the bill over what they could have, used to the last hour."""
    prices = dict(zip(demand.families, demand.on_demand_usd, strict=True))
    room = sum((p.count * (MILL / p.offer.ratio if p.is_plan else p.offer.quarters * prices[p.offer.key]) for p in bought), Decimal(0))
    return float(used_usd / (room * demand.horizon_h)) if room else None


def _weigh(weights: Sequence[Decimal], values: Sequence[Decimal]) -> Decimal:
    return sum((w * v for w, v in zip(weights, values, strict=True)), Decimal(0))
