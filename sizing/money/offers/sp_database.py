"""Database savings plans: RDS and its kin of current generations, for one year without upfront; they cover no T classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalogue import Catalogue
from sizing.money.buy import Payment
from sizing.money.offers import Given, GivenKey, Need, Offer, Offered
from sizing.money.savings import plan_rows


def price(catalogue: Catalogue, need: Need, terms: Sequence[tuple[int, Payment]], given: Mapping[GivenKey, Given]) -> Offered:
    """List the rates of what runs."""
    if need.service == "ec2" or need.family.split(".")[-1].startswith("t"):
        return Offered()
    return plan_rows(catalogue, need, [term for term in terms if term == (1, "no_upfront")], given, "database")


OFFER = Offer(asks="what is an hour's rate under a Database savings plan, which covers no T classes?", price=price)
