"""The bill of many hours at any purchase, and its slopes: what one more of each item would take off it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.money.problem import Problem, caps
from sizing.types import F8

GROUPS, MANY_GROUPS = 16, 50
"""Each group of hours has cuts of its own, one in all takes ten times the rounds. 16 make a light master, twice as fast for a year;
50 save a third of the rounds, which pays where a bill is dear."""
ROWS = 4096
"""Hours in one pass, so that its arrays stay in the processor's cache."""
THREADED = 100_000
NEAR = 4
"""Units either side of a purchase at which a family's own bill is touched."""
Hours = npt.NDArray[np.int64]
Whole = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Bill:
    """What is left on demand at a purchase.

    Attributes
    ----------
    usd : shape (groups,)
    slopes : shape (groups, items), of one more of an item
    whole : shape (hours,), how many families the plan covers whole, which tells what a dollar more of it is worth
    """

    counts: F8
    usd: F8
    slopes: F8
    whole: Whole


@dataclass(frozen=True, slots=True)
class Tangents:
    """Straight lines under what each family leaves on demand, at a given worth of the plan.

    Attributes
    ----------
    units, usd, slopes : shape (families, lines), where a line touches, its height there and its slope by quarter units
    plan_usd, held_usd : what a dollar an hour of the plan takes off over the horizon at that worth; what the held plan does
    """

    units: F8
    usd: F8
    slopes: F8
    plan_usd: float
    held_usd: float


class Oracle:
    """The hours in groups of like bills, families by the plan's discount."""

    def __init__(self, problem: Problem) -> None:
        prices = np.array(problem.on_demand_usd, dtype=np.float64)
        ratios = np.array([np.inf if r is None else float(r) for r in problem.plan_ratios or [None] * len(prices)])
        order = np.argsort(ratios, kind="stable")
        rows = np.argsort(problem.quarters @ prices, kind="stable")
        self.demand = np.ascontiguousarray(problem.quarters[rows][:, order].T)
        self.weights = problem.weights[rows]
        groups = GROUPS if len(rows) < THREADED else MANY_GROUPS
        self.parts = list(np.array_split(np.arange(len(rows)), min(groups, len(rows))))
        self.held = np.array(problem.held, dtype=np.float64)[order]
        self.held_commit = np.broadcast_to(np.asarray(problem.held_commit_usd, dtype=np.float64), len(rows))[rows]
        self.planned = int(np.isfinite(ratios).sum())
        self.coupled = self.planned > 0 and (bool(self.held_commit.any()) or any(item.family is None for item in problem.items))
        self._tables(prices[order], ratios[order])
        self._items(problem, order)
        self.caps = caps(problem.items)

    def _tables(self, prices: F8, ratios: F8) -> None:
        """Slopes by how many families the plan covers whole: the next one is where a dollar more of it would go."""
        self.prices, self.ratios = prices, ratios
        self.rates = ratios[: self.planned] * prices[: self.planned]
        self.worth = np.append(1.0 / ratios[: self.planned], 0.0)
        self.slopes = np.stack([self._unit_usd(family, self.worth) for family in range(len(prices))])

    def _unit_usd(self, family: int, worth: F8) -> F8:
        """What a unit of a family costs, by what a dollar of the plan is worth: on demand, or what its share of the plan does elsewhere."""
        price = self.prices[family]
        return price * np.minimum(1.0, self.ratios[family] * worth) if family < self.planned else np.full(worth.shape, price)

    def _items(self, problem: Problem, order: Hours) -> None:
        place = {int(family): at for at, family in enumerate(order)}
        self.usd = np.array([float(item.usd_per_h * problem.horizon_h) for item in problem.items])
        self.cover = np.zeros((len(problem.items), len(order)))
        self.commit = np.zeros(len(problem.items))
        for number, item in enumerate(problem.items):
            if item.family is None:
                self.commit[number] = float(item.quarters)
            else:
                self.cover[number, place[item.family]] = float(item.quarters)

    def most(self) -> F8:
        """The count of each item beyond which it covers nothing more, shape (items,)."""
        peak = np.maximum(self.demand.max(axis=1) - self.held, 0.0)
        plan = max(float(self.rates @ peak[: self.planned]) - float(self.held_commit.min()), 0.0)
        wanted = [plan / c if c else float((peak[row > 0] / row[row > 0]).max()) for c, row in zip(self.commit, self.cover, strict=True)]
        most: F8 = np.minimum(np.ceil(np.array(wanted) - 1e-12), self.caps)
        return most

    def bill(self, counts: F8) -> Bill:
        """Bill every hour at a purchase."""
        units, commit = self.held + counts @ self.cover, float(counts @ self.commit)
        whole = np.zeros(len(self.weights), dtype=np.int16)
        usd, by_family, by_commit = np.zeros(len(self.parts)), np.zeros((len(self.parts), len(units))), np.zeros(len(self.parts))
        for group, (left, off, worth) in enumerate(self._each(lambda part: self._group(part, units, commit, whole))):
            usd[group], by_family[group], by_commit[group] = left, -off, -worth
        return Bill(counts, usd, by_family @ self.cover.T + by_commit[:, None] * self.commit[None, :], whole)

    def cost(self, bill: Bill) -> float:
        """The whole expected bill, purchases included."""
        return float(self.usd @ bill.counts + bill.usd.sum())

    def tangents(self, counts: F8, worth: F8) -> Tangents:
        """Touch what each family leaves on demand at the units around a purchase.

        Parameters
        ----------
        worth : shape (hours,)
            What a dollar of the plan is worth in each hour. Whatever it is, the bill is no less than the families' sum less the plan's
            part (Lagrange), and each family's part depends on its own units alone.
        """
        at = np.maximum(np.floor(self.held + counts @ self.cover)[:, None] + np.arange(-NEAR, NEAR + 1), 0.0)
        usd, slopes = np.zeros(at.shape), np.zeros(at.shape)
        for family, units in enumerate(at):
            each = self.weights * self._unit_usd(family, worth)
            for line, unit in enumerate(units):
                rest = self.demand[family] - unit
                usd[family, line], slopes[family, line] = each @ np.maximum(rest, 0.0), -(each @ (rest > 0))
        each_usd = self.weights * worth if self.coupled else np.zeros(len(worth))
        return Tangents(at, usd, slopes, float(each_usd.sum()), float(each_usd @ self.held_commit))

    def _each(self, work: Callable[[Hours], tuple[float, F8, float]]) -> list[tuple[float, F8, float]]:
        """Work through the groups; on two threads where there are many hours, numpy letting go of the interpreter meanwhile."""
        if len(self.weights) < THREADED:
            return [work(part) for part in self.parts]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(work, self.parts))

    def _group(self, part: Hours, units: F8, commit: float, whole: Whole) -> tuple[float, F8, float]:
        starts = range(int(part[0]), int(part[-1]) + 1, ROWS)
        found = [self._block(slice(start, min(start + ROWS, int(part[-1]) + 1)), units, commit, whole) for start in starts]
        return sum(f[0] for f in found), np.sum([f[1] for f in found], axis=0), sum(f[2] for f in found)

    def _block(self, rows: slice, units: F8, commit: float, whole: Whole) -> tuple[float, F8, float]:
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
