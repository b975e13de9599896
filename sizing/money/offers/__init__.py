"""What can be bought for what runs: one file a kind of offer, each with its published prices, or with what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from catalogue import Catalogue
from evidence import discover
from sizing.money.buy import PAYMENTS, Payment
from sizing.money.goods import LINUX, key_of, quarters_of
from sizing.money.units import YEAR_H, break_even_ratio, effective_hourly_usd, rate

__all__ = ["Given", "Missing", "Need", "Offer", "Offered", "Priced", "offers"]

GivenKey = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class Need:
    """Hosts of one type that an offer may cover.

    Attributes
    ----------
    quarters : Decimal
        Quarter units that run of its family at most, all types together.
    on_demand_usd : Decimal
        An hour of one host.
    platform : str
        The engine, of a database or a cache.
    """

    service: str
    family: str
    type: str
    quarters: Decimal
    on_demand_usd: Decimal
    platform: str = LINUX


@dataclass(frozen=True, slots=True)
class Given:
    """A price that somebody states, an instance; of a plan, `hourly_usd` is the rate of one host."""

    upfront_usd: Decimal
    hourly_usd: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Priced:
    """One offer with its price.

    Attributes
    ----------
    type : the type reserved, or the type that a plan's rate is of
    term_years : None on demand
    effective_hourly_usd : one host's hour, what is paid at once spread over the term
    ratio : that over the price on demand of the same host
    """

    kind: str
    service: str
    family: str
    type: str
    term_years: int | None
    payment: str
    upfront_usd: Decimal | None
    hourly_usd: Decimal | None
    effective_hourly_usd: Decimal
    ratio: Decimal
    source: str
    as_of: date | None
    platform: str = LINUX

    @property
    def id(self) -> str:
        term = [] if self.term_years is None else [f"{self.term_years}y", self.payment]
        engine = [] if self.platform == LINUX else [self.platform]
        return ":".join([self.kind, self.type, *engine, *term])

    @property
    def key(self) -> str:
        """The column of the demand that it covers."""
        return key_of(self.type, self.platform)

    @property
    def reserved_payment(self) -> Payment:
        """How it is paid, of anything but on demand."""
        return next(payment for payment in PAYMENTS.values() if payment == self.payment)

    @property
    def quarters(self) -> Decimal:
        return quarters_of(self.type, self.platform)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "kind": self.kind, "service": self.service, "type": self.type, "scope": "regional",
            "term_s": None if self.term_years is None else int(YEAR_H) * self.term_years * 3600, "payment": self.payment,
            "upfront_usd": None if self.upfront_usd is None else str(self.upfront_usd), "hourly_usd": rate(self.hourly_usd),
            "effective_hourly_usd": rate(self.effective_hourly_usd),
            "source": {"name": self.source, "url": None, "as_of": None if self.as_of is None else self.as_of.isoformat()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Missing:
    """An offer that has no price here, and the command that gets it; nothing is made up in its place."""

    what: str
    term_years: int
    command: str


@dataclass(frozen=True, slots=True)
class Offered:
    """What one kind of offer has for one need."""

    rows: Sequence[Priced] = ()
    missing: Sequence[Missing] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """One kind of offer.

    Attributes
    ----------
    asks : the question, for people
    price : catalogue, need, (years, payment) asked for, stated prices, to what there is
    """

    asks: str
    price: Callable[[Catalogue, Need, Sequence[tuple[int, Payment]], Mapping[GivenKey, Given]], Offered]


@cache
def offers() -> dict[str, Offer]:
    """Return every kind of offer of this folder by its file's name."""
    return discover(__name__, "OFFER", Offer)


def priced(kind: str, need: Need, name: str, years: int, payment: Payment, price: Given, as_of: date | None, on_demand: Decimal) -> Priced:
    """Put a price of parts into a row; its effective hour is exact."""
    effective = effective_hourly_usd(price.upfront_usd, price.hourly_usd, years)
    ratio = break_even_ratio(effective, on_demand)
    return Priced(
        kind, need.service, need.family, name, years, payment, price.upfront_usd, price.hourly_usd, effective, ratio, price.source, as_of,
        need.platform,
    )  # fmt: skip


def missing(what: str, catalogue: Catalogue, years: int, payment: Payment) -> Missing:
    """Say which price isn't here, and how it is read from AWS."""
    words = f"{what}, {years} year{'s' if years > 1 else ''}, {payment.replace('_', ' ')}, in {catalogue.region}"
    return Missing(words, years, f"sizeup prices refresh --region {catalogue.region}")
