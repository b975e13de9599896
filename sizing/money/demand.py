"""What is expected to run, hour by hour, over a term: in quarter units, in the futures that there are, until somebody leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np

from catalogue import Catalogue, family_of, is_size_flexible, units_or_none
from sizing.money.billing import Use
from sizing.money.held import Holding, Usage, is_running
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


def key_of(name: str) -> str:
    """What a regional reservation of the type covers: its family, else the type alone."""
    flexible = is_size_flexible(family_of(name)) and units_or_none(name) is not None
    return family_of(name) if flexible else name


def quarters_of(name: str) -> Decimal:
    """Quarter units of a type; 4 where its reservations aren't size-flexible, so that a host is one unit."""
    units = units_or_none(name)
    return 4 * units if units is not None and is_size_flexible(family_of(name)) else Decimal(4)


def staying_h(leave_ratio_per_month: float, start_h: float, end_h: float) -> float:
    """Hours between two that are expected to be in use, where a share leaves each month: the sum of the chance of still being there."""
    stay = float(np.power(1.0 - leave_ratio_per_month, 1.0 / float(MONTH_H)))
    if stay >= 1.0:
        return end_h - start_h
    return float((stay**start_h - stay**end_h) / (1.0 - stay))


def demand_units(
    futures: Sequence[Future], catalogue: Catalogue, held: Sequence[Holding], now: datetime, horizon_h: Decimal,
    leave_ratio_per_month: float,
) -> Demand:  # fmt: skip
    """Lay futures over the horizon, cut where a held reservation ends.

    Parameters
    ----------
    futures : sequence
        Their probabilities add up to 1; types without a price on demand are left out.
    """
    end = now + timedelta(hours=float(horizon_h))
    cuts = sorted({now, end, *(h.ends for h in held if h.ends is not None and now < h.ends < end)})
    spans = [(a, (a - now).total_seconds() / 3600, (b - now).total_seconds() / 3600) for a, b in pairwise(cuts)]
    stays = [(at, staying_h(leave_ratio_per_month, low, high)) for at, low, high in spans]
    rows = [(at, future.probability * hours, _uses(future.usage, catalogue)) for at, hours in stays for future in futures]
    families = sorted({key_of(use.type) for _, _, usage in rows for use in usage})
    prices = {key_of(use.type): use.on_demand_usd / quarters_of(use.type) for _, _, usage in rows for use in usage}
    quarters = [[float(_left(family, usage, held, at)) for family in families] for at, _, usage in rows]
    return Demand(
        families, np.array(quarters, dtype=np.float64).reshape(len(rows), len(families)), np.array([weight for _, weight, _ in rows]),
        [usage for _, _, usage in rows], [at for at, _, _ in rows], [prices[family] for family in families], horizon_h,
    )  # fmt: skip


def _uses(usage: Sequence[Usage], catalogue: Catalogue) -> list[Use]:
    found = [(u, catalogue.on_demand(u.type)) for u in usage]
    return [Use(u.host_class, u.type, Decimal(u.count), price.usd) for u, price in found if price is not None]


def _left(family: str, usage: Sequence[Use], held: Sequence[Holding], at: datetime) -> Decimal:
    runs = sum((quarters_of(u.type) * u.quantity for u in usage if key_of(u.type) == family), Decimal(0))
    has = sum((quarters_of(h.type) * h.count for h in held if key_of(h.type) == family and is_running(h, at)), Decimal(0))
    return max(runs - has, Decimal(0))
