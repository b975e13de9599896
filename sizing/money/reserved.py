"""Reservations of a family's sizes as offers: regional, and size-flexible where AWS says the family is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalogue import Catalogue, size_units
from sizing.money.buy import Offering, Payment
from sizing.money.goods import is_flexible, on_demand, reserved, sizes_of
from sizing.money.offers import Given, GivenKey, Missing, Need, Offered, Priced, missing, priced
from sizing.money.units import break_even_ratio


def reserved_rows(
    catalogue: Catalogue, need: Need, terms: Sequence[tuple[int, Payment]], given: Mapping[GivenKey, Given], offering: Offering
) -> Offered:
    """List the published reservations of each size that what runs could use, and what isn't published."""
    found: list[Priced] = []
    gaps: list[Missing] = []
    for years, payment in terms:
        rows = [_row(catalogue, need, name, years, payment, given, offering) for name in sizes(catalogue, need)]
        known = [row for row in rows if row is not None]
        found += known
        gaps += [] if known else [missing(f"{offering} reservation of {need.type}", catalogue, years, payment)]
    return Offered(found, gaps)


def sizes(catalogue: Catalogue, need: Need) -> list[str]:
    """The types whose reservation covers the need: sizes of a flexible family up to all that runs, else the type alone."""
    if not is_flexible(need.type, need.platform):
        return [need.type]
    return sorted((name for name in sizes_of(catalogue, need.type) if 4 * size_units(name) <= need.quarters), key=size_units)


def _row(
    catalogue: Catalogue, need: Need, name: str, years: int, payment: Payment, given: Mapping[GivenKey, Given], offering: Offering
) -> Priced | None:
    """Take the stated price, else the published one; an estimate is no price to buy by."""
    kind, listed = f"ri_{offering}", on_demand(catalogue, name, need.platform)
    if listed is None:
        return None
    stated = given.get((kind, name, years, payment))
    if stated is not None:
        return priced(kind, need, name, years, payment, stated, None, listed.usd)
    price = reserved(catalogue, name, need.platform, years, payment, offering)
    if price is None:
        return None
    if price.upfront_usd is not None and price.hourly_usd is not None:
        parts = Given(price.upfront_usd, price.hourly_usd, price.source)
        return priced(kind, need, name, years, payment, parts, price.as_of, listed.usd)
    ratio = break_even_ratio(price.effective_hourly_usd, listed.usd)
    return Priced(
        kind, need.service, need.family, name, years, payment, price.upfront_usd, price.hourly_usd, price.effective_hourly_usd, ratio,
        price.source, price.as_of, need.platform,
    )  # fmt: skip
