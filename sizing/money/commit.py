"""What should be reserved, if anything: the best of all terms and payments, what waiting costs, and what being wrong would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from catalogue import Catalogue, family_of, units_or_none
from evidence import Reason, Unknown
from sizing.money.commit_answer import Commitments, CommitQuestion, RegretCase
from sizing.money.demand import Demand, Future, demand_units
from sizing.money.exchanges import exchange_sentence
from sizing.money.goods import key_of, on_demand, quarters_of, service_of, smaller_of
from sizing.money.held import Holding, Usage, apply_held
from sizing.money.held_plans import HeldPlan, PlanKind
from sizing.money.offers import Given, GivenKey, Missing, Need, Offered, Priced, offers
from sizing.money.plan import MOVES, Commitment
from sizing.money.solve import PLANS, Held, Terms, commit
from sizing.money.units import YEAR_H

RATES_LIFT = "state its rate with --offers FILE"


@dataclass(frozen=True, slots=True)
class Case:
    """All that a commitment is decided from, but the moment."""

    futures: Sequence[Future]
    catalogue: Catalogue
    held: Held
    question: CommitQuestion
    rows: Sequence[Priced] = field(default=())


def commitments(
    futures: Sequence[Future], catalogue: Catalogue, *, now: datetime, question: CommitQuestion, held: Sequence[Holding] = (),
    plans: Sequence[HeldPlan] = (), given: Mapping[GivenKey, Given] | None = None, reasons: Sequence[Reason] = (),
) -> Commitments:  # fmt: skip
    """Say what to commit to for what is expected to run.

    Parameters
    ----------
    futures : sequence
        What may run, the likeliest first; empty where nothing is known.
    held, plans : sequences
        What the account has already, or has queued.
    given : mapping, optional
        Prices that somebody states, by kind, type, years and payment.
    reasons : sequence
        Tests of the evidence; where one doesn't hold, the answer is to wait.
    """
    found = _offered(futures, catalogue, question, given or {})
    rows = [row for offered in found for row in offered.rows]
    case = Case(futures, catalogue, Held(held, plans, _ratios(rows)), question, rows)
    starts_at, ranked = _when(case, now)
    best = ranked[0] if ranked else None
    refused = [r for r in reasons if r.ok is not True]
    now_used = futures[0].usage if futures else ()
    return Commitments(
        question, _action(best, rows, refused, starts_at > now), best, ranked[1:], _regret(best, catalogue), _chance(best, question),
        _told(futures, catalogue), rows, [m for offered in found for m in offered.missing], apply_held(held, now_used, now),
        catalogue.region, refused, starts_at, _unknowns(case, best, [m for offered in found for m in offered.missing]), plans,
        next((words for c in ranked for p in c.purchases if (words := exchange_sentence(catalogue, p)) is not None), None),
    )  # fmt: skip


def _offered(futures: Sequence[Future], catalogue: Catalogue, question: CommitQuestion, given: Mapping[GivenKey, Given]) -> list[Offered]:
    terms = [(years, payment) for years in question.years for payment in question.payments]
    return [offer.price(catalogue, need, terms, given) for need in _needs(futures, catalogue) for offer in offers().values()]


def _needs(futures: Sequence[Future], catalogue: Catalogue) -> list[Need]:
    """One need for each thing that is told apart: its smallest type that may run, and the most that runs of it."""
    uses = {(use.type, use.platform) for future in futures for use in future.usage}
    smallest: dict[str, tuple[str, str]] = {}
    for use in sorted(uses, key=lambda use: (quarters_of(*use), use)):
        smallest.setdefault(key_of(*use), use)
    most = {key: max(_quarters(f.usage, key) for f in futures) for key in smallest}
    prices = [(key, name, platform, on_demand(catalogue, name, platform)) for key, (name, platform) in sorted(smallest.items())]
    return [
        Need(service_of(name), family_of(name), name, most[key], price.usd, platform)
        for key, name, platform, price in prices if price is not None
    ]  # fmt: skip


def _ratios(rows: Sequence[Priced]) -> dict[tuple[PlanKind, str], Decimal]:
    """What a held plan's rates are taken to be: those of the first term and payment with a price."""
    found: dict[tuple[PlanKind, str], Decimal] = {}
    for row in rows:
        if row.kind in PLANS:
            found.setdefault((PLANS[row.kind], row.key), row.ratio)
    return found


def _when(case: Case, now: datetime) -> tuple[datetime, list[Commitment]]:
    """Return when to buy, and each way, the best first: now, else at the first end of what is held from which it pays at once."""
    ends = [h.ends for h in case.held.reservations] + [p.ends_at for p in case.held.plans]
    for start in (now, *sorted({end for end in ends if end is not None and end > now})):
        ranked = _ranked(case, start)
        if ranked and ranked[0].purchases and ranked[0].wait_usd(1) > 0:
            return start, ranked
    return now, _ranked(case, now)


def _ranked(case: Case, start: datetime) -> list[Commitment]:
    each = [c for years in case.question.years for c in _of_term(case, start, years)] if case.rows else []
    return sorted(each, key=lambda c: _worth(c, case.question), reverse=True)


def _of_term(case: Case, start: datetime, years: int) -> list[Commitment]:
    """One commitment a payment and class of reservation; plans of the payment may stand beside either."""
    question = case.question
    demand: Demand = demand_units(
        case.futures, case.catalogue, case.held.reservations, start, YEAR_H * years, question.leave_ratio_per_month, case.held.plans
    )
    if not any(r.term_years == years for r in case.rows):
        return [commit(demand, [], case.held, Terms(years))]
    terms = Terms(years, question.capital_ratio_per_year, question.owed_most_usd)
    found = []
    for payment in question.payments:
        mine = [r for r in case.rows if (r.term_years, r.payment) == (years, payment)]
        for other in ("ri_convertible", "ri_standard"):
            chosen = [r for r in mine if r.kind != other or r.service != "ec2"]
            if chosen:
                found.append(commit(demand, chosen, case.held, terms))
    return found


def _worth(commitment: Commitment, question: CommitQuestion) -> Decimal:
    """What it saves over the longest term asked for, bought again at each end as likely as one is still there."""
    stay = (1.0 - question.leave_ratio_per_month) ** (12 * commitment.years)
    times = max(question.years) // commitment.years
    return commitment.saved_usd * sum((Decimal(str(stay**n)) for n in range(times)), Decimal(0))


def _action(best: Commitment | None, rows: Sequence[Priced], refused: Sequence[Reason], later: bool) -> str:
    """What to do; where no offer has a price nobody knows whether one pays."""
    if best is None or all(row.term_years is None for row in rows):
        return "unknown"
    if not best.purchases:
        return "none"
    return "wait" if refused or later else "buy"


def _regret(best: Commitment | None, catalogue: Catalogue) -> list[RegretCase]:
    """What is lost where after a quarter of the term it stops, a smaller size of the first does, or the hosts move."""
    if best is None or not best.purchases:
        return []
    month = 3 * best.years
    first = best.purchases[0]
    smaller = smaller_of(catalogue, first.offer.type)
    unused = best.part([first]) * (1 - smaller_share(first.offer.type, smaller))
    return [
        RegretCase("resize", month, smaller, best.loss_usd(month, 1 - unused)),
        RegretCase("stop", month, None, best.loss_usd(month, Decimal(0))),
        *(RegretCase("migrate", month, to, best.loss_usd(month, best.movable_ratio(to))) for to in MOVES),
    ]


def smaller_share(name: str, smaller: str | None) -> Decimal:
    """Which part of a reservation the next smaller size would use; 0 where there is none or the size has no units."""
    units, less = units_or_none(name), None if smaller is None else units_or_none(smaller)
    return Decimal(0) if units is None or less is None else less / units


def _chance(best: Commitment | None, question: CommitQuestion) -> float | None:
    if best is None or best.break_even_month is None:
        return None
    return float(round(1.0 - (1.0 - question.leave_ratio_per_month) ** best.break_even_month, 4))


def _told(futures: Sequence[Future], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Units by what is told apart as things are now: least, middle and most over the futures."""
    kinds = {key_of(u.type, u.platform): (u.type, u.platform) for f in futures for u in f.usage}
    found = []
    for key, (name, platform) in sorted(kinds.items()):
        units = np.array([float(_quarters(f.usage, key)) / 4 for f in futures])
        order = np.argsort(units)
        share = np.cumsum(np.array([f.probability for f in futures])[order])
        middle = float(units[order][int(np.searchsorted(share, 0.5 - 1e-9))])
        found.append({
            "service": service_of(name), "region": catalogue.region, "family": family_of(name), "platform": platform,
            "tenancy": "default", "unit": "nu", "min": float(units.min()), "p50": middle, "max": float(units.max()),
        })  # fmt: skip
    return found


def _quarters(usage: Sequence[Usage], key: str) -> Decimal:
    each = [quarters_of(u.type, u.platform) * u.count for u in usage if key_of(u.type, u.platform) == key]
    return sum(each, Decimal(0))


def _unknowns(case: Case, best: Commitment | None, missing: Sequence[Missing]) -> dict[str, Unknown]:
    """What the document leaves null or out, by its path, and what would tell it."""
    found: dict[str, Unknown] = {}
    region = case.catalogue.region
    if best is None:
        nothing = Unknown("nothing is known to run", "sizeup load staging, then sizeup commitments")
        unpriced = Unknown(f"what runs has no price on demand in {region}", f"sizeup prices refresh --region {region}")
        found |= dict.fromkeys(("plan", "wait.cost_usd", "regret"), unpriced if case.futures else nothing)
    whole = Unknown("only the effective price of this payment is published, not its two parts", "state it with --offers FILE")
    if best is not None and best.upfront_usd is None:
        found["plan.upfront_usd"] = whole
    undivided = [n for n, row in enumerate(case.rows) if row.upfront_usd is None]
    found |= {f"offers[{n}].{part}_usd": whole for n in undivided for part in ("upfront", "hourly")}
    blind = [plan for plan in case.held.plans if not any(kind == plan.kind for kind, _ in case.held.ratios)]
    if blind:
        many = ", ".join(f"{plan.kind} ${plan.usd_per_h:f} an hour" for plan in blind)
        found["held"] = Unknown(f"savings plans are held whose rates nobody knows, and left out ({many})", RATES_LIFT)
    return found | {f"missing[{n}]": Unknown(f"no price here: {m.what}", m.command) for n, m in enumerate(missing)}
