"""The programme over the purchases alone: what they cost, and at least what every cut says is left on demand; HiGHS solves it."""

from __future__ import annotations

import numpy as np

from sizing.money.oracle import Bill, Oracle
from sizing.types import F8

SCALE = 1000.0
"""The bill on demand in the master's own unit, which keeps its tolerances below 1e-9 of the bill."""
KEEP = 1e-6
"""Cuts further from the optimum over the reals only cost time; the next bill brings them back where they are needed."""
OPTIONS = {
    "output_flag": False, "primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-8,
    "mip_abs_gap": 1e-8,
    # The purchase in hand is nearly the best: looking for others, restarts and symmetry took more than half of the time.
    "mip_heuristic_effort": 0.0, "mip_heuristic_run_feasibility_jump": False, "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False, "mip_heuristic_run_root_reduced_cost": False, "mip_allow_restart": False,
    "mip_detect_symmetry": False,
}  # fmt: skip


class Master:
    """Counts of the items, and for each group of hours what is left on demand."""

    def __init__(self, oracle: Oracle, nothing_usd: float, owed_most_usd: float | None) -> None:
        import highspy

        # highspy.Highs adds callbacks to this class, and with them a banner on standard output before it can be told to be silent.
        self.highs = highspy._core._Highs()
        for option, value in OPTIONS.items():
            self.highs.setOptionValue(option, value)
        self.oracle, self.unit, self.items = oracle, SCALE / nothing_usd, len(oracle.usd)
        self.free, self.whole, self.is_mip = highspy.kHighsInf, highspy.HighsVarType.kInteger, False
        self.most = oracle.most()
        for usd, most in zip(oracle.usd * self.unit, self.most, strict=True):
            self._variable(float(usd), float(most))
        for _ in oracle.parts:
            self._variable(1.0, self.free)
        self.bills: list[Bill] = []
        self.owed = owed_most_usd
        if owed_most_usd is not None:
            every = np.arange(self.items, dtype=np.int32)
            self.highs.addRow(-self.free, owed_most_usd * self.unit, self.items, every, oracle.usd * self.unit)

    def cut(self, bill: Bill) -> None:
        """Add for each group: left on demand ≥ its bill + its slopes · (counts − these)."""
        groups = len(bill.usd)
        values = np.hstack([-bill.slopes * self.unit, np.ones((groups, 1))])
        columns = np.hstack([np.tile(np.arange(self.items), (groups, 1)), self.items + np.arange(groups)[:, None]])
        starts = np.arange(groups, dtype=np.int32) * (self.items + 1)
        low = (bill.usd - bill.slopes @ bill.counts) * self.unit
        self.highs.addRows(groups, low, np.full(groups, self.free), values.size, starts, columns.astype(np.int32).ravel(), values.ravel())
        self.bills.append(bill)

    def cut_by_family(self, counts: F8, worth: F8) -> None:
        """Add: left on demand ≥ the sum of what each family leaves of its own, less the plan's part, at a worth of the plan.

        Sizes of nearly equal price leave a family's whole units far from its real ones; in rows of one family HiGHS rounds them
        exactly, in those of a group of hours it doesn't: a year of 20 families then takes minutes.
        """
        lines, first = self.oracle.tangents(counts, worth), self.highs.getNumCol()
        for family in range(len(lines.units)):
            self._variable(0.0, self.free)
            mine = np.flatnonzero(self.oracle.cover[:, family])
            for at, usd, slope in zip(lines.units[family], lines.usd[family], lines.slopes[family], strict=True):
                low = usd + slope * (self.oracle.held[family] - at)
                self._row(low, [*mine, first + family], [*(-slope * self.oracle.cover[mine, family] * self.unit), 1.0])
        plans = np.flatnonzero(self.oracle.commit)
        groups, families = np.arange(len(self.oracle.parts)), np.arange(len(lines.units))
        values = [*(lines.plan_usd * self.oracle.commit[plans] * self.unit), *np.ones(len(groups)), *-np.ones(len(families))]
        self._row(-lines.held_usd, [*plans, *(self.items + groups), *(first + families)], values)

    def make_whole(self, gap_usd: float, tolerance: float) -> None:
        """Ask for whole numbers from now on."""
        counts, _ = self.solve()
        solution = self.highs.getSolution()
        slack = np.array(solution.row_value) - np.array(self.highs.getLp().row_lower_)
        worth = self._worth(np.array(solution.row_dual)[self.owed is not None :])
        self._narrow(gap_usd * self.unit)
        loose = np.flatnonzero(np.isfinite(slack) & (slack > KEEP))
        self.highs.deleteRows(len(loose), loose.astype(np.int32))
        self.cut_by_family(counts, worth)
        self.bills.clear()
        self.highs.setOptionValue("mip_rel_gap", tolerance / 10)
        for column in range(self.items):
            self.highs.changeColIntegrality(column, self.whole)
        self.is_mip = True

    def allows(self, counts: F8) -> bool:
        return bool((counts <= self.most).all()) and (self.owed is None or float(self.oracle.usd @ counts) <= self.owed)

    def solve(self, best_usd: float = np.inf) -> tuple[F8, float]:
        """Return the master's purchase and what no purchase can cost less than; dearer ones than the best so far aren't looked at."""
        if self.is_mip:
            self.highs.setOptionValue("objective_bound", best_usd * self.unit + KEEP)
        self.highs.run()
        info = self.highs.getInfo()
        bound = info.mip_dual_bound if self.is_mip else info.objective_function_value
        return np.array(self.highs.getSolution().col_value[: self.items]), float(bound) / self.unit

    def _worth(self, duals: F8) -> F8:
        """What a dollar of the plan is worth in each hour at the optimum over the reals: the mean of its bills by their cuts' duals."""
        shares = duals.reshape(-1, len(self.oracle.parts))
        group = np.repeat(np.arange(len(self.oracle.parts)), [len(part) for part in self.oracle.parts])
        worth: F8 = np.zeros(len(group))
        for share, bill in zip(shares, self.bills, strict=True):
            if share.any():
                worth += share[group] * self.oracle.worth[bill.whole]
        return worth

    def _narrow(self, gap: float) -> None:
        """Narrow each count to what its reduced cost leaves room for: beyond it a purchase costs more than the one in hand."""
        solution = self.highs.getSolution()
        counts, duals = np.array(solution.col_value[: self.items]), np.array(solution.col_dual[: self.items])
        for column in np.flatnonzero(np.abs(duals) > 1e-9):
            room = np.floor((gap + 1e-6) / abs(duals[column]) + 1e-9)
            low, high = (counts[column], counts[column] + room) if duals[column] > 0 else (counts[column] - room, counts[column])
            self.highs.changeColBounds(int(column), max(float(low), 0.0), min(float(high), float(self.most[column])))

    def _variable(self, usd: float, most: float) -> None:
        self.highs.addVar(0.0, most)
        self.highs.changeColCost(self.highs.getNumCol() - 1, usd)

    def _row(self, low_usd: float, columns: list[int], values: list[float]) -> None:
        self.highs.addRow(low_usd * self.unit, self.free, len(columns), np.array(columns, dtype=np.int32), np.array(values))
