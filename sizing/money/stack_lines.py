"""What is a month of a stack made of? Lines with their price, what could go, and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from evidence import Unknown
from sizing.money.free_tier import FreeTier
from sizing.money.units import cents, rate

PRICE_OLD_DAYS = 90
UNKNOWN_TIER = FreeTier("unknown")


@dataclass(frozen=True, slots=True)
class StackLine:
    """One thing that is billed.

    Attributes
    ----------
    quantity : Decimal
        Units a month: hours, GB-months, LCU-hours.
    monthly_usd : Decimal or None
        None where its price or its quantity isn't known; `unknown` then says why and what lifts it.
    free : (str, str) or None
        What the free tier goes by: ("host", type), ("address", its owner's service).
    free_quantity : Decimal
        Units of it that the free tier pays for.
    """

    service: str
    what: str
    quantity: Decimal | None
    unit: str
    unit_usd: Decimal | None
    as_of: date | None
    source: str | None
    unknown: Unknown | None = None
    free: tuple[str, str] | None = None
    free_quantity: Decimal = Decimal(0)

    @property
    def monthly_usd(self) -> Decimal | None:
        return None if self.quantity is None or self.unit_usd is None else self.quantity * self.unit_usd

    @property
    def free_usd(self) -> Decimal:
        """What the free tier takes off it."""
        return self.free_quantity * (self.unit_usd or Decimal(0))

    def as_json(self) -> dict[str, Any]:
        quantity = None if self.quantity is None else float(self.quantity)
        return {
            "service": self.service, "what": self.what, "quantity": quantity, "unit": self.unit,
            "unit_usd": rate(self.unit_usd), "monthly_usd": cents(self.monthly_usd), "free_usd": cents(self.free_usd),
            "as_of": None if self.as_of is None else self.as_of.isoformat(), "source": self.source,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Removable:
    """A public address that nothing needs, and what its removal saves."""

    ip: str
    owner: str
    service: str
    monthly_usd: Decimal | None

    def as_json(self) -> dict[str, Any]:
        return {"ip": self.ip, "owner": self.owner, "service": self.service, "saves_monthly_usd": cents(self.monthly_usd)}


@dataclass(frozen=True, slots=True)
class StackCost:
    """A month of the stack; `total_usd` adds what is known, so it is the least where `unknowns` isn't empty."""

    hours: Decimal
    lines: Sequence[StackLine]
    removable: Sequence[Removable]
    free_tier: FreeTier = UNKNOWN_TIER
    basis: str = ""

    @property
    def total_usd(self) -> Decimal:
        return sum((line.monthly_usd for line in self.lines if line.monthly_usd is not None), Decimal(0))

    @property
    def free_tier_usd(self) -> Decimal | None:
        """The month after the free tier; None where its kind isn't known. Credits pay for all of it while they last."""
        if self.free_tier.kind == "unknown":
            return None
        left = self.total_usd - sum((line.free_usd for line in self.lines), Decimal(0))
        return Decimal(0) if self.free_tier.kind == "credits" else left

    @property
    def credit_months(self) -> Decimal | None:
        """Months that the credits pay for; None where none are known."""
        usd = self.free_tier.credits_usd
        return None if usd is None or not self.total_usd else usd / self.total_usd

    @property
    def unknowns(self) -> list[dict[str, str]]:
        return [line.unknown.entry(f"lines[{index}].monthly_usd") for index, line in enumerate(self.lines) if line.unknown is not None]

    def old_lines(self, day: date) -> list[StackLine]:
        """Return the lines whose price is over 90 days old."""
        return [line for line in self.lines if line.as_of is not None and (day - line.as_of).days > PRICE_OLD_DAYS]

    def as_json(self) -> dict[str, Any]:
        tier, months = self.free_tier, self.credit_months
        return {
            "hours": float(self.hours), "total_usd": cents(self.total_usd), "lines": [line.as_json() for line in self.lines],
            "removable": [address.as_json() for address in self.removable], "basis": self.basis,
            "free_tier": {
                "kind": tier.kind, "ends_at": None if tier.ends_at is None else tier.ends_at.isoformat(), "source": tier.source,
                "monthly_usd": cents(self.free_tier_usd), "credits_usd": cents(tier.credits_usd),
                "credit_months": None if months is None else round(float(months), 1),
            },
        }  # fmt: skip
