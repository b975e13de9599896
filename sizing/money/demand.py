"""What is expected to run, hour by hour, over a term: in quarter units, in the futures that there are, until somebody leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np

from catalogue import Catalogue
from sizing.money.billing import Use
from sizing.money.goods import key_of, on_demand, quarters_of
from sizing.money.held import Holding, Usage, left_over
from sizing.money.held_plans import HeldPlan
from sizing.money.units import MONTH_H
from sizing.types import F8


@dataclass(frozen=True, slots=True)
class Future:
    """Hosts that run around the clock, and how likely they are what is needed."""

    probability: float
    usage: Sequence[Usage]


@dataclass(frozen=True, slots=True)
class Demand:
    """Hours that are alike, with what runs in them.

    Attributes
    ----------
    families : what is told apart: a family, or a type where the family isn't size-flexible
    quarters : shape (rows, families), what held reservations leave to be covered
    weights : shape (rows,), hours of the horizon that a row is expected to stand for, leaving counted
    usage, at : what runs in each row, and a moment of it
    on_demand_usd : a quarter unit and hour, by family
    """

    families: Sequence[str]
    quarters: F8
    weights: F8
    usage: Sequence[Sequence[Use]]
    at: Sequence[datetime]
    on_demand_usd: Sequence[Decimal]
    horizon_h: Decimal


def staying_h(leave_ratio_per_month: float, start_h: float, end_h: float) -> float:
    """Hours between two that are expected to be in use, where a share leaves each month: the sum of the chance of still being there."""
    stay = float(np.power(1.0 - leave_ratio_per_month, 1.0 / float(MONTH_H)))
    if stay >= 1.0:
        return end_h - start_h
    return float((stay**start_h - stay**end_h) / (1.0 - stay))


def demand_units(
    futures: Sequence[Future], catalogue: Catalogue, held: Sequence[Holding], now: datetime, horizon_h: Decimal,
    leave_ratio_per_month: float, plans: Sequence[HeldPlan] = (),
) -> Demand:  # fmt: skip
    """Lay futures over the horizon, cut where something held begins or ends.

    Parameters
    ----------
    futures : sequence
        Their probabilities add up to 1; types without a price on demand are left out.
    """
    end = now + timedelta(hours=float(horizon_h))
    turns = [turn for h in held for turn in (h.starts_at, h.ends)] + [turn for p in plans for turn in (p.starts_at, p.ends_at)]
    cuts = sorted({now, end, *(turn for turn in turns if turn is not None and now < turn < end)})
    spans = [(a, (a - now).total_seconds() / 3600, (b - now).total_seconds() / 3600) for a, b in pairwise(cuts)]
    stays = [(at, staying_h(leave_ratio_per_month, low, high)) for at, low, high in spans]
    rows = [(at, future.probability * hours, _uses(future.usage, catalogue)) for at, hours in stays for future in futures]
    families = sorted({key_of(use.type, use.platform) for _, _, usage in rows for use in usage})
    prices = {
        key_of(use.type, use.platform): use.on_demand_usd / quarters_of(use.type, use.platform) for _, _, usage in rows for use in usage
    }
    left = [_left(future.usage, catalogue, held, at) for at, _ in stays for future in futures]
    quarters = [[float(units.get(family, 0)) for family in families] for units in left]
    return Demand(
        families, np.array(quarters, dtype=np.float64).reshape(len(rows), len(families)), np.array([weight for _, weight, _ in rows]),
        [usage for _, _, usage in rows], [at for at, _, _ in rows], [prices[family] for family in families], horizon_h,
    )  # fmt: skip


def _uses(usage: Sequence[Usage], catalogue: Catalogue) -> list[Use]:
    found = [(u, on_demand(catalogue, u.type, u.platform)) for u in usage]
    return [
        Use(
            u.host_class, u.type, Decimal(u.count), price.usd, family=key_of(u.type, u.platform),
            zone=u.zone, platform=u.platform, tenancy=u.tenancy, account=u.account,
        )
        for u, price in found if price is not None
    ]  # fmt: skip


def _left(usage: Sequence[Usage], catalogue: Catalogue, held: Sequence[Holding], at: datetime) -> dict[str, Decimal]:
    """Quarter units that held reservations leave at a moment, by what is told apart."""
    found: dict[str, Decimal] = {}
    for use, count in zip(usage, left_over(held, usage, at), strict=True):
        if on_demand(catalogue, use.type, use.platform) is not None:
            key = key_of(use.type, use.platform)
            found[key] = found.get(key, Decimal(0)) + count * quarters_of(use.type, use.platform)
    return found
