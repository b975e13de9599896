"""Which ways to run a host class are judged: types, how many, in which credit mode."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from catalogue import Catalogue, InstanceType
from sizing.types import Candidate, CreditMode

MONTH_H = 730
T_FAMILIES = ("t2", "t3", "t3a", "t4g")


def candidates(
    catalogue: Catalogue, allow: Sequence[str] | None = None, *, count: int = 1, all_types: bool = False, discount_ratio: float = 0.0
) -> list[Candidate]:
    """Return every candidate: the named types, else the burstable families, else all of the region.

    Raises
    ------
    SizeupError
        Where `allow` names a type that the catalogue doesn't know.
    """
    if allow is not None:
        types = [catalogue.require(name) for name in allow]
    else:
        types = [t for t in catalogue.types.values() if all_types or t.family in T_FAMILIES]
    return [candidate for t in types for candidate in of_type(catalogue, t, count=count, discount_ratio=discount_ratio)]


def of_type(catalogue: Catalogue, instance: InstanceType, *, count: int, discount_ratio: float = 0.0) -> list[Candidate]:
    """Return the candidates of one type: both credit modes where it is burstable."""
    price = catalogue.on_demand(instance.name)
    monthly = None if price is None else price.usd * MONTH_H * count * (1 - Decimal(str(discount_ratio)))
    if instance.burst is None:
        return [Candidate(instance, count, "separate", None, monthly, None)]
    surplus = catalogue.surplus_credit_usd_per_vcpu_h(instance.family)
    modes: tuple[CreditMode, ...] = ("standard", "unlimited")
    return [Candidate(instance, count, "separate", mode, monthly, None if surplus is None else surplus.usd / 60) for mode in modes]
