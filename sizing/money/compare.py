"""What does a host cost on demand, and what reserved? One row an offer, a month of 730 hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from catalogue import Catalogue, ReservedPrice
from sizing.money.buy import Offering, Payment
from sizing.money.units import MONTH_H, YEAR_H, break_even_hours, break_even_ratio, cents, effective_hourly_usd, rate

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
    effective_hourly_usd : Decimal
        An upfront sum spread over the hours of the term, plus the hourly price.
    estimated : bool
        By a filling rule, since the list here lacks it.
    """

    payment: str
    term_years: int | None
    upfront_usd: Decimal | None
    hourly_usd: Decimal | None
    effective_hourly_usd: Decimal
    on_demand_hourly_usd: Decimal
    source: str
    as_of: date | None
    estimated: bool

    @property
    def monthly_usd(self) -> Decimal:
        return self.effective_hourly_usd * MONTH_H

    @property
    def saving_monthly_usd(self) -> Decimal:
        return (self.on_demand_hourly_usd - self.effective_hourly_usd) * MONTH_H

    @property
    def saving_ratio(self) -> Decimal:
        return 1 - break_even_ratio(self.effective_hourly_usd, self.on_demand_hourly_usd)

    @property
    def break_even_month(self) -> Decimal | None:
        """Months on demand that cost as much as the whole reservation, which is owed to its end: who leaves earlier has lost."""
        if self.term_years is None:
            return None
        return break_even_ratio(self.effective_hourly_usd, self.on_demand_hourly_usd) * YEAR_H * self.term_years / MONTH_H

    @property
    def payback_month(self) -> Decimal | None:
        """Months in use until the sum paid at once is earned back by the cheaper hour; None where its split isn't published."""
        if self.term_years is None or self.upfront_usd is None or self.hourly_usd is None:
            return None
        hours = break_even_hours(self.upfront_usd, self.hourly_usd, self.on_demand_hourly_usd)
        return None if hours is None else hours / MONTH_H

    def as_json(self) -> dict[str, Any]:
        return {
            "payment": self.payment, "term_years": self.term_years, "upfront_usd": cents(self.upfront_usd),
            "hourly_usd": rate(self.hourly_usd),
            "effective_hourly_usd": rate(self.effective_hourly_usd), "monthly_usd": cents(self.monthly_usd),
            "saving_monthly_usd": cents(self.saving_monthly_usd), "saving_ratio": round(float(self.saving_ratio), 4),
            "break_even_month": _months(self.break_even_month), "payback_month": _months(self.payback_month), "source": self.source,
            "as_of": None if self.as_of is None else self.as_of.isoformat(), "estimated": self.estimated,
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
    first = OfferRow("on_demand", None, Decimal(0), found.usd, found.usd, found.usd, found.source, found.as_of, found.estimated)
    prices = [(p, catalogue.reserved(name, term_years=term_years, payment=p, offering=offering)) for p in PAYMENT_ORDER]
    return [first, *(_reserved(payment, term_years, price, found.usd) for payment, price in prices if price is not None)]


def _reserved(payment: Payment, years: int, price: ReservedPrice, on_demand_usd: Decimal) -> OfferRow:
    """Take the effective price from its parts where they are known, since the published one is rounded."""
    upfront, hourly, effective = price.upfront_usd, price.hourly_usd, price.effective_hourly_usd
    if upfront is not None and hourly is not None:
        effective = effective_hourly_usd(upfront, hourly, years)
    return OfferRow(payment, years, upfront, hourly, effective, on_demand_usd, price.source, price.as_of, price.estimated)


def _months(months: Decimal | None) -> float | None:
    return None if months is None else round(float(months), 2)
