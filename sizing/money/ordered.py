"""A problem as the search sees it: what covers each family, steps of the plans, and what a purchase of them costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sizing.money.levels import Choice, Levels, Real, levels
from sizing.money.master import Steps
from sizing.money.oracle import Bill, Oracle
from sizing.money.problem import Problem, caps
from sizing.types import F8


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase with its whole expected bill."""

    counts: Mapping[int, int]
    bill: Bill
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Ordered:
    """A problem in the oracle's order of families.

    Attributes
    ----------
    choices : of each family, what covers it
    unit_usd : shape (families,), the least price of a quarter unit over the horizon; inf where nothing covers it
    """

    oracle: Oracle
    usd: F8
    choices: Sequence[Sequence[Choice]]
    unit_usd: F8
    steps: Steps
    nothing_usd: float
    owed_most_usd: float | None

    @classmethod
    def of(cls, problem: Problem, oracle: Oracle, nothing_usd: float) -> Ordered:
        usd = np.array([float(item.usd_per_h * problem.horizon_h) for item in problem.items])
        most, plan_usd = caps(problem.items), oracle.peaks()[1]
        choices = [
            [Choice(n, float(item.quarters), usd[n], most[n]) for n, item in enumerate(problem.items) if item.family == family and most[n]]
            for family in oracle.order
        ]
        plans = [n for n, item in enumerate(problem.items) if item.family is None]
        commit = np.array([float(problem.items[n].quarters) for n in plans])
        steps = Steps(plans, commit, usd[plans], np.ceil(plan_usd / commit - 1e-12))
        least = np.array([min((choice.unit_usd for choice in each), default=np.inf) for each in choices])
        owed = None if problem.owed_most_usd is None else float(problem.owed_most_usd)
        return cls(oracle, usd, choices, least, steps, nothing_usd, owed)

    def levels(self, family: int, real: Real, room_usd: float, tax: float) -> Levels:
        """A family's levels at prices that the limit of what may be owed makes dearer; their own prices in the answer."""
        taxed = [replace(choice, usd=choice.usd * (1.0 + tax)) for choice in self.choices[family]]
        found = levels(taxed, float(self.oracle.held[family]), float(self.oracle.peaks()[0][family]), real, room_usd)
        return replace(found, usd=found.usd / (1.0 + tax))

    def bought(self, counts: Mapping[int, int]) -> Bought:
        units = self.oracle.held.copy()
        for family, choices in enumerate(self.choices):
            units[family] += sum(counts.get(choice.item, 0) * choice.quarters for choice in choices)
        commit = sum(counts.get(n, 0) * usd for n, usd in zip(self.steps.items, self.steps.commit_usd, strict=True))
        bill = self.oracle.bill(units, float(commit))
        return Bought(counts, bill, float(sum(self.usd[n] * count for n, count in counts.items()) + bill.usd.sum()))

    def least_usd(self, reals: Sequence[Real], worth: F8, tax: float) -> float:
        """What no purchase costs less than, at a worth of the plan and a tax on what is owed (Lagrange)."""
        each = self.oracle.weights * worth
        plans = np.minimum(self.steps.usd * (1.0 + tax) - self.steps.commit_usd * each.sum(), 0.0) @ self.steps.most
        free = 0.0 if self.owed_most_usd is None else tax * self.owed_most_usd
        return float(sum(real.least_usd for real in reals) + plans - each @ self.oracle.held_commit - free)
