"""How many capacity units does a load balancer use? Each dimension by itself; the dearest counts, never their sum.

Source: Elastic Load Balancing pricing: an ALB's unit holds 25 new connections a second, 3,000 active a minute, 1 GB an hour
(EC2 targets) and 1,000 rule evaluations a second beyond the first 10 rules; a Network Load Balancer's by protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

ALB_CAPACITY: Mapping[str, Decimal] = {"new": Decimal(25), "active": Decimal(3000), "gb": Decimal(1), "rules": Decimal(1000)}
NLB_TCP_CAPACITY: Mapping[str, Decimal] = {"new": Decimal(800), "active": Decimal(100_000), "gb": Decimal(1)}
NLB_UDP_CAPACITY: Mapping[str, Decimal] = {"new": Decimal(400), "active": Decimal(50_000), "gb": Decimal(1)}
FREE_RULES = 10


@dataclass(frozen=True, slots=True)
class Lcu:
    """Units used an hour, by dimension; `binding` is the one that is billed."""

    by_dimension: Mapping[str, Decimal]

    @property
    def binding(self) -> str:
        return max(self.by_dimension, key=lambda name: self.by_dimension[name])

    @property
    def units(self) -> Decimal:
        return self.by_dimension[self.binding]


def alb_lcu(*, new_per_s: Decimal, duration_s: Decimal, gb_per_h: Decimal, requests_per_s: Decimal = Decimal(0), rules: int = 0) -> Lcu:
    """Units of an Application Load Balancer whose connections last `duration_s` and whose requests meet `rules` rules each."""
    evaluated = requests_per_s * max(0, rules - FREE_RULES)
    return _lcu({"new": new_per_s, "active": new_per_s * duration_s, "gb": gb_per_h, "rules": evaluated}, ALB_CAPACITY)


def nlb_lcu(*, new_per_s: Decimal, duration_s: Decimal, gb_per_h: Decimal, capacity: Mapping[str, Decimal] = NLB_TCP_CAPACITY) -> Lcu:
    """Units of a Network Load Balancer; `capacity` by protocol."""
    return _lcu({"new": new_per_s, "active": new_per_s * duration_s, "gb": gb_per_h}, capacity)


def _lcu(load: Mapping[str, Decimal], capacity: Mapping[str, Decimal]) -> Lcu:
    return Lcu({name: value / capacity[name] for name, value in load.items()})
