"""The answer to what should be reserved: its parts, as programs read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from evidence import Reason, Unknown
from sizing.money.buy import Payment
from sizing.money.demand import staying_h
from sizing.money.held import Cover
from sizing.money.held_plans import HeldPlan
from sizing.money.offers import Missing, Priced
from sizing.money.plan import Commitment
from sizing.money.units import YEAR_H, cents

NO_PLAN: dict[str, Any] = {
    "action": "unknown", "purchases": [], "upfront_usd": None, "cost_usd": {"on_demand": None, "plan": None, "saved": None},
    "coverage_ratio": None, "utilisation_ratio": None, "break_even_month": None, "billed_usd": None, "gap_usd": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CommitQuestion:
    """What is asked beyond the demand: terms and payments considered, the policy, and the wait that is priced."""

    years: Sequence[int] = (1, 3)
    payments: Sequence[Payment] = ("no_upfront", "partial_upfront", "all_upfront")
    leave_ratio_per_month: float = 0.03
    capital_ratio_per_year: float = 0.0
    owed_most_usd: Decimal | None = None
    days: int = 14


@dataclass(frozen=True, slots=True)
class RegretCase:
    """What is lost where something changes after some months."""

    event: str
    month: int
    to: str | None
    loss_usd: Decimal

    def as_json(self) -> dict[str, Any]:
        return {"event": self.event, "month": self.month, "to": self.to, "loss_usd": cents(self.loss_usd)}


@dataclass(frozen=True, slots=True)
class Commitments:
    """The answer; `as_json` is the body of `sizeup.commitments/1` without the envelope.

    Attributes
    ----------
    best : Commitment or None
        None where nothing is known to run, or what runs has no price here.
    regret_probability : float or None
        The chance of leaving before the best has paid.
    refused : Sequence[Reason]
        The tests of the evidence that don't hold.
    starts_at : datetime
        When to buy: now, or when what is held ends.
    unknowns : Mapping
        By path in the document.
    plans : Sequence
        Savings plans that are held.
    exchange : str or None
        What the best convertible would become on arm64.
    """

    question: CommitQuestion
    action: str
    best: Commitment | None
    others: Sequence[Commitment]
    regret: Sequence[RegretCase]
    regret_probability: float | None
    demand: Sequence[Mapping[str, Any]]
    rows: Sequence[Priced]
    missing: Sequence[Missing]
    held: Sequence[Cover]
    region: str
    refused: Sequence[Reason]
    starts_at: datetime
    unknowns: Mapping[str, Unknown]
    plans: Sequence[HeldPlan] = ()
    exchange: str | None = None

    @property
    def worst_usd(self) -> Decimal:
        return Decimal(0) if self.best is None else self.best.owed_usd

    def discount_ratio(self, years: int) -> float:
        """The discount from which a full commitment pays: what is expected to be paid for hours that nobody uses."""
        hours = float(YEAR_H * years)
        return round(1.0 - staying_h(self.question.leave_ratio_per_month, 0.0, hours) / hours, 4)

    def as_json(self) -> dict[str, Any]:
        best = self.best
        years = max(self.question.years) if best is None else best.years
        return {
            "horizon_h": int(YEAR_H * years), "leave_ratio_per_month": self.question.leave_ratio_per_month,
            "capital_ratio_per_year": self.question.capital_ratio_per_year, "demand": list(self.demand),
            "held": [cover.as_json() for cover in self.held], "offers": [row.as_json() for row in self.rows],
            "missing": [
                {"what": m.what, "break_even_discount_ratio": self.discount_ratio(m.term_years), "command": m.command} for m in self.missing
            ],
            "plan": NO_PLAN if best is None else best.as_json(self.action, self.starts_at, self.region),
            "wait": {"days": self.question.days, "cost_usd": None if best is None else cents(best.wait_usd(self.question.days))},
            "regret": {
                "worst_usd": None if best is None else cents(self.worst_usd), "probability": self.regret_probability,
                "cases": [case.as_json() for case in self.regret],
            },
            "alternatives": [other.as_json(_alternative(other), self.starts_at, self.region) for other in self.others],
        }  # fmt: skip

    def unknown_entries(self) -> list[dict[str, str]]:
        """Return the entries of the envelope's `unknowns`."""
        return [unknown.entry(path) for path, unknown in self.unknowns.items()]


def _alternative(other: Commitment) -> str:
    return "buy" if other.purchases else "none"
