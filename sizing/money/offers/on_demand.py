"""On demand: nothing is promised, and the hour is dearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from catalogue import Catalogue
from sizing.money.buy import Payment
from sizing.money.goods import on_demand
from sizing.money.offers import Given, GivenKey, Need, Offer, Offered, Priced


def price(catalogue: Catalogue, need: Need, terms: Sequence[tuple[int, Payment]], given: Mapping[GivenKey, Given]) -> Offered:
    """The one row of what runs."""
    found = on_demand(catalogue, need.type, need.platform)
    if found is None:
        return Offered()
    row = Priced(
        "on_demand", need.service, need.family, need.type, None, "on_demand", Decimal(0), found.usd, found.usd, Decimal(1), found.source,
        found.as_of, need.platform,
    )  # fmt: skip
    return Offered([row])


OFFER = Offer(asks="what does the hour cost without any promise?", price=price)
