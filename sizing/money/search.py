"""Which level of each family, and how many steps of the plans? Branch and cut, then HiGHS for what that leaves open."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evidence import SizeupError
from sizing.money.levels import Levels
from sizing.money.master import Bounds, Steps, Whole
from sizing.money.ordered import Bought, Ordered
from sizing.types import F8

ROUNDS = 400
ROUNDING = 1e-13
NODES = 40
"""Parts of the levels that are looked at before HiGHS has the rest: by then nearly every purchase is settled."""
SLOW = 0.1
"""A cut that closes less of what is open isn't worth another; parting the levels is."""


@dataclass(frozen=True, slots=True)
class Search:
    """The best purchase found, and what none of the levels looked at costs less than."""

    best: Bought | None
    bound_usd: float
    rounds: int


def over_levels(
    ordered: Ordered, families: Sequence[Levels], worth: F8, tolerance: float, best: Bought | None, most_usd: float
) -> Search:
    """Choose among levels by branch and cut: bound, cut where the bound lies, part the levels where it isn't whole.

    Parameters
    ----------
    best : the best purchase so far, of whatever levels
    most_usd : it ends where all that is left costs more: other levels may be better then

    Raises
    ------
    SizeupError
        Where the bound isn't reached.
    """
    oracle, steps = ordered.oracle, ordered.steps
    master = Whole(oracle, families, steps, ordered.nothing_usd, ordered.owed_most_usd)
    master.cut(worth)
    first = tuple([0] * (len(families) + len(steps.items)))
    last = (*(len(each.units) - 1 for each in families), *(int(n) for n in steps.most))
    heap: list[tuple[float, int, Bounds, Bounds]] = [(-np.inf, 0, first, last)]
    proven, number = np.inf, 0
    for rounds in range(1, NODES + 1):
        if not heap or heap[0][0] > most_usd:
            return Search(best, min([proven, *(node[0] for node in heap[:1])]), rounds)
        _, _, low, high = heapq.heappop(heap)
        master.bound(low, high)
        bought, bound = _tight(ordered, master, np.inf if best is None else best.cost_usd * (1 - tolerance))
        whole = master.whole_at(bought)
        if np.isfinite(bound) and master.allows(whole):
            best = _better(best, _tried(ordered, families, master, whole))
        branch = master.open_at(bought)
        if bound == np.inf or (best is not None and best.cost_usd - bound <= _open_most(ordered, best, tolerance)):
            proven = min(proven, bound)
        elif branch is None:
            heapq.heappush(heap, (bound, number, low, high))
        else:
            number += 2
            heapq.heappush(heap, (bound, number - branch.below_first, low, branch.cap(high)))
            heapq.heappush(heap, (bound, number - (not branch.below_first), branch.lift(low), high))
    return _by_programme(ordered, families, master, (first, last), tolerance, Search(best, -np.inf, NODES), most_usd)


def _by_programme(
    ordered: Ordered, families: Sequence[Levels], master: Whole, bounds: tuple[Bounds, Bounds], tolerance: float, so_far: Search,
    most_usd: float,
) -> Search:  # fmt: skip
    """Leave the rest to HiGHS, whose own cuts close what parting the levels does not: families of the same price, a limit on what is owed.

    Raises
    ------
    SizeupError
        Where the bound isn't reached, naming what is open.
    """
    master.make_whole(tolerance, *bounds)
    best, open_usd = so_far.best, ordered.nothing_usd
    for rounds in range(1, ROUNDS + 1):
        whole, bound = master.solve_whole(min([most_usd, *([] if best is None else [best.cost_usd])]))
        if whole is None:
            return Search(best, bound, so_far.rounds + rounds)
        best = _better(best, _tried(ordered, families, master, whole))
        open_usd = best.cost_usd - bound
        if bound > most_usd or open_usd <= _open_most(ordered, best, tolerance):
            return Search(best, bound, so_far.rounds + rounds)
    raise SizeupError(f"the purchase isn't exact: ${open_usd:.2g} of the bill is open; narrow it with --term or --payment.")


def _open_most(ordered: Ordered, best: Bought, tolerance: float) -> float:
    """What may be left open: of the bill, and where purchases cost next to nothing what floating point leaves of the one on demand."""
    return tolerance * best.cost_usd + ROUNDING * ordered.nothing_usd


def _tried(ordered: Ordered, families: Sequence[Levels], master: Whole, whole: F8) -> Bought:
    """Bill a purchase of levels, a cut of its own."""
    tried = ordered.bought(_counts(whole, families, ordered.steps))
    master.cut(ordered.oracle.worth_at(tried.bill))
    return tried


def _better(best: Bought | None, tried: Bought) -> Bought:
    return tried if best is None or tried.cost_usd < best.cost_usd else best


def _tight(ordered: Ordered, master: Whole, best_usd: float) -> tuple[F8, float]:
    """Cut where the bound lies until that hardly moves it."""
    bought, bound = master.solve()
    while bound < best_usd:
        master.cut(ordered.oracle.worth_at(ordered.oracle.bill(*master.units_at(bought))))
        bought, moved = master.solve()
        if moved - bound <= SLOW * (min(best_usd, 1e300) - bound):
            return bought, moved
        bound = moved
    return bought, bound


def _counts(bought: F8, families: Sequence[Levels], steps: Steps) -> dict[int, int]:
    """What a purchase of levels and steps is in items."""
    counts = {item: int(count) for item, count in zip(steps.items, bought[len(bought) - len(steps.items) :], strict=True) if count}
    first = 0
    for each in families:
        chosen = int(np.argmax(bought[first : first + len(each.units)]))
        counts |= each.counts[chosen]
        first += len(each.units)
    return counts
