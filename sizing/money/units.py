"""Money and normalised units: the small arithmetic that offers, the gate and the stack share. Decimal throughout."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from catalogue import size_units

MONTH_H = Decimal(730)
"""Hours of a month as AWS's own calculator counts them; a 30-day month has 720."""
YEAR_H = Decimal(8760)


def cents(usd: Decimal | None) -> str | None:
    """Write an amount for JSON: dollars with two decimals; an unknown stays null."""
    return None if usd is None else str(usd.quantize(Decimal("0.01"), ROUND_HALF_UP))


def rate(usd: Decimal | None) -> str | None:
    """Write a price an hour for JSON: six decimals at most, as AWS publishes them; an unknown stays null."""
    return None if usd is None else f"{usd.quantize(Decimal('0.000001'), ROUND_HALF_UP).normalize():f}"


def dollars(usd: Decimal) -> str:
    """Write an amount for people: $64, $3.83, −$1.20."""
    shown = f"${abs(usd.quantize(Decimal('0.01'), ROUND_HALF_UP)):,.2f}"
    return ("−" if usd < 0 else "") + shown.removesuffix(".00")


def effective_hourly_usd(upfront_usd: Decimal, hourly_usd: Decimal, years: int) -> Decimal:
    """Spread an upfront sum over the hours of the term and add the recurring price."""
    return upfront_usd / (YEAR_H * years) + hourly_usd


def break_even_ratio(effective_usd: Decimal, on_demand_usd: Decimal) -> Decimal:
    """The share of the term's hours in use at which a reservation costs as much as on demand."""
    return effective_usd / on_demand_usd


def break_even_hours(upfront_usd: Decimal, hourly_usd: Decimal, on_demand_usd: Decimal) -> Decimal | None:
    """Hours in use until an upfront sum is earned back by the cheaper hour; None where the hour isn't cheaper."""
    return upfront_usd / (on_demand_usd - hourly_usd) if on_demand_usd > hourly_usd else None


def tiered_usd(quantity: Decimal, tiers: Mapping[Decimal, Decimal]) -> Decimal:
    """Price a month's quantity by tiers, each {where it begins: price a unit}, as AWS does: each unit at its own tier."""
    starts = sorted(tiers)
    ends = [*starts[1:], None]
    spans = [(start, quantity if end is None else min(end, quantity)) for start, end in zip(starts, ends, strict=True)]
    return sum(((top - start) * tiers[start] for start, top in spans if top > start), Decimal(0))


def as_many(units: Decimal, name: str) -> Decimal:
    """How many hosts of a type (or nodes of a class) so many units cover."""
    return units / size_units(name)
