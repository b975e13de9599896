"""What does a host cost on demand, and what reserved? One row an offer, a month of 730 hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from catalogue import Catalogue
from sizing.money.buy import Offering, Payment
from sizing.money.units import MONTH_H, YEAR_H, break_even_hours, cents, effective_hourly_usd, rate

PAYMENT_ORDER: tuple[Payment, ...] = ("no_upfront", "partial_upfront", "all_upfront")


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One way to pay for one host.

    Attributes
    ----------
    payment : str
        on_demand, or how a reservation is paid.
    upfront_usd, hourly_usd : Decimal or None
        None where only their sum is published.
    monthly_usd : Decimal
        730 hours at the effective price: an upfront sum spread over the term.
    saving_monthly_usd, saving_ratio : Decimal
        Against on demand.
    break_even_month : Decimal or None
        Months on demand that cost as much as the whole reservation, which is owed to its end; None on demand. Who leaves
        earlier has lost.
    payback_month : Decimal or None
        Months in use until the sum paid at once is earned back by the cheaper hour; None where its split isn't published.
    estimated : bool
        By a filling rule, since the list here lacks it.
    """

    payment: str
    term_years: int | None
    upfront_usd: Decimal | None
    hourly_usd: Decimal | None
    effective_hourly_usd: Decimal
    monthly_usd: Decimal
    saving_monthly_usd: Decimal
    saving_ratio: Decimal
    break_even_month: Decimal | None
    payback_month: Decimal | None
    source: str
    as_of: date | None
    estimated: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "payment": self.payment, "term_years": self.term_years,
            "upfront_usd": cents(self.upfront_usd),
            "hourly_usd": rate(self.hourly_usd),
            "effective_hourly_usd": rate(self.effective_hourly_usd),
            "monthly_usd": cents(self.monthly_usd), "saving_monthly_usd": cents(self.saving_monthly_usd),
            "saving_ratio": round(float(self.saving_ratio), 4),
            "break_even_month": _months(self.break_even_month), "payback_month": _months(self.payback_month),
            "source": self.source, "as_of": None if self.as_of is None else self.as_of.isoformat(), "estimated": self.estimated,
        }  # fmt: skip


def compare_offers(catalogue: Catalogue, name: str, *, term_years: int = 1, offering: Offering = "standard") -> list[OfferRow]:
    """List on demand and the three payments of a reservation of one host; what has no price has no row.

    Raises
    ------
    SizeupError
        For a type that the region hasn't.
    """
    found = catalogue.on_demand(name)
    if found is None:
        catalogue.require(name)
        return []
    first = _row("on_demand", None, Decimal(0), found.usd, found.usd, found.usd, found.source, found.as_of, estimated=False)
    rows = [_reserved(catalogue, name, found.usd, term_years, payment, offering) for payment in PAYMENT_ORDER]
    return [first, *(row for row in rows if row is not None)]


def _reserved(catalogue: Catalogue, name: str, on_demand_usd: Decimal, years: int, payment: Payment, offering: Offering) -> OfferRow | None:
    price = catalogue.reserved(name, term_years=years, payment=payment, offering=offering)
    if price is None:
        return None
    upfront, hourly, effective = price.upfront_usd, price.hourly_usd, price.effective_hourly_usd
    if upfront is not None and hourly is not None:
        effective = effective_hourly_usd(upfront, hourly, years)
    return _row(payment, years, upfront, hourly, effective, on_demand_usd, price.source, price.as_of, estimated=price.estimated)


def _row(
    payment: str, years: int | None, upfront: Decimal | None, hourly: Decimal | None, effective: Decimal, on_demand: Decimal,
    source: str, as_of: date | None, *, estimated: bool,
) -> OfferRow:  # fmt: skip
    monthly, saving = effective * MONTH_H, (on_demand - effective) * MONTH_H
    months = None if years is None else effective * YEAR_H * years / (on_demand * MONTH_H)
    return OfferRow(
        payment, years, upfront, hourly, effective, monthly, saving, saving / (on_demand * MONTH_H), months, source, as_of, estimated
    )


def _payback_month(upfront: Decimal, hourly: Decimal, on_demand: Decimal) -> Decimal | None:
    hours = break_even_hours(upfront, hourly, on_demand)
    return None if hours is None else hours / MONTH_H


def _months(months: Decimal | None) -> float | None:
    return None if months is None else round(float(months), 2)
