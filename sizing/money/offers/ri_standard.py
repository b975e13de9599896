"""Reservations of the standard class, of EC2, RDS and ElastiCache: cheaper, and bound to their family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalogue import Catalogue
from sizing.money.buy import Payment
from sizing.money.offers import Given, GivenKey, Need, Offer, Offered
from sizing.money.reserved import reserved_rows


def price(catalogue: Catalogue, need: Need, terms: Sequence[tuple[int, Payment]], given: Mapping[GivenKey, Given]) -> Offered:
    """List them for what runs."""
    return reserved_rows(catalogue, need, terms, given, "standard")


OFFER = Offer(asks="what does a standard reservation cost, which stays in its family?", price=price)
