"""What would a convertible reservation be exchanged for where its hosts go to arm64? Others that are worth no less."""

from __future__ import annotations

import re

from catalogue import Catalogue, family_of
from sizing.money.billing import exchange
from sizing.money.goods import LINUX, reserved
from sizing.money.plan import Purchase
from sizing.money.units import YEAR_H, dollars


def arm_sibling(catalogue: Catalogue, name: str) -> str | None:
    """The cheapest arm64 type of the same series and size: t4g.small of t3.small; None where there is none."""
    series, size = _series(name), name.rpartition(".")[2]
    alike = [t.name for t in catalogue.types.values() if t.arch == "arm64" and t.name.endswith(f".{size}") and _series(t.name) == series]
    priced = [(price.usd, other) for other in alike if (price := catalogue.on_demand(other)) is not None]
    return min(priced, default=(None, None))[1]


def exchange_sentence(catalogue: Catalogue, purchase: Purchase) -> str | None:
    """Say what a purchase of convertibles becomes on arm64, and what is paid beyond; None where a price is missing."""
    offer = purchase.offer
    other = None if offer.kind != "ri_convertible" or offer.term_years is None else arm_sibling(catalogue, offer.type)
    if other is None or offer.term_years is None:
        return None
    new = reserved(catalogue, other, LINUX, offer.term_years, offer.reserved_payment, "convertible")
    if new is None:
        return None
    found = exchange(purchase.count * offer.effective_hourly_usd, new.effective_hourly_usd)
    more = found.instances * new.effective_hourly_usd - purchase.count * offer.effective_hourly_usd
    return (
        f"{purchase.count} × {offer.type} convertible is exchanged for {found.instances} × {other} where the hosts go to arm64: "
        f"never of less value, {dollars(more * YEAR_H)} a year more"
    )


def _series(name: str) -> str:
    return re.sub(r"\d.*", "", family_of(name))
