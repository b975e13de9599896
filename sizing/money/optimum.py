"""How many whole reservations, and how much of a plan, make the expected bill least?

The bill of an hour is convex in what is held: reservations first, then a Compute plan by the greatest discount, the rest on demand.
So cutting planes over the purchases alone reach the optimum: the hours' greedy bill is the oracle, its slope the cut, and HiGHS
solves the master, first over the reals, then over whole numbers. An EC2 plan covers one family, so it is a reservation of that
family in steps of $0.001. Where one offer stands and no plan couples the families, a quantile of the demand is the answer.

The direct linear programme over all hours doesn't finish on a year of 20 families; this takes seconds (benchmarks/commitments.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from evidence import SizeupError
from sizing.types import F8

GROUPS = 50
"""Each group of hours has cuts of its own; one in all takes ten times the rounds."""
ROWS = 4096
"""Hours in one pass of the oracle, so that its arrays stay in the processor's cache."""
THREADED = 100_000
ROUNDS = 400
EXACT_RATIO = 1e-9
KEEP = 1e-5
SCALE = 1000.0
"""The bill on demand in the master's own unit, which keeps its tolerances below 1e-9 of the bill."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is bought in whole numbers.

    Attributes
    ----------
    family : int or None
        Which column of the demand it covers; None is a Compute plan, which covers all that have a rate.
    quarters : Decimal
        Quarter units that one covers in each hour; of a Compute plan, dollars an hour.
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
    plan_ratios : the Compute plan's rate over the price on demand, by family; None where it has none
    held_quarters, held_commit_usd : by family; dollars an hour
    owed_most_usd : the most that may be owed over the horizon, which is lost at worst; None: any sum
    """

    quarters: npt.NDArray[Any]
    weights: F8
    horizon_h: Decimal
    on_demand_usd: Sequence[Decimal]
    items: Sequence[Item]
    plan_ratios: Sequence[Decimal | None] = ()
    held_quarters: Sequence[Decimal] = ()
    held_commit_usd: Decimal = Decimal(0)
    owed_most_usd: Decimal | None = None


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


def optimise(problem: Problem, tolerance: float = EXACT_RATIO) -> Optimum:
    """Find the purchase of the least expected bill.

    Raises
    ------
    SizeupError
        Where the bound isn't reached, naming the gap.
    """
    useful = [cap > 0 for cap in (_cap(item, problem.items) for item in problem.items)]
    if not all(useful):
        best = optimise(replace(problem, items=[item for item, keep in zip(problem.items, useful, strict=True) if keep]), tolerance)
        left = iter(best.counts)
        return replace(best, counts=tuple(next(left) if keep else 0 for keep in useful))
    oracle = _Oracle(problem)
    nothing = oracle.bill(np.zeros(len(problem.items)))[0].sum()
    if not problem.items or nothing <= 0:
        return Optimum((0,) * len(problem.items), float(nothing), float(nothing), float(nothing), 0)
    if _is_single(problem):
        counts = quantile_counts(problem)
        cost = oracle.cost(np.array(counts, dtype=np.float64))
        return Optimum(counts, cost, cost, float(nothing), 0)
    return _by_cuts(problem, oracle, float(nothing), tolerance)


def quantile_counts(problem: Problem) -> tuple[int, ...]:
    """Where each family has one offer and no plan: the last instance whose expected use is worth its price.

    With whole instances as the unit it is the smallest count that the demand exceeds in no more than reserved/on-demand of the hours.
    """
    return tuple(_count(problem, item) for item in problem.items)


def _count(problem: Problem, item: Item) -> int:
    assert item.family is not None
    step, price = float(item.quarters), float(problem.on_demand_usd[item.family])
    rest = problem.quarters[:, item.family].astype(np.float64) - float(_held(problem)[item.family])
    worth = float(item.usd_per_h * problem.horizon_h) / price
    low, high = 0, int(np.ceil(max(float(rest.max()), 0.0) / step))
    while low < high:  # the use of one more never grows, so the last that pays is found by halving
        middle = (low + high) // 2
        used = float(problem.weights @ np.clip(rest - middle * step, 0.0, step))
        low, high = (middle + 1, high) if used > worth * (1 + 1e-12) else (low, middle)
    return low


def _is_single(problem: Problem) -> bool:
    families = [item.family for item in problem.items]
    free = None not in families and len(set(families)) == len(families)
    return free and not problem.held_commit_usd and problem.owed_most_usd is None


def _held(problem: Problem) -> Sequence[Decimal]:
    return problem.held_quarters or [Decimal(0)] * len(problem.on_demand_usd)


def _cap(item: Item, items: Sequence[Item]) -> float:
    """The most that an optimum holds of an item: so many of another of its family would cover as much and cost no more."""
    if item.family is None:
        return np.inf
    others = [other for other in items if other.family == item.family and other is not item]
    swaps = [(int(many * other.quarters // item.quarters), many * other.usd_per_h, other) for other in others for many in range(1, 17)]
    better = [covered for covered, usd, other in swaps if covered and usd <= covered * item.usd_per_h and _first(other, item, items)]
    return min(better, default=0) - 1 if better else np.inf


def _first(other: Item, item: Item, items: Sequence[Item]) -> bool:
    """Of two that are worth the same only one may give way."""
    alike = other.quarters * item.usd_per_h == item.quarters * other.usd_per_h
    return not alike or other.quarters > item.quarters or (other.quarters == item.quarters and items.index(other) < items.index(item))


class _Oracle:
    """The bill of every group of hours and its slope, at any purchase."""

    def __init__(self, problem: Problem) -> None:
        prices = np.array(problem.on_demand_usd, dtype=np.float64)
        ratios = np.array([np.inf if r is None else float(r) for r in problem.plan_ratios or [None] * len(prices)])
        order = np.argsort(ratios, kind="stable")
        rows = np.argsort(problem.quarters @ prices, kind="stable")
        self.demand = np.ascontiguousarray(problem.quarters[rows][:, order].T)
        self.weights = problem.weights[rows]
        self.parts = list(np.array_split(np.arange(len(rows)), min(GROUPS, len(rows))))
        self.held = np.array(_held(problem), dtype=np.float64)[order]
        self.held_commit = float(problem.held_commit_usd)
        self.planned = int(np.isfinite(ratios).sum())
        self.coupled = self.planned > 0 and (bool(self.held_commit) or any(item.family is None for item in problem.items))
        self._tables(prices[order], ratios[order])
        self._items(problem, order)
        self.caps = np.array([_cap(item, problem.items) for item in problem.items])

    def _tables(self, prices: F8, ratios: F8) -> None:
        """Slopes by how many families the plan covers whole: the next one is where a dollar more of it would go."""
        known = ratios[: self.planned]
        self.rates = known * prices[: self.planned]
        self.worth = np.append(1.0 / known, 0.0)
        self.slopes = np.repeat(prices[:, None], self.planned + 1, axis=1)
        self.slopes[: self.planned] *= np.minimum(1.0, known[:, None] * self.worth[None, :])
        self.prices = prices

    def _items(self, problem: Problem, order: npt.NDArray[np.int64]) -> None:
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
        plan = max(float(self.rates @ peak[: self.planned]) - self.held_commit, 0.0)
        wanted = [plan / c if c else float((peak[row > 0] / row[row > 0]).max()) for c, row in zip(self.commit, self.cover, strict=True)]
        most: F8 = np.minimum(np.ceil(np.array(wanted) - 1e-12), self.caps)
        return most

    def cost(self, counts: F8) -> float:
        """The whole expected bill."""
        return float(self.usd @ counts + self.bill(counts)[0].sum())

    def bill(self, counts: F8) -> tuple[F8, F8]:
        """What is left on demand in each group of hours, shape (groups,), and its slope by item, (groups, items)."""
        units, commit = self.held + counts @ self.cover, self.held_commit + float(counts @ self.commit)
        usd, by_family, by_commit = np.zeros(len(self.parts)), np.zeros((len(self.parts), len(units))), np.zeros(len(self.parts))
        for group, (left, off, worth) in enumerate(self._each(lambda part: self._group(part, units, commit))):
            usd[group], by_family[group], by_commit[group] = left, -off, -worth
        return usd, by_family @ self.cover.T + by_commit[:, None] * self.commit[None, :]

    def _each(self, work: Callable[[npt.NDArray[np.int64]], tuple[float, F8, float]]) -> list[tuple[float, F8, float]]:
        """Work through the groups; on two threads where there are many hours, numpy letting go of the interpreter meanwhile."""
        if len(self.weights) < THREADED:
            return [work(part) for part in self.parts]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(work, self.parts))

    def _group(self, part: npt.NDArray[np.int64], units: F8, commit: float) -> tuple[float, F8, float]:
        starts = range(int(part[0]), int(part[-1]) + 1, ROWS)
        found = [self._block(slice(start, min(start + ROWS, int(part[-1]) + 1)), units, commit) for start in starts]
        return sum(f[0] for f in found), np.sum([f[1] for f in found], axis=0), sum(f[2] for f in found)

    def _block(self, rows: slice, units: F8, commit: float) -> tuple[float, F8, float]:
        """Bill some hours; also what one unit of each family and a dollar of the plan would take off.

        By duality the bill is Σ p·min(1, s·μ)·e − μ·C, where s is a family's plan ratio, e what reservations leave of it, and μ what
        a dollar of the plan is worth: 1/s of the first family that the plan doesn't cover whole, 0 where it covers all.
        """
        weights = self.weights[rows]
        rest = self.demand[:, rows] - units[:, None]
        np.maximum(rest, 0.0, out=rest)
        if not self.coupled:
            return float(self.prices @ (rest @ weights)), self.prices * ((rest > 0) @ weights), 0.0
        whole = (np.cumsum(rest[: self.planned] * self.rates[:, None], axis=0) <= commit).sum(axis=0)
        slopes = self.slopes.take(whole, axis=1)
        slopes *= weights
        worth = float(self.worth[whole] @ weights)
        usd = float(np.einsum("ij,ij->", slopes, rest)) - worth * commit
        return usd, np.einsum("ij,ij->i", slopes, rest > 0), worth


def _by_cuts(problem: Problem, oracle: _Oracle, nothing: float, tolerance: float) -> Optimum:
    """Tighten the master until its own optimum costs what it says: over the reals first, then over whole numbers."""
    master = _Master(oracle, SCALE / nothing, None if problem.owed_most_usd is None else float(problem.owed_most_usd))
    counts, bound, rounds = _over_reals(master, oracle, nothing, tolerance)
    best_counts, best = _nearby(master, oracle, np.floor(counts + 1e-6), tolerance)
    master.make_whole(best - bound, tolerance)
    for further in range(1, ROUNDS + 1):
        counts, bound = master.solve()
        if best - bound <= tolerance * best:
            return Optimum(tuple(int(n) for n in best_counts), best, min(bound, best), nothing, rounds + further)
        counts = np.round(counts)
        usd, slopes = oracle.bill(counts)
        master.cut(counts, usd, slopes)
        if (cost := float(oracle.usd @ counts + usd.sum())) < best:
            best, best_counts = cost, counts
    raise SizeupError(f"the purchase isn't exact: {(best - bound) / best:.1e} of the bill is open; narrow it with --term or --payment.")


def _over_reals(master: _Master, oracle: _Oracle, nothing: float, tolerance: float) -> tuple[F8, float, int]:
    """Cut until the master over the reals is as exact as whole numbers will need; return its purchase and the rounds."""
    counts = np.zeros(len(oracle.usd))
    rounds, bound = 0, 0.0
    for rounds in range(1, ROUNDS + 1):  # noqa: B007  # told to the caller
        usd, slopes = oracle.bill(counts)
        master.cut(counts, usd, slopes)
        cost = float(oracle.usd @ counts + usd.sum())
        counts, bound = master.solve()
        if cost - bound <= max(tolerance, 1e-7) * nothing:
            break
    return counts, bound, rounds


def _nearby(master: _Master, oracle: _Oracle, counts: F8, tolerance: float) -> tuple[F8, float]:
    """Improve whole counts one step at a time, twice round, each step a cut; a slope too flat to help isn't tried."""
    usd, slopes = oracle.bill(counts)
    best = float(oracle.usd @ counts + usd.sum())
    master.cut(counts, usd, slopes)
    for _ in range(2):
        for item in range(len(counts)):
            slope = oracle.usd[item] + slopes[:, item].sum()
            if abs(slope) <= tolerance * best or (slope > 0 and not counts[item]):
                continue
            step = -np.sign(slope)
            tried = counts.copy()
            tried[item] += step
            usd, tried_slopes = oracle.bill(tried)
            cost = float(oracle.usd @ tried + usd.sum())
            if cost < best and master.allows(tried):
                master.cut(tried, usd, tried_slopes)
                best, counts, slopes = cost, tried, tried_slopes
    return counts, best


class _Master:
    """The programme over the purchases alone: what they cost, and at least what every cut says is left on demand."""

    def __init__(self, oracle: _Oracle, unit: float, owed_most_usd: float | None) -> None:
        import highspy

        # highspy.Highs adds callbacks to this class, and with them a banner on standard output before it can be told to be silent.
        self.highs = highspy._core._Highs()
        self.highs.setOptionValue("output_flag", False)
        for option, value in (("primal_feasibility_tolerance", 1e-9), ("dual_feasibility_tolerance", 1e-9), ("mip_rel_gap", 1e-10),
                              ("mip_abs_gap", 1e-8), ("mip_feasibility_tolerance", 1e-8)):  # fmt: skip
            self.highs.setOptionValue(option, value)
        self.unit, self.items = unit, len(oracle.usd)
        self.whole = highspy.HighsVarType.kInteger
        self.is_mip = False
        self.most = oracle.most()
        for usd, most in zip(oracle.usd * unit, self.most, strict=True):
            self.highs.addVar(0.0, float(most))
            self.highs.changeColCost(self.highs.getNumCol() - 1, float(usd))
        for _ in oracle.parts:
            self.highs.addVar(0.0, highspy.kHighsInf)
            self.highs.changeColCost(self.highs.getNumCol() - 1, 1.0)
        self.usd, self.owed = oracle.usd, owed_most_usd
        if owed_most_usd is not None:
            every = np.arange(self.items, dtype=np.int32)
            self.highs.addRow(-highspy.kHighsInf, owed_most_usd * unit, self.items, every, oracle.usd * unit)
        self.free = highspy.kHighsInf

    def cut(self, counts: F8, usd: F8, slopes: F8) -> None:
        """Add for each group: left on demand ≥ usd + slope · (counts − these)."""
        groups = len(usd)
        values = np.hstack([-slopes * self.unit, np.ones((groups, 1))])
        columns = np.hstack([np.tile(np.arange(self.items), (groups, 1)), self.items + np.arange(groups)[:, None]])
        starts = np.arange(groups, dtype=np.int32) * (self.items + 1)
        low = (usd - slopes @ counts) * self.unit
        self.highs.addRows(
            groups, low, np.full(groups, self.free), values.size, starts, columns.astype(np.int32).ravel(), values.ravel()
        )

    def make_whole(self, gap_usd: float, tolerance: float) -> None:
        """Ask for whole numbers from now on; cuts far from the optimum over the reals only cost time, and come back where needed."""
        self.highs.run()
        slack = np.array(self.highs.getSolution().row_value) - np.array(self.highs.getLp().row_lower_)
        loose = np.flatnonzero(np.isfinite(slack) & (slack > max(gap_usd * self.unit, KEEP)))
        self.highs.deleteRows(len(loose), loose.astype(np.int32))
        self.highs.setOptionValue("mip_rel_gap", tolerance / 10)
        self._narrow(gap_usd * self.unit)
        for column in range(self.items):
            self.highs.changeColIntegrality(column, self.whole)
        self.is_mip = True

    def _narrow(self, gap: float) -> None:
        """Narrow each count to what its reduced cost leaves room for: beyond it a purchase costs more than the one in hand."""
        solution = self.highs.getSolution()
        counts, duals = np.array(solution.col_value[: self.items]), np.array(solution.col_dual[: self.items])
        for column in np.flatnonzero(np.abs(duals) > 1e-9):
            room = np.floor((gap + 1e-6) / abs(duals[column]) + 1e-9)
            low, high = (counts[column], counts[column] + room) if duals[column] > 0 else (counts[column] - room, counts[column])
            self.highs.changeColBounds(int(column), max(float(low), 0.0), min(float(high), float(self.most[column])))

    def allows(self, counts: F8) -> bool:
        return self.owed is None or float(self.usd @ counts) <= self.owed

    def solve(self) -> tuple[F8, float]:
        """Return the master's purchase and what no purchase can cost less than."""
        self.highs.run()
        info = self.highs.getInfo()
        bound = info.mip_dual_bound if self.is_mip else info.objective_function_value
        return np.array(self.highs.getSolution().col_value[: self.items]), float(bound) / self.unit
