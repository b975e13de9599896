"""Savings-plan rates as offers: published for a type or stated, never made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from catalogue import Catalogue
from sizing.money.buy import Payment
from sizing.money.offers import Given, GivenKey, Missing, Need, Offered, Priced, missing, priced

NAMES = {"compute": "Compute", "ec2": "EC2 Instance", "database": "Database"}


def plan_rows(
    catalogue: Catalogue, need: Need, terms: Sequence[tuple[int, Payment]], given: Mapping[GivenKey, Given],
    plan: Literal["compute", "ec2", "database"],
) -> Offered:  # fmt: skip
    """List a plan's rates of the type that runs, by term and payment; how it is paid doesn't change what an hour is worth."""
    found: list[Priced] = []
    gaps: list[Missing] = []
    for years, payment in terms:
        kind = f"sp_{plan}"
        stated = given.get((kind, need.type, years, payment))
        listed = None if plan == "database" else catalogue.savings_plan(need.type, plan=plan, term_years=years, payment=payment)
        if stated is not None:
            found.append(priced(kind, need, need.type, years, payment, stated, None, need.on_demand_usd))
        elif listed is not None:
            rates = Given(Decimal(0), listed.usd, listed.source)
            found.append(priced(kind, need, need.type, years, payment, rates, listed.as_of, need.on_demand_usd))
        else:
            gaps.append(missing(f"{NAMES[plan]} savings-plan rate of {need.type}", catalogue, years, payment))
    return Offered(found, gaps)
