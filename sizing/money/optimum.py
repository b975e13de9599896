"""How many whole reservations, and how much of a plan, make the expected bill least?

The bill of an hour is convex in what is held: reservations first, then a Compute plan by the greatest discount, the rest on demand.
So cutting planes over the purchases alone reach the optimum: the hours' greedy bill is the oracle, its slope the cut, and HiGHS
solves the master, first over the reals, then over whole numbers. An EC2 plan covers one family, so it is a reservation of that
family in steps of $0.001. Where one offer stands and no plan couples the families, a quantile of the demand is the answer.

The direct linear programme over all hours doesn't finish on a year of 20 families; this takes seconds (benchmarks/commitments.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evidence import SizeupError
from sizing.money.master import Master
from sizing.money.oracle import Bill, Oracle
from sizing.money.problem import Item, Optimum, Problem, caps
from sizing.types import F8

__all__ = ["Item", "Optimum", "Problem", "optimise", "quantile_counts"]

ROUNDS = 400
EXACT_RATIO = 1e-9


def optimise(problem: Problem, tolerance: float = EXACT_RATIO) -> Optimum:
    """Find the purchase of the least expected bill.

    Raises
    ------
    SizeupError
        Where the bound isn't reached, naming the gap.
    """
    useful = caps(problem.items) > 0
    if not useful.all():
        best = optimise(replace(problem, items=[item for item, keep in zip(problem.items, useful, strict=True) if keep]), tolerance)
        left = iter(best.counts)
        return replace(best, counts=tuple(next(left) if keep else 0 for keep in useful))
    oracle = Oracle(problem)
    nothing = oracle.bill(np.zeros(len(problem.items))).usd.sum()
    if not problem.items or nothing <= 0:
        return Optimum((0,) * len(problem.items), float(nothing), float(nothing), float(nothing), 0)
    if _is_single(problem):
        counts = quantile_counts(problem)
        cost = oracle.cost(oracle.bill(np.array(counts, dtype=np.float64)))
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
    rest = problem.quarters[:, item.family].astype(np.float64) - float(problem.held[item.family])
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
    return free and not np.asarray(problem.held_commit_usd, dtype=np.float64).any() and problem.owed_most_usd is None


def _by_cuts(problem: Problem, oracle: Oracle, nothing: float, tolerance: float) -> Optimum:
    """Tighten the master until its own optimum costs what it says: over the reals first, then over whole numbers."""
    master = Master(oracle, nothing, None if problem.owed_most_usd is None else float(problem.owed_most_usd))
    counts, bound, rounds = _over_reals(master, oracle, nothing, tolerance)
    best = _nearby(master, oracle, np.floor(counts + 1e-6), tolerance)
    master.make_whole(oracle.cost(best) - bound, tolerance)
    for further in range(1, ROUNDS + 1):
        cost = oracle.cost(best)
        counts, bound = master.solve(cost)
        if cost - bound <= tolerance * cost:
            return Optimum(tuple(int(n) for n in best.counts), cost, min(bound, cost), nothing, rounds + further)
        bill = oracle.bill(np.round(counts))
        master.cut(bill)
        master.cut_by_family(bill.counts, oracle.worth[bill.whole])
        best = min(best, bill, key=oracle.cost)
    raise SizeupError(f"the purchase isn't exact: {(cost - bound) / cost:.1e} of the bill is open; narrow it with --term or --payment.")


def _over_reals(master: Master, oracle: Oracle, nothing: float, tolerance: float) -> tuple[F8, float, int]:
    """Cut until the master over the reals is as exact as whole numbers will need; return its purchase and the rounds."""
    counts = np.zeros(len(oracle.usd))
    rounds, bound = 0, 0.0
    for rounds in range(1, ROUNDS + 1):  # noqa: B007  # told to the caller
        bill = oracle.bill(counts)
        master.cut(bill)
        counts, bound = master.solve()
        if oracle.cost(bill) - bound <= max(tolerance, 1e-7) * nothing:
            break
    return counts, bound, rounds


def _nearby(master: Master, oracle: Oracle, counts: F8, tolerance: float) -> Bill:
    """Improve whole counts one step at a time, twice round, each step a cut; a slope too flat to help isn't tried."""
    best = oracle.bill(counts)
    master.cut(best)
    for _ in range(2):
        for item in range(len(counts)):
            slope = oracle.usd[item] + best.slopes[:, item].sum()
            if abs(slope) <= tolerance * oracle.cost(best) or (slope > 0 and not best.counts[item]):
                continue
            counts = best.counts.copy()
            counts[item] -= np.sign(slope)
            if not master.allows(counts):
                continue
            tried = oracle.bill(counts)
            if oracle.cost(tried) < oracle.cost(best):
                master.cut(tried)
                best = tried
    return best
