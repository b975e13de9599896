"""EC2 reservations of the convertible class: dearer, and exchangeable for others that are worth no less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalogue import Catalogue
from sizing.money.buy import Payment
from sizing.money.offers import Given, GivenKey, Need, Offer, Offered
from sizing.money.reserved import reserved_rows


def price(catalogue: Catalogue, need: Need, terms: Sequence[tuple[int, Payment]], given: Mapping[GivenKey, Given]) -> Offered:
    """List them for what runs; RDS and ElastiCache have none."""
    return Offered() if need.service != "ec2" else reserved_rows(catalogue, need, terms, given, "convertible")


OFFER = Offer(asks="what does a convertible reservation cost, which may be exchanged for another family?", price=price)
