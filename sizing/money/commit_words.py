"""What should be reserved, in sentences: what to do first, then what is held, missing and possible, last how it is bought."""

from __future__ import annotations

from decimal import Decimal

from sizing.money.buy import Buy
from sizing.money.commit_answer import Commitments
from sizing.money.held_plans import HeldPlan
from sizing.money.plan import Commitment, Purchase
from sizing.money.units import dollars


def sentences(found: Commitments, detail: bool = False) -> list[str]:
    """Say what to do, what it saves and when it pays, what waiting and being wrong cost; then the rest."""
    lines = [*_first(found), *(f"  {cover.sentence}" for cover in found.held)]
    lines += [f"  {_plan_held(plan)}" for plan in found.plans]
    lines += [f"  not known: {found.unknowns['held'].why}; {found.unknowns['held'].lift}"] if "held" in found.unknowns else []
    if detail and found.best is not None:
        lines += _details(found, found.best)
    elif found.missing:
        lines.append(_missing(found))
    return [*lines, f"next: {_next(found)}", *_orders(found)]


def _first(found: Commitments) -> list[str]:
    best, question = found.best, found.question
    if best is None:
        why = found.unknowns["plan"].why
        return [f"unknown: {why}, so nothing can be said to pay."]
    if found.action == "unknown":
        return [
            f"unknown: no price of any offer for this is known in {found.region}; on demand it is {dollars(best.on_demand_usd)} "
            f"over {best.years} year{'s' if best.years > 1 else ''} {_chance(found)}."
        ]
    if not best.purchases:
        return [f"none: nothing on offer in {found.region} pays {_chance(found)}; on demand is cheapest."]
    month = "never" if best.break_even_month is None else f"in month {best.break_even_month:.1f}"
    head = f"wait: {_why_not(found)}; then {what(best)}" if found.action == "wait" else f"buy: {what(best)}"
    wrong = "" if found.regret_probability is None else f", and {found.regret_probability:.0%} likely to end before it has paid"
    return [
        f"{head}, owed {dollars(best.owed_usd)} in all.",
        f"It saves {dollars(best.saved_usd)} of {dollars(best.on_demand_usd)} on demand {_chance(found)}, and has paid {month}.",
        f"Waiting {question.days} days costs {dollars(best.wait_usd(question.days))}; "
        f"being wrong costs {dollars(found.worst_usd)} at most{wrong}.",
    ]


def _why_not(found: Commitments) -> str:
    """What stands before the purchase: the evidence, or what is held until it ends."""
    if found.refused:
        return f"{len(found.refused)} tests of the evidence don't hold ({', '.join(r.code for r in found.refused)})"
    return f"what is held covers enough until {found.starts_at:%Y-%m-%d}"


def what(best: Commitment) -> str:
    """Name a commitment's purchases, term and payment."""
    payment = best.purchases[0].offer.payment.replace("_", " ")
    return f"{' and '.join(_bought(p) for p in best.purchases)} for {best.years} year{'s' if best.years > 1 else ''}, {payment}"


def _bought(purchase: Purchase) -> str:
    kind, offer = purchase.offer.kind, purchase.offer
    if purchase.is_plan:
        return f"${purchase.commit_usd_per_h:f} an hour of {kind}"
    return f"{purchase.count} × {offer.type} {kind.removeprefix('ri_') if offer.service == 'ec2' else offer.platform}"


def _chance(found: Commitments) -> str:
    return f"with {found.question.leave_ratio_per_month:.1%} leaving a month"


def _plan_held(plan: HeldPlan) -> str:
    since = "" if plan.starts_at is None else f" from {plan.starts_at:%Y-%m-%d}"
    until = "" if plan.ends_at is None else f" until {plan.ends_at:%Y-%m-%d}"
    return f"${plan.usd_per_h:f} an hour of a {plan.kind} plan is held{since}{until}."


def _missing(found: Commitments) -> str:
    ratios = sorted({(m.term_years, found.discount_ratio(m.term_years)) for m in found.missing})
    pays = " and ".join(f"{ratio:.0%} for {years} year{'s' if years > 1 else ''}" for years, ratio in ratios)
    first = found.missing[0]
    return f"  without a price here: {len(found.missing)} offers, such as {first.what}; a discount from {pays} would pay; {first.command}"


def _details(found: Commitments, best: Commitment) -> list[str]:
    effective = 1 - best.cost_usd / best.on_demand_usd if best.on_demand_usd else Decimal(0)
    told = [
        f"  coverage {_percent(best.coverage_ratio)}, utilisation {_percent(best.utilisation_ratio)} over the term, leaving counted; "
        f"effective savings rate {effective:.1%}; cost of capital {found.question.capital_ratio_per_year:.1%} a year"
    ]
    if len(best.purchases) == 1 and not best.purchases[0].is_plan and best.purchases[0].count > 1:
        told.append(f"  staggered: one now and one a month later each, so that {best.purchases[0].count} ends don't fall on one day")
    if any(p.offer.kind == "ri_standard" and p.offer.service == "ec2" for p in best.purchases):
        told.append("  zonal instead: the same price, and capacity held in one zone, for that size alone; only where a zone runs short")
    told += [f"  if it must {c.event} in month {c.month} (to {c.to or 'nothing'}): {dollars(c.loss_usd)} lost" for c in found.regret]
    told += [
        f"  else {what(other)}: saves {dollars(other.saved_usd)}, owed {dollars(other.owed_usd)}"
        for other in found.others if other.purchases
    ]  # fmt: skip
    told += [] if found.exchange is None else [f"  {found.exchange}"]
    told.append("  resale: no part of this; sellers need a US bank account, and convertible reservations can't be sold")
    gaps = [(m, found.discount_ratio(m.term_years)) for m in found.missing]
    return told + [f"  no price: {m.what}; would pay from a discount of {ratio:.0%}; {m.command}" for m, ratio in gaps]


def _next(found: Commitments) -> str:
    if found.best is None:
        return found.unknowns["plan"].lift
    if found.action == "wait":
        return found.refused[0].lift if found.refused else f"sizeup commitments again before {found.starts_at:%Y-%m-%d}"
    reserved = [p for p in found.best.purchases if p.offer.kind.startswith("ri_") and p.offer.service == "ec2"]
    if found.action == "buy" and reserved:
        return f"sizeup gate --buy {as_buy(reserved[0], found.best.years).text}"
    return "yours to decide" if found.action == "buy" else f"sizeup prices refresh --region {found.region}"


def as_buy(purchase: Purchase, years: int) -> Buy:
    """A reservation of EC2 as the gate asks about it."""
    offer = purchase.offer
    return Buy(offer.type, purchase.count, years, offer.reserved_payment, "convertible" if offer.kind == "ri_convertible" else "standard")


def _orders(found: Commitments) -> list[str]:
    if found.action != "buy" or found.best is None:
        return []
    return [line for p in found.best.purchases for line in p.order(found.region).sentences()]


def _percent(ratio: float | None) -> str:
    return "not known" if ratio is None else f"{ratio:.0%}"
