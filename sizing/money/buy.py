"""What is to be bought, and at what price? TYPE:COUNT:TERM:PAYMENT[:standard|convertible] read with care."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal

from catalogue import Catalogue
from evidence import SizeupError
from sizing.money.units import YEAR_H, effective_hourly_usd

FORM = "TYPE:COUNT:TERM:PAYMENT[:standard|convertible], e.g. t3.small:1:1y:all-upfront"
TERMS = {"1y": 1, "3y": 3}
MOST_COUNT, MOST_USD = 1_000_000, Decimal(1_000_000_000)
"""More is a slip of the hand: a key held down would be priced to the cent otherwise."""
Payment = Literal["all_upfront", "partial_upfront", "no_upfront"]
Offering = Literal["standard", "convertible"]
PAYMENTS: dict[str, Payment] = {"all-upfront": "all_upfront", "partial-upfront": "partial_upfront", "no-upfront": "no_upfront"}
OFFERINGS: dict[str, Offering] = {"standard": "standard", "convertible": "convertible"}


@dataclass(frozen=True, slots=True)
class Buy:
    """A purchase that somebody considers."""

    type: str
    count: int
    term_years: int
    payment: Payment
    offering: Offering = "standard"

    @property
    def term_h(self) -> Decimal:
        return YEAR_H * self.term_years

    @property
    def text(self) -> str:
        """Write it as the command line takes it."""
        offering = "" if self.offering == "standard" else f":{self.offering}"
        return f"{self.type}:{self.count}:{self.term_years}y:{self.payment.replace('_', '-')}{offering}"


@dataclass(frozen=True, slots=True)
class PurchasePrice:
    """What one instance costs to reserve.

    Attributes
    ----------
    upfront_usd, hourly_usd : Decimal or None
        None where only their sum is published.
    as_of : date or None
        Day of a published price; None where it is undated or `given`.
    given : bool
        By --upfront and --hourly, so not by the catalogue.
    """

    upfront_usd: Decimal | None
    hourly_usd: Decimal | None
    effective_hourly_usd: Decimal
    source: str
    as_of: date | None
    given: bool

    def term_usd(self, term_h: Decimal) -> Decimal:
        """All that an instance costs over its term; exact where its parts are known, since the effective price is a quotient."""
        if self.upfront_usd is None or self.hourly_usd is None:
            return self.effective_hourly_usd * term_h
        return self.upfront_usd + self.hourly_usd * term_h


def parse_buy(text: str) -> Buy:
    """Read a purchase from the command line.

    Raises
    ------
    SizeupError
        The first part that is wrong, and how it should be.
    """
    parts = text.split(":")
    if len(parts) not in (4, 5):
        raise SizeupError(f'--buy "{text}": has {len(parts)} part{"s" if len(parts) > 1 else ""}; write it as {FORM}.')
    if not all(parts):
        raise SizeupError(f'--buy "{text}": part {parts.index("") + 1} is empty; write it as {FORM}.')
    kind, count, term, payment = parts[:4]
    if "." not in kind:
        raise SizeupError(f'--buy "{text}": "{kind}" is no instance type, which has a family and a size; write it as {FORM}.')
    return Buy(
        kind, _count(text, count), TERMS[_one_of(text, "TERM", term, TERMS)], PAYMENTS[_one_of(text, "PAYMENT", payment, PAYMENTS)],
        OFFERINGS[_one_of(text, "offering class", parts[4] if len(parts) == 5 else "standard", OFFERINGS)],
    )  # fmt: skip


def parse_usd(flag: str, text: str | None) -> Decimal | None:
    """Read an amount of dollars from a flag; None stays None.

    Raises
    ------
    SizeupError
        Where it is no amount, less than 0, or more than anybody pays.
    """
    if text is None:
        return None
    try:
        usd = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        usd = Decimal("NaN")
    if not usd.is_finite() or not 0 <= usd <= MOST_USD:
        raise SizeupError(f'{flag} "{text}": not an amount of dollars; write it as 128 or 0.0157.')
    return usd


def purchase_price(
    catalogue: Catalogue, buy: Buy, *, upfront_usd: Decimal | None = None, hourly_usd: Decimal | None = None
) -> PurchasePrice:
    """Return the price of a purchase: as given, where either amount is, else as published; an estimate is no price to buy by.

    Raises
    ------
    SizeupError
        For a type that the region hasn't, and where the price is neither published nor given.
    """
    if catalogue.on_demand(buy.type) is None:
        catalogue.require(buy.type)
    if upfront_usd is not None or hourly_usd is not None:
        return _given(buy, upfront_usd or Decimal(0), hourly_usd or Decimal(0))
    found = catalogue.reserved(buy.type, term_years=buy.term_years, payment=buy.payment, offering=buy.offering)
    if found is None or found.estimated:
        raise SizeupError(
            f"no price for a {buy.term_years}-year {buy.payment.replace('_', '-')} {buy.offering} reservation of {buy.type} in "
            f"{catalogue.region}; give it with --upfront USD and --hourly USD, an instance, as the purchase page shows it, or run "
            f"sizeup prices refresh --region {catalogue.region}."
        )
    effective = found.effective_hourly_usd
    if found.upfront_usd is not None and found.hourly_usd is not None:
        effective = effective_hourly_usd(found.upfront_usd, found.hourly_usd, buy.term_years)
    return PurchasePrice(found.upfront_usd, found.hourly_usd, effective, found.source, found.as_of, given=False)


def _given(buy: Buy, upfront_usd: Decimal, hourly_usd: Decimal) -> PurchasePrice:
    effective = effective_hourly_usd(upfront_usd, hourly_usd, buy.term_years)
    return PurchasePrice(upfront_usd, hourly_usd, effective, "given: --upfront and --hourly", None, given=True)


def _count(text: str, count: str) -> int:
    if not (count.isascii() and count.isdigit() and len(count) <= len(str(MOST_COUNT)) and 1 <= int(count) <= MOST_COUNT):
        raise SizeupError(f'--buy "{text}": COUNT "{count}" must be a whole number from 1 to {MOST_COUNT}.')
    return int(count)


def _one_of(text: str, what: str, word: str, known: dict[str, int] | dict[str, Payment] | dict[str, Offering]) -> str:
    if word in known:
        return word
    # A term differs from another by one letter, which is no likeness: 2y may mean either.
    near = difflib.get_close_matches(word, known, 1, 0.5) if what != "TERM" else [name for name in known if name == word.lower()]
    mend = f'did you mean "{near[0]}"?' if near else f"write one of {', '.join(known)}."
    raise SizeupError(f'--buy "{text}": unknown {what} "{word}"; {mend}')
