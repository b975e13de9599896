"""The programmes over the purchases alone: what they cost, and at least what every cut says is left on demand; HiGHS solves them.

`Reals` takes each family's cheapest unit and any part of it, `Whole` one of a family's levels of cover and whole steps of the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sizing.money.levels import Levels
from sizing.money.oracle import Bill, Oracle
from sizing.types import F8

SCALE = 1000.0
"""The bill on demand in the masters' own unit, which keeps their tolerances below 1e-9 of the bill."""
WHOLE = 1e-6
"""A share that is so near to 1 is 1."""
FEASIBLE = 2
"""HiGHS's word for a solution that keeps to every row."""
OPTIONS = {"output_flag": False, "primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
SLACK = 1e-6
"""In the master's unit: a purchase dearer than the best so far by more isn't looked at."""
WHOLE_OPTIONS = {
    "mip_feasibility_tolerance": 1e-8, "mip_abs_gap": 1e-8,
    # The purchase in hand is nearly the best: looking for others, restarts and symmetry took more than half of the time.
    "mip_heuristic_effort": 0.0, "mip_heuristic_run_feasibility_jump": False, "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False, "mip_heuristic_run_root_reduced_cost": False, "mip_allow_restart": False,
    "mip_detect_symmetry": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Steps:
    """The plans of all families: items by number, dollars an hour of a step, its price over the horizon, the most that are of use."""

    items: Sequence[int]
    commit_usd: F8
    usd: F8
    most: F8


class _Master:
    """Columns of what is bought, then one for each group of hours with what is left on demand."""

    def __init__(self, oracle: Oracle, usd: F8, most: F8, nothing_usd: float, owed_most_usd: float | None) -> None:
        import highspy

        # highspy.Highs adds callbacks to this class, and with them a banner on standard output before it can be told to be silent.
        self.highs = highspy._core._Highs()
        for option, value in OPTIONS.items():
            self.highs.setOptionValue(option, value)
        self.oracle, self.unit, self.items = oracle, SCALE / nothing_usd, len(usd)
        self.free = highspy.kHighsInf
        costs = np.append(usd * self.unit, np.ones(len(oracle.parts)))
        for cost, top in zip(costs, np.append(most, np.full(len(oracle.parts), self.free)), strict=True):
            self.highs.addVar(0.0, float(top))
            self.highs.changeColCost(self.highs.getNumCol() - 1, float(cost))
        if owed_most_usd is not None:
            self.highs.addRow(-self.free, owed_most_usd * self.unit, self.items, np.arange(self.items, dtype=np.int32), usd * self.unit)
        self.usd, self.owed, self.heads = usd, owed_most_usd, self.highs.getNumRow()

    def add_rows(self, low_usd: F8, slopes: F8) -> None:
        """Add for each group: left on demand ≥ low + slopes · what is bought."""
        groups = len(low_usd)
        values = np.hstack([-slopes * self.unit, np.ones((groups, 1))])
        columns = np.hstack([np.tile(np.arange(self.items), (groups, 1)), self.items + np.arange(groups)[:, None]])
        starts = np.arange(groups, dtype=np.int32) * (self.items + 1)
        self.highs.addRows(
            groups, low_usd * self.unit, np.full(groups, self.free), values.size, starts, columns.astype(np.int32).ravel(), values.ravel()
        )

    def solve(self) -> tuple[F8, float]:
        """Return what it buys over the reals, shape (items,), and its bill; inf where nothing is possible."""
        self.highs.run()
        bought = np.array(self.highs.getSolution().col_value[: self.items])
        possible = self.highs.getInfo().primal_solution_status == FEASIBLE
        return bought, float(self.highs.getInfo().objective_function_value) / self.unit if possible else np.inf


class Reals(_Master):
    """Units of each family at its least price, then steps of the plans."""

    def __init__(self, oracle: Oracle, unit_usd: F8, steps: Steps, nothing_usd: float, owed_most_usd: float | None) -> None:
        peaks = np.where(np.isfinite(unit_usd), oracle.peaks()[0], 0.0)
        usd = np.append(np.where(np.isfinite(unit_usd), unit_usd, 0.0), steps.usd)
        super().__init__(oracle, usd, np.append(peaks, steps.most), nothing_usd, owed_most_usd)
        self.steps, self.families, self.bills = steps, len(unit_usd), list[Bill]()

    def cut(self, bill: Bill) -> None:
        slopes = np.hstack([bill.unit_slopes, bill.commit_slopes[:, None] * self.steps.commit_usd])
        self.add_rows(bill.flat_usd + bill.unit_slopes @ self.oracle.held, slopes)
        self.bills.append(bill)

    def duals(self) -> tuple[F8, float]:
        """What a dollar of the plan is worth in each hour at the optimum, the mean of the bills by their cuts' duals, and of the limit."""
        duals = np.array(self.highs.getSolution().row_dual)
        shares = duals[self.heads :].reshape(-1, len(self.oracle.parts))
        group = np.repeat(np.arange(len(self.oracle.parts)), [len(part) for part in self.oracle.parts])
        worth: F8 = np.zeros(len(group))
        for share, bill in zip(shares, self.bills, strict=True):
            if share.any():
                worth += share[group] * self.oracle.worth_at(bill)
        return worth, max(-float(duals[0]), 0.0) if self.heads else 0.0


Bounds = tuple[int, ...]
"""A level of each family, then a count of steps of each plan."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Where the possibilities part: a family's levels (or a plan's steps, numbered after them) up to one, and those above."""

    place: int
    below: int
    below_first: bool

    def cap(self, high: Bounds) -> Bounds:
        return (*high[: self.place], self.below, *high[self.place + 1 :])

    def lift(self, low: Bounds) -> Bounds:
        return (*low[: self.place], self.below + 1, *low[self.place + 1 :])


class Whole(_Master):
    """Of each family one of its levels, and whole steps of the plans."""

    def __init__(
        self, oracle: Oracle, families: Sequence[Levels], steps: Steps, nothing_usd: float, owed_most_usd: float | None
    ) -> None:
        self.steps, self.levels = steps, [len(each.units) for each in families]
        self.starts = np.cumsum([0, *self.levels])
        usd = np.concatenate([*(each.usd for each in families), steps.usd])
        super().__init__(oracle, usd, np.append(np.ones(self.starts[-1]), steps.most), nothing_usd, owed_most_usd)
        for first, size in zip(self.starts, self.levels, strict=False):
            self.highs.addRow(1.0, 1.0, size, np.arange(first, first + size, dtype=np.int32), np.ones(size))
        self.units = [each.units for each in families]
        # How many levels each hour's demand is above, counted on through the groups.
        group = np.repeat(np.arange(len(oracle.parts)), [len(part) for part in oracle.parts])
        self.codes = [
            (np.searchsorted(units, demand, side="left") + group * (len(units) + 1)).astype(np.int32)
            for units, demand in zip(self.units, oracle.demand, strict=True)
        ]

    def cut(self, worth: F8) -> None:
        """Add for each group: left on demand ≥ what each family leaves at its level, less the plan's part, at a worth of the plan.

        Whatever that is, the bill is no less (Lagrange); where it is the bill's own at a purchase, it is the bill there.
        """
        each = self.oracle.weights * worth
        ends = np.array([part[0] for part in self.oracle.parts])
        by_dollar = np.add.reduceat(each, ends) if self.oracle.coupled else np.zeros(len(ends))
        by_held = np.add.reduceat(each * self.oracle.held_commit, ends) if self.oracle.coupled else np.zeros(len(ends))
        left = [self._left(family, worth) for family in range(len(self.units))]
        self.add_rows(-by_held, np.hstack([*left, -by_dollar[:, None] * self.steps.commit_usd]))

    def _left(self, family: int, worth: F8) -> F8:
        """What a family leaves at each of its levels, shape (groups, levels)."""
        groups, size = len(self.oracle.parts), self.levels[family] + 1
        each = self.oracle.weights * self.oracle.unit_usd(family, worth)
        usd = np.bincount(self.codes[family], each, groups * size).reshape(groups, size)
        usd_units = np.bincount(self.codes[family], each * self.oracle.demand[family], groups * size).reshape(groups, size)
        above = [np.cumsum(sums[:, :0:-1], axis=1)[:, ::-1] for sums in (usd, usd_units)]
        left: F8 = above[1] - self.units[family] * above[0]
        return left

    def units_at(self, bought: F8) -> tuple[F8, float]:
        """Units of each family and dollars an hour of the plans."""
        parts = np.split(bought, self.starts[1:])
        units = [float(shares @ units) for shares, units in zip(parts, self.units, strict=False)]
        return np.array(units), float(parts[-1] @ self.steps.commit_usd)

    def bound(self, low: Bounds, high: Bounds) -> None:
        """Keep each family between two of its levels, and each plan between two counts of steps."""
        families = len(self.units)
        tops = np.zeros(self.items)
        for first, least, most in zip(self.starts, low, high, strict=False):
            tops[first + least : first + most + 1] = 1.0
        bottoms = np.zeros(self.items)
        bottoms[self.starts[-1] :], tops[self.starts[-1] :] = low[families:], high[families:]
        self.highs.changeColsBounds(self.items, np.arange(self.items, dtype=np.int32), bottoms, tops)

    def open_at(self, bought: F8) -> Branch | None:
        """Where a purchase isn't whole yet: a family between two levels, the one with most at stake, else a plan between two steps."""
        parts = np.split(bought, self.starts[1:])
        stakes = [1.0 - part.max() for part in parts[:-1]]
        family = int(np.argmax(stakes))
        if stakes[family] > WHOLE:
            shown = np.flatnonzero(parts[family] > WHOLE)
            middle = float(parts[family] @ self.units[family])
            below = int(np.searchsorted(self.units[family], middle * (1 + 1e-12), side="right")) - 1
            below = min(max(below, int(shown[0])), int(shown[-1]) - 1)
            return Branch(family, below, bool(parts[family][: below + 1].sum() >= 0.5))
        steps = np.abs(parts[-1] - np.round(parts[-1]))
        if steps.size and steps.max() > WHOLE:
            plan = int(np.argmax(steps))
            return Branch(len(self.units) + plan, int(np.floor(parts[-1][plan])), bool(parts[-1][plan] % 1 < 0.5))
        return None

    def whole_at(self, bought: F8) -> F8:
        """A purchase on each family's largest share and the nearest steps."""
        whole = np.zeros(self.items)
        for first, part in zip(self.starts, np.split(bought, self.starts[1:])[:-1], strict=False):
            whole[first + int(np.argmax(part))] = 1.0
        whole[self.starts[-1] :] = np.round(bought[self.starts[-1] :])
        return whole

    def make_whole(self, tolerance: float, low: Bounds, high: Bounds) -> None:
        """Ask for whole numbers from now on."""
        import highspy

        self.bound(low, high)
        for option, value in WHOLE_OPTIONS.items():
            self.highs.setOptionValue(option, value)
        self.highs.setOptionValue("mip_rel_gap", tolerance / 10)
        for column in range(self.items):
            self.highs.changeColIntegrality(column, highspy.HighsVarType.kInteger)

    def solve_whole(self, best_usd: float) -> tuple[F8 | None, float]:
        """Return what it buys in whole numbers, and what no purchase can cost less than; None where nothing is cheaper than the best."""
        self.highs.setOptionValue("objective_bound", best_usd * self.unit + SLACK)
        self.highs.run()
        info = self.highs.getInfo()
        bought = np.array(self.highs.getSolution().col_value[: self.items])
        return np.round(bought) if info.primal_solution_status == FEASIBLE else None, float(info.mip_dual_bound) / self.unit

    def allows(self, bought: F8) -> bool:
        """Whether a purchase keeps to what may be owed."""
        return self.owed is None or float(self.usd @ bought) <= self.owed * (1 + 1e-12)
