"""What should be reserved, if anything: the best of all terms and payments, what waiting costs, and what being wrong would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from catalogue import Catalogue, family_of
from evidence import Reason
from sizing.money.buy import Payment
from sizing.money.demand import Demand, Future, demand_units, key_of, quarters_of, staying_h
from sizing.money.held import Cover, Holding, Usage, apply_held
from sizing.money.offers import Given, GivenKey, Missing, Need, Priced, offers
from sizing.money.plan import Commitment, Purchase, commit, smaller_share
from sizing.money.units import YEAR_H, cents, dollars


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
        None where nothing is known to run.
    regret_probability : float or None
        The chance of leaving before the best has paid.
    refused : Sequence[Reason]
        The tests of the evidence that don't hold.
    starts_at : datetime
        When to buy: now, or when what is held ends.
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
            "plan": NO_PLAN if best is None else best.as_json(self.action, self.starts_at),
            "wait": {"days": self.question.days, "cost_usd": None if best is None else cents(best.wait_usd(self.question.days))},
            "regret": {
                "worst_usd": None if best is None else cents(self.worst_usd), "probability": self.regret_probability,
                "cases": [case.as_json() for case in self.regret],
            },
            "alternatives": [other.as_json("buy" if other.purchases else "none", self.starts_at) for other in self.others],
        }  # fmt: skip

    def sentences(self, detail: bool = False) -> list[str]:
        """Say what to do, what it saves and when it pays, what waiting and being wrong cost; then what is held and missing."""
        lines = [*self._first(), *(f"  {cover.sentence}" for cover in self.held)]
        if detail and self.best is not None:
            lines += self._details(self.best)
        elif self.missing:
            lines.append(f"  without a price here: {len(self.missing)} offers, such as {self.missing[0].what}; --detail names them")
        return [*lines, self._next()]

    def _first(self) -> list[str]:
        best = self.best
        if best is None:
            return ["unknown: nothing is known to run, so nothing can be said to pay."]
        if not best.purchases:
            return [f"none: nothing on offer in {self.region} pays {self._chance()}; on demand is cheapest."]
        month = "never" if best.break_even_month is None else f"in month {best.break_even_month:.1f}"
        head = f"wait: {self._why_not()}; then {self._what(best)}" if self.action == "wait" else f"buy: {self._what(best)}"
        wrong = "" if self.regret_probability is None else f", and {self.regret_probability:.0%} likely to end before it has paid"
        return [
            f"{head}, owed {dollars(best.owed_usd)} in all.",
            f"It saves {dollars(best.saved_usd)} of {dollars(best.on_demand_usd)} on demand {self._chance()}, and has paid {month}.",
            f"Waiting {self.question.days} days costs {dollars(best.wait_usd(self.question.days))}; "
            f"being wrong costs {dollars(self.worst_usd)} at most{wrong}.",
        ]

    def _why_not(self) -> str:
        """What stands before the purchase: the evidence, or what is held until it ends."""
        if self.refused:
            return f"{len(self.refused)} tests of the evidence don't hold ({', '.join(r.code for r in self.refused)})"
        return f"what is held covers enough until {self.starts_at:%Y-%m-%d}"

    def _what(self, best: Commitment) -> str:
        payment = best.purchases[0].offer.payment.replace("_", " ")
        return f"{' and '.join(_bought(p) for p in best.purchases)} for {best.years} year{'s' if best.years > 1 else ''}, {payment}"

    def _chance(self) -> str:
        return f"with {self.question.leave_ratio_per_month:.1%} leaving a month"

    def _details(self, best: Commitment) -> list[str]:
        effective = 1 - best.cost_usd / best.on_demand_usd if best.on_demand_usd else Decimal(0)
        told = [
            f"  coverage {_percent(best.coverage_ratio)}, utilisation {_percent(best.utilisation_ratio)} over the term, leaving counted; "
            f"effective savings rate {effective:.1%}; cost of capital {self.question.capital_ratio_per_year:.1%} a year"
        ]
        if len(best.purchases) == 1 and not best.purchases[0].is_plan and best.purchases[0].count > 1:
            told.append(f"  staggered: one now and one a month later each, so that {best.purchases[0].count} ends don't fall on one day")
        told += [f"  if it must {c.event} in month {c.month} (to {c.to or 'nothing'}): {dollars(c.loss_usd)} lost" for c in self.regret]
        told += [
            f"  else {self._what(other)}: saves {dollars(other.saved_usd)}, owed {dollars(other.owed_usd)}"
            for other in self.others if other.purchases
        ]  # fmt: skip
        told.append("  resale: no part of this; sellers need a US bank account, and convertible reservations can't be sold")
        gaps = [(m, self.discount_ratio(m.term_years)) for m in self.missing]
        return told + [f"  no price: {m.what}; would pay from a discount of {ratio:.0%}; {m.command}" for m, ratio in gaps]

    def _next(self) -> str:
        if self.best is None:
            return "next: sizeup load staging, then sizeup commitments"
        if self.action == "wait":
            return f"next: {self.refused[0].lift}" if self.refused else f"next: sizeup commitments again before {self.starts_at:%Y-%m-%d}"
        reserved = [p for p in self.best.purchases if not p.is_plan]
        if self.action == "buy" and reserved:
            p = reserved[0]
            payment, offering = p.offer.payment.replace("_", "-"), p.offer.kind.removeprefix("ri_")
            return f"next: sizeup gate --buy {p.offer.type}:{p.count}:{self.best.years}y:{payment}:{offering}"
        return f"next: sizeup prices refresh --region {self.region}"


NO_PLAN: dict[str, Any] = {
    "action": "unknown", "purchases": [], "upfront_usd": None, "cost_usd": {"on_demand": None, "plan": None, "saved": None},
    "coverage_ratio": None, "utilisation_ratio": None, "break_even_month": None, "billed_usd": None, "gap_usd": None,
}  # fmt: skip


def commitments(
    futures: Sequence[Future], catalogue: Catalogue, *, now: datetime, question: CommitQuestion, held: Sequence[Holding] = (),
    given: Mapping[GivenKey, Given] | None = None, reasons: Sequence[Reason] = (),
) -> Commitments:  # fmt: skip
    """Say what to commit to for what is expected to run.

    Parameters
    ----------
    futures : sequence
        What may run, the likeliest first; empty where nothing is known.
    given : mapping, optional
        Prices that somebody states, by kind, type, years and payment.
    reasons : sequence
        Tests of the evidence; where one doesn't hold, the answer is to wait.
    """
    terms = [(years, payment) for years in question.years for payment in question.payments]
    needs = _needs(futures, catalogue)
    found = [offer.price(catalogue, need, terms, given or {}) for need in needs for offer in offers().values()]
    rows = [row for offered in found for row in offered.rows]
    starts_at, ranked = _when(futures, catalogue, held, now, question, rows)
    best = ranked[0] if ranked else None
    refused = [r for r in reasons if r.ok is not True]
    now_used = futures[0].usage if futures else ()
    return Commitments(
        question, _action(best, refused, starts_at > now), best, ranked[1:], _regret(best, catalogue), _chance(best, question),
        _told(futures, catalogue), rows, [m for offered in found for m in offered.missing], apply_held(held, now_used, now),
        catalogue.region, refused, starts_at,
    )  # fmt: skip


def _when(
    futures: Sequence[Future], catalogue: Catalogue, held: Sequence[Holding], now: datetime, question: CommitQuestion,
    rows: Sequence[Priced],
) -> tuple[datetime, list[Commitment]]:  # fmt: skip
    """Return when to buy, and each way, the best first: now, else at the first end of what is held from which it pays at once."""
    ends = sorted({h.ends for h in held if h.ends is not None and h.ends > now})
    for start in (now, *ends):
        ranked = _ranked(futures, catalogue, held, start, question, rows)
        if ranked and ranked[0].purchases and ranked[0].wait_usd(1) > 0:
            return start, ranked
    return now, _ranked(futures, catalogue, held, now, question, rows)


def _ranked(
    futures: Sequence[Future], catalogue: Catalogue, held: Sequence[Holding], start: datetime, question: CommitQuestion,
    rows: Sequence[Priced],
) -> list[Commitment]:  # fmt: skip
    each = [c for years in question.years for c in _of_term(futures, catalogue, held, start, question, years, rows)] if rows else []
    return sorted(each, key=lambda c: _worth(c, question), reverse=True)


def _needs(futures: Sequence[Future], catalogue: Catalogue) -> list[Need]:
    """One need a type that may run, with the most that runs of its family."""
    uses = {use.type for future in futures for use in future.usage if catalogue.on_demand(use.type) is not None}
    most = {key_of(name): max(_quarters(f.usage, key_of(name)) for f in futures) for name in uses}
    smallest = {key_of(name): min((n for n in uses if key_of(n) == key_of(name)), key=quarters_of) for name in uses}
    prices = [(key, name, catalogue.on_demand(name)) for key, name in sorted(smallest.items())]
    return [Need("ec2", family_of(name), name, most[key], price.usd) for key, name, price in prices if price is not None]


def _of_term(
    futures: Sequence[Future], catalogue: Catalogue, held: Sequence[Holding], now: datetime, question: CommitQuestion, years: int,
    rows: Sequence[Priced],
) -> list[Commitment]:  # fmt: skip
    """One commitment a payment and class of reservation; plans of the payment may stand beside either."""
    demand: Demand = demand_units(futures, catalogue, held, now, YEAR_H * years, question.leave_ratio_per_month)
    found = []
    if not any(r.term_years == years for r in rows):
        return [commit(demand, [], held, years, 0.0, None)]
    for payment in question.payments:
        mine = [r for r in rows if (r.term_years, r.payment) == (years, payment)]
        for other in ("ri_convertible", "ri_standard"):
            chosen = [r for r in mine if r.kind != other]
            if chosen:
                found.append(commit(demand, chosen, held, years, question.capital_ratio_per_year, question.owed_most_usd))
    return found


def _worth(commitment: Commitment, question: CommitQuestion) -> Decimal:
    """What it saves over the longest term asked for, bought again at each end as likely as one is still there."""
    stay = (1.0 - question.leave_ratio_per_month) ** (12 * commitment.years)
    times = max(question.years) // commitment.years
    return commitment.saved_usd * sum((Decimal(str(stay**n)) for n in range(times)), Decimal(0))


def _action(best: Commitment | None, refused: Sequence[Reason], later: bool) -> str:
    if best is None:
        return "unknown"
    if not best.purchases:
        return "none"
    return "wait" if refused or later else "buy"


def _regret(best: Commitment | None, catalogue: Catalogue) -> list[RegretCase]:
    """What is lost where after a quarter of the term it stops, a smaller size does, or another family takes over."""
    if best is None or not best.purchases:
        return []
    month = 3 * best.years
    kind = best.purchases[0].offer.type
    smaller = catalogue.next_smaller(kind)
    name = None if smaller is None else smaller.name
    return [
        RegretCase("resize", month, name, best.loss_usd(month, smaller_share(kind, name))),
        RegretCase("stop", month, None, best.loss_usd(month, Decimal(0))),
        RegretCase("migrate", month, "another family", best.loss_usd(month, best.movable_ratio)),
    ]


def _chance(best: Commitment | None, question: CommitQuestion) -> float | None:
    if best is None or best.break_even_month is None:
        return None
    return float(round(1.0 - (1.0 - question.leave_ratio_per_month) ** best.break_even_month, 4))


def _told(futures: Sequence[Future], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Units by family as things are now: least, middle and most over the futures."""
    families = sorted({key_of(u.type) for f in futures for u in f.usage})
    found = []
    for family in families:
        units = np.array([float(_quarters(f.usage, family)) / 4 for f in futures])
        order = np.argsort(units)
        share = np.cumsum(np.array([f.probability for f in futures])[order])
        middle = float(units[order][int(np.searchsorted(share, 0.5 - 1e-9))])
        found.append({
            "service": "ec2", "region": catalogue.region, "family": family, "platform": "Linux", "tenancy": "default", "unit": "nu",
            "min": float(units.min()), "p50": middle, "max": float(units.max()),
        })  # fmt: skip
    return found


def _quarters(usage: Sequence[Usage], family: str) -> Decimal:
    return sum((quarters_of(u.type) * u.count for u in usage if key_of(u.type) == family), Decimal(0))


def _bought(purchase: Purchase) -> str:
    kind = purchase.offer.kind
    if purchase.is_plan:
        return f"${purchase.commit_usd_per_h:f} an hour of {kind}"
    return f"{purchase.count} × {purchase.offer.type} {kind.removeprefix('ri_')}"


def _percent(ratio: float | None) -> str:
    return "not known" if ratio is None else f"{ratio:.0%}"
