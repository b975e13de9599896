"""EC2 Instance savings plans: one family in one region, any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalogue import Catalogue
from sizing.money.buy import Payment
from sizing.money.offers import Given, GivenKey, Need, Offer, Offered
from sizing.money.savings import plan_rows


def price(catalogue: Catalogue, need: Need, terms: Sequence[tuple[int, Payment]], given: Mapping[GivenKey, Given]) -> Offered:
    """List the rates of what runs; databases and caches have a plan of their own."""
    return Offered() if need.service != "ec2" else plan_rows(catalogue, need, terms, given, "ec2")


OFFER = Offer(asks="what is an hour's rate under an EC2 Instance savings plan, of one family?", price=price)
