"""The bill of many hours at any purchase, and its slopes: what one unit more of each family, or a dollar of the plan, takes off it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.money.problem import Problem
from sizing.types import F8

GROUPS, MANY_GROUPS = 16, 50
"""Each group of hours has cuts of its own, one in all takes ten times the rounds. 16 make a light master, twice as fast for a year;
50 save a third of the rounds, which pays where a bill is dear."""
ROWS = 4096
"""Hours in one pass, so that its arrays stay in the processor's cache."""
THREADED = 100_000
Hours = npt.NDArray[np.int64]
FamilyCounts = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Bill:
    """What is left on demand at a purchase.

    Attributes
    ----------
    units, commit_usd : shape (families,), held ones too; what is bought of the plan, dollars an hour
    usd : shape (groups,)
    unit_slopes, commit_slopes : shapes (groups, families) and (groups,), of one unit and of one dollar an hour more
    whole : shape (hours,), how many families the plan covers whole, which tells what a dollar more of it is worth
    """

    units: F8
    commit_usd: float
    usd: F8
    unit_slopes: F8
    commit_slopes: F8
    whole: FamilyCounts

    @property
    def flat_usd(self) -> F8:
        """Where its straight lines start: their height at no unit and no dollar, shape (groups,)."""
        flat: F8 = self.usd - self.unit_slopes @ self.units - self.commit_slopes * self.commit_usd
        return flat


class Oracle:
    """The hours in groups of like bills, families by the plan's discount; `order` tells which column of the problem each is."""

    def __init__(self, problem: Problem) -> None:
        prices = np.array(problem.on_demand_usd, dtype=np.float64)
        ratios = np.array([np.inf if r is None else float(r) for r in problem.plan_ratios or [None] * len(prices)])
        self.order = np.argsort(ratios, kind="stable")
        rows = np.argsort(problem.quarters @ prices, kind="stable")
        self.demand = np.ascontiguousarray(problem.quarters[rows][:, self.order].T)
        self.weights = problem.weights[rows]
        groups = GROUPS if len(rows) < THREADED else MANY_GROUPS
        self.parts = list(np.array_split(np.arange(len(rows)), min(groups, len(rows))))
        self.held = np.array(problem.held, dtype=np.float64)[self.order]
        self.held_commit = np.broadcast_to(np.asarray(problem.held_commit_usd, dtype=np.float64), len(rows))[rows]
        self.planned = int(np.isfinite(ratios).sum())
        self.coupled = self.planned > 0 and (bool(self.held_commit.any()) or any(item.family is None for item in problem.items))
        self._tables(prices[self.order], ratios[self.order])

    def _tables(self, prices: F8, ratios: F8) -> None:
        """Slopes by how many families the plan covers whole: the next one is where a dollar more of it would go."""
        self.prices, self.ratios = prices, ratios
        self.rates = ratios[: self.planned] * prices[: self.planned]
        self.worth = np.append(1.0 / ratios[: self.planned], 0.0)
        self.slopes = np.stack([self.unit_usd(family, self.worth) for family in range(len(prices))])

    def unit_usd(self, family: int, worth: F8) -> F8:
        """What a unit of a family costs, by what a dollar of the plan is worth: on demand, or what its share of the plan does elsewhere."""
        price = self.prices[family]
        return price * np.minimum(1.0, self.ratios[family] * worth) if family < self.planned else np.full(worth.shape, price)

    def peaks(self) -> tuple[F8, float]:
        """Units beyond which more of a family covers nothing, shape (families,), and dollars an hour beyond which no plan does."""
        peak = np.maximum(self.demand.max(axis=1) - self.held, 0.0)
        plan = float(self.rates @ peak[: self.planned]) - float(self.held_commit.min()) if self.coupled else 0.0
        return peak, max(plan, 0.0)

    def bill(self, units: F8, commit_usd: float) -> Bill:
        """Bill every hour with so many units of each family, held ones too, and so much of the plan beside what is held of it."""
        whole = np.zeros(len(self.weights), dtype=np.int16)
        usd, by_family, by_commit = np.zeros(len(self.parts)), np.zeros((len(self.parts), len(units))), np.zeros(len(self.parts))
        for group, (left, off, worth) in enumerate(self._each(lambda part: self._group(part, units, commit_usd, whole))):
            usd[group], by_family[group], by_commit[group] = left, -off, -worth
        return Bill(units, commit_usd, usd, by_family, by_commit, whole)

    def worth_at(self, bill: Bill) -> F8:
        """What a dollar more of the plan is worth in each hour at a bill, shape (hours,); without a plan so much that all is on demand."""
        worth: F8 = self.worth[bill.whole]
        return worth

    def _each(self, work: Callable[[Hours], tuple[float, F8, float]]) -> list[tuple[float, F8, float]]:
        """Work through the groups; on two threads where there are many hours, numpy letting go of the interpreter meanwhile."""
        if len(self.weights) < THREADED:
            return [work(part) for part in self.parts]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(work, self.parts))

    def _group(self, part: Hours, units: F8, commit: float, whole: FamilyCounts) -> tuple[float, F8, float]:
        starts = range(int(part[0]), int(part[-1]) + 1, ROWS)
        found = [self._block(slice(start, min(start + ROWS, int(part[-1]) + 1)), units, commit, whole) for start in starts]
        return sum(f[0] for f in found), np.sum([f[1] for f in found], axis=0), sum(f[2] for f in found)

    def _block(self, rows: slice, units: F8, commit: float, whole: FamilyCounts) -> tuple[float, F8, float]:
        """Bill some hours; also what one unit of each family and a dollar of the plan would take off.

        By duality the bill is Σ p·min(1, s·μ)·e − μ·C, where s is a family's plan ratio, e what reservations leave of it, and μ what
        a dollar of the plan is worth: 1/s of the first family that the plan doesn't cover whole, 0 where it covers all.
        """
        weights = self.weights[rows]
        rest = self.demand[:, rows] - units[:, None]
        np.maximum(rest, 0.0, out=rest)
        if not self.coupled:
            return float(self.prices @ (rest @ weights)), self.prices * ((rest > 0) @ weights), 0.0
        money = self.held_commit[rows] + commit
        whole[rows] = (np.cumsum(rest[: self.planned] * self.rates[:, None], axis=0) <= money).sum(axis=0)
        slopes = self.slopes.take(whole[rows], axis=1)
        slopes *= weights
        worth = self.worth[whole[rows]] * weights
        usd = float(np.einsum("ij,ij->", slopes, rest)) - float(worth @ money)
        return usd, np.einsum("ij,ij->i", slopes, rest > 0), float(worth.sum())
