"""How many whole reservations, and how much of a plan, make the expected bill least?

The bill of an hour is convex in what is held: reservations first, then a Compute plan by the greatest discount, the rest on demand.
So cutting planes over the purchases alone reach the optimum: the hours' greedy bill is the oracle, its slope the cut, and HiGHS
solves the master, first over the reals. That leaves a few whole levels of cover for each family, among which a second master chooses;
its cuts are the bill at what a dollar of the plan is worth in each hour, and exact at every level. An EC2 plan covers one family, so
it is a reservation of that family in steps of $0.001. Where one offer stands and no plan couples the families, a quantile of the
demand is the answer.

The direct linear programme over all hours doesn't finish on a year of 20 families; this takes seconds (benchmarks/commitments.py).
"""

from __future__ import annotations

import numpy as np

from sizing.money.levels import Real
from sizing.money.master import Reals
from sizing.money.oracle import Oracle
from sizing.money.ordered import Bought, Ordered
from sizing.money.problem import Item, Optimum, Problem
from sizing.money.search import over_levels
from sizing.types import F8

__all__ = ["Item", "Optimum", "Problem", "optimise", "quantile_counts"]

ROUNDS = 400
EXACT_RATIO = 1e-9
INWARD = 0.5
"""A cut half way between the best purchase so far and the master's own: a third of the rounds."""
FIRST_ROOM, WIDER = 1e-8, 2.5
"""How much above the bound over the reals whole purchases are looked for first, of the bill on demand; by how much more each time."""


def optimise(problem: Problem, tolerance: float = EXACT_RATIO) -> Optimum:
    """Find the purchase of the least expected bill.

    Raises
    ------
    SizeupError
        Where the bound isn't reached, naming the gap.
    """
    oracle = Oracle(problem)
    nothing = oracle.bill(oracle.held, 0.0).usd.sum()
    if not problem.items or nothing <= 0:
        return Optimum((0,) * len(problem.items), float(nothing), float(nothing), float(nothing), 0)
    ordered = Ordered.of(problem, oracle, float(nothing))
    if _is_single(problem):
        counts = quantile_counts(problem)
        cost = ordered.bought({n: count for n, count in enumerate(counts) if count}).cost_usd
        return Optimum(counts, cost, cost, float(nothing), 0)
    return _by_cuts(ordered, tolerance)


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


def _by_cuts(ordered: Ordered, tolerance: float) -> Optimum:
    """Cut over the reals; then choose among the levels of each family that cost no more than the bound over the reals and some room.

    Any other purchase costs more than that. So where the best of the levels doesn't, it is the best there is.
    """
    worth, tax, rounds = _over_reals(ordered, tolerance)
    reals = [Real(ordered.oracle, family, worth, usd * (1.0 + tax)) for family, usd in enumerate(ordered.unit_usd)]
    least, room = ordered.least_usd(reals, worth, tax), FIRST_ROOM * ordered.nothing_usd
    best: Bought | None = None
    while True:
        families = [ordered.levels(family, real, room, tax) for family, real in enumerate(reals)]
        if all(len(each.units) for each in families):
            search = over_levels(ordered, families, worth, tolerance, best, least + room)
            best, rounds = search.best, rounds + search.rounds
            if best is not None and min(best.cost_usd, search.bound_usd) <= least + room:
                counts = tuple(int(best.counts.get(n, 0)) for n in range(len(ordered.usd)))
                return Optimum(counts, best.cost_usd, min(search.bound_usd, best.cost_usd), ordered.nothing_usd, rounds)
        room = min(WIDER * room, np.inf if best is None else (best.cost_usd - least) * (1 + 1e-9))


def _over_reals(ordered: Ordered, tolerance: float) -> tuple[F8, float, int]:
    """Return what a dollar of the plan is worth in each hour, and a dollar that may be owed, at the optimum over the reals; and rounds."""
    oracle, families = ordered.oracle, len(ordered.unit_usd)
    master = Reals(oracle, ordered.unit_usd, ordered.steps, ordered.nothing_usd, ordered.owed_most_usd)
    usd = np.append(np.where(np.isfinite(ordered.unit_usd), ordered.unit_usd, 0.0), ordered.steps.usd)
    best = np.zeros(len(usd))
    master.cut(oracle.bill(oracle.held, 0.0))
    best_usd = ordered.nothing_usd
    rounds = 0
    for rounds in range(1, ROUNDS + 1):  # noqa: B007  # told to the caller
        counts, bound = master.solve()
        if best_usd - bound <= max(tolerance, 1e-7) * ordered.nothing_usd:
            break
        tried = best + INWARD * (counts - best)
        bill = oracle.bill(oracle.held + tried[:families], float(tried[families:] @ ordered.steps.commit_usd))
        cost = float(usd @ tried + bill.usd.sum())
        if cost < best_usd:
            best, best_usd = tried, cost
        master.cut(bill)
    else:
        master.solve()
    return *master.duals(), rounds
