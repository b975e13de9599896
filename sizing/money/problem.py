"""What may be bought for what is expected to run: the question that `sizing.money.optimum` answers, and the shape of its answer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from sizing.types import F8

ROUNDING = 1e-12
"""Prices that differ by less are the same: an hour of $93 a year is no finite decimal."""
SWAPS = 16


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is bought in whole numbers.

    Attributes
    ----------
    family : int or None
        Which column of the demand it covers; None is a plan, which covers all that have a rate.
    quarters : Decimal
        Quarter units that one covers in each hour; of a plan, dollars an hour.
    usd_per_h : Decimal
        What one costs in each hour of the horizon, used or not.
    """

    offer: str
    family: int | None
    quarters: Decimal
    usd_per_h: Decimal


@dataclass(frozen=True, slots=True)
class Problem:
    """What is expected to run, what it costs on demand, what is held, and what can be bought.

    Attributes
    ----------
    quarters : shape (hours, families), quarter units (a nano is one) that run in an hour, of any numeric dtype
    weights : shape (hours,), how many hours of the horizon each row is expected to stand for; futures are rows too
    on_demand_usd : a quarter unit and hour, by family
    plan_ratios : the plan's rate over the price on demand, by family; None where it has none
    held_quarters : by family
    held_commit_usd : dollars an hour of the same plan that are held, one figure or one a row
    owed_most_usd : the most that may be owed over the horizon, which is lost at worst; None: any sum
    """

    quarters: npt.NDArray[Any]
    weights: F8
    horizon_h: Decimal
    on_demand_usd: Sequence[Decimal]
    items: Sequence[Item]
    plan_ratios: Sequence[Decimal | None] = ()
    held_quarters: Sequence[Decimal] = ()
    held_commit_usd: Decimal | F8 = Decimal(0)
    owed_most_usd: Decimal | None = None

    @property
    def held(self) -> Sequence[Decimal]:
        return self.held_quarters or [Decimal(0)] * len(self.on_demand_usd)


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best purchase.

    Attributes
    ----------
    counts : how many of each item
    cost_usd, bound_usd : the expected bill of the horizon with it, held things not counted; what no purchase can go below
    on_demand_usd : the expected bill without it
    """

    counts: tuple[int, ...]
    cost_usd: float
    bound_usd: float
    on_demand_usd: float
    rounds: int

    @property
    def gap_ratio(self) -> float:
        return abs(self.cost_usd - self.bound_usd) / self.cost_usd if self.cost_usd else 0.0


def caps(items: Sequence[Item]) -> F8:
    """The most that an optimum holds of each item, shape (items,): so many of a better one would cover as much and cost no more.

    Better is the lower price a unit, then the smaller size, so that of two which are worth the same one stays: four nanos are a
    small, and the master is spared the choice.
    """
    units = [(float(item.quarters), float(item.usd_per_h)) for item in items]
    ranks = [(float(f"{usd / quarters:.12e}"), quarters, number) for number, (quarters, usd) in enumerate(units)]
    most = np.full(len(items), np.inf)
    for item, other in itertools.permutations(range(len(items)), 2):
        if items[item].family is not None and items[item].family == items[other].family and ranks[other] < ranks[item]:
            most[item] = min(most[item], _before_swap(*units[item], *units[other]))
    return most


def _before_swap(quarters: float, usd: float, other_quarters: float, other_usd: float) -> float:
    """How many are held at most where so many of another would do instead."""
    many = np.arange(1, SWAPS + 1)
    covered = np.floor(many * other_quarters / quarters * (1 + ROUNDING))
    better = covered[(covered > 0) & (many * other_usd <= covered * usd * (1 + ROUNDING))]
    return float(better.min()) - 1 if better.size else np.inf
