"""Small random purchases, all their answers by brute force, and the same bill from the simulator in Decimal."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from catalogue import size_units
from sizing.money.billing import MILL, Plan, Reservation, Use, bill_usd
from sizing.money.held import Holding
from sizing.money.optimum import Item, Problem

FAMILIES = {"t3": Decimal("0.0065"), "m5": Decimal("0.0074"), "c6g": Decimal("0.0048")}
"""Dollars an hour of a nano: what a quarter unit costs."""
SIZES = ("nano", "micro", "small")
HORIZON_H = Decimal(100)


@dataclass(frozen=True)
class Small:
    """A case: the problem, and the same thing as instances, accounts and offers."""

    problem: Problem
    hours: Sequence[tuple[Decimal, Sequence[Use]]]
    held: Sequence[Reservation]
    sizes: Sequence[str]

    def billed_usd(self, counts: Sequence[int]) -> Decimal:
        """The simulated bill of the horizon with so many of each item bought by the paying account, which runs nothing."""
        bought = [(item, count, size) for item, count, size in zip(self.problem.items, counts, self.sizes, strict=True) if count]
        reserved = [
            Reservation(Holding(item.offer, size, count, account="payer")) for item, count, size in bought if "." in size
        ]  # fmt: skip
        planned = [(item, count * MILL, family or None) for item, count, family in bought if "." not in family]
        plans = [Plan(i.offer, "compute" if i.family is None else "ec2", usd, family, "payer") for i, usd, family in planned]
        plans = [*_with_held(plans, self.problem.held_commit_usd)]
        sunk = sum((plan.commitment_usd for plan in plans), Decimal(0))
        running = bill_usd(self.hours, [*self.held, *reserved], plans) - sunk * sum(count for count, _ in self.hours)
        return running + HORIZON_H * sum((item.usd_per_h * count for item, count, _ in bought), Decimal(0))


def _with_held(plans: Sequence[Plan], held_usd: Decimal) -> list[Plan]:
    """A held Compute plan and a bought one of the same rates cover as one."""
    bought = sum((p.commitment_usd for p in plans if p.kind == "compute"), Decimal(0))
    others = [p for p in plans if p.kind != "compute"]
    return [*others, Plan("compute", "compute", bought + held_usd, account="payer")] if bought + held_usd else others


def small_case(rng: np.random.Generator) -> Small:
    """One to three families, a few kinds of hours, accounts, holdings, reservations of several sizes and plans; at most 20,000 answers."""
    while True:
        case = _draw(rng)
        if case.problem.items and np.prod([float(n) + 1 for n in most(case.problem)]) <= 20_000:
            return case


def _draw(rng: np.random.Generator) -> Small:
    names = list(rng.permutation(list(FAMILIES))[: rng.integers(1, 4)])
    ratios = [_ratio(rng, 0.5, 0.95) for _ in names]
    ec2 = [_ratio(rng, 0.4, 0.9) for _ in names]
    hours = [(Decimal(int(rng.integers(1, 60))), _hour(rng, names, ratios, ec2)) for _ in range(rng.integers(1, 7))]
    held = [Reservation(Holding(f"held-{n}", f"{n}.{rng.choice(SIZES)}", 1, account="a")) for n in names if rng.random() < 0.3]
    quarters = np.array([[_quarters(usage, name) for name in names] for _, usage in hours])
    held_quarters = [sum((4 * size_units(r.holding.type) for r in held if r.holding.type.startswith(f"{n}.")), Decimal(0)) for n in names]
    items, sizes = _items(rng, names, ec2)
    planned = any(item.family is None for item in items)
    commit = Decimal(int(rng.integers(0, 20))) * MILL if planned and rng.random() < 0.3 else Decimal(0)
    problem = Problem(
        quarters, np.array([float(count) for count, _ in hours]), HORIZON_H, [FAMILIES[n] for n in names], items,
        ratios if planned else (), held_quarters, commit,
    )  # fmt: skip
    return Small(problem, hours, held, sizes)


def _quarters(usage: Sequence[Use], family: str) -> float:
    return float(sum(4 * size_units(use.type) * use.quantity for use in usage if use.plan_family == family))


def _ratio(rng: np.random.Generator, low: float, high: float) -> Decimal:
    return Decimal(str(round(rng.uniform(low, high), 3)))


def _hour(rng: np.random.Generator, names: Sequence[str], ratios: Sequence[Decimal], ec2: Sequence[Decimal]) -> list[Use]:
    usage = []
    for name, ratio, own in zip(names, ratios, ec2, strict=True):
        for size, account in itertools.product(SIZES, ("a", "b")):
            if count := int(rng.integers(0, 3)) * int(rng.random() < 0.5):
                usd = FAMILIES[name] * 4 * size_units(size)
                rates = {"compute": usd * ratio, "ec2": usd * own}
                usage.append(Use(f"{name}.{size}-{account}", f"{name}.{size}", Decimal(count), usd, rates, account=account))
    return usage


def _items(rng: np.random.Generator, names: Sequence[str], ec2: Sequence[Decimal]) -> tuple[list[Item], list[str]]:
    """Items with what each is in the simulator: a type, a family, or nothing for a Compute plan."""
    found: list[tuple[Item, str]] = []
    whole_dollars = rng.random() < 0.5
    for family, (name, own) in enumerate(zip(names, ec2, strict=True)):
        for size in SIZES:
            if rng.random() < 0.5:
                quarters = 4 * size_units(size)
                usd = _hourly(FAMILIES[name] * quarters * _ratio(rng, 0.1, 0.9), whole_dollars)
                found.append((Item(f"ri-{name}.{size}", family, quarters, usd), f"{name}.{size}"))
        if rng.random() < 0.3:
            found.append((Item(f"ec2-{name}", family, MILL / (FAMILIES[name] * own), MILL), name))
    if rng.random() < 0.6:
        found.append((Item("compute", None, MILL, MILL), ""))
    return [item for item, _ in found], [what for _, what in found]


def _hourly(usd: Decimal, whole_dollars: bool) -> Decimal:
    """A price as AWS writes it: to a hundredth of a cent an hour, or in whole dollars a year, whose hour is no finite decimal."""
    return (usd * 8760).quantize(Decimal(1)) / 8760 if whole_dollars else usd.quantize(Decimal("0.0001"))


def most(problem: Problem) -> list[int]:
    """Beyond these counts an item covers nothing more."""
    peaks = np.maximum(problem.quarters.max(axis=0) - np.array(problem.held_quarters, dtype=float), 0)
    ratios = problem.plan_ratios or [None] * len(peaks)
    whole = sum(float(p * (r or 0)) * peak for p, r, peak in zip(problem.on_demand_usd, ratios, peaks, strict=True))
    return [int(np.ceil((whole if i.family is None else peaks[i.family]) / float(i.quarters) - 1e-9)) for i in problem.items]


def answers(problem: Problem) -> np.ndarray:
    """Every purchase in whole numbers, shape (answers, items)."""
    return np.array(list(itertools.product(*(range(n + 1) for n in most(problem)))), dtype=float).reshape(-1, len(problem.items))


def brute_force(problem: Problem) -> tuple[tuple[int, ...], float]:
    """Every answer, billed hour by hour: reservations, then the plan by the greatest discount, then on demand."""
    grid = answers(problem)
    cost = grid @ np.array([float(i.usd_per_h) for i in problem.items]) * float(problem.horizon_h)
    commit = np.full(len(grid), float(problem.held_commit_usd))
    units = np.tile(np.array(problem.held_quarters, dtype=float), (len(grid), 1))
    for column, item in enumerate(problem.items):
        if item.family is None:
            commit += grid[:, column] * float(item.quarters)
        else:
            units[:, item.family] += grid[:, column] * float(item.quarters)
    ratios = [None if r is None else float(r) for r in problem.plan_ratios or [None] * units.shape[1]]
    order = sorted(range(units.shape[1]), key=lambda f: np.inf if ratios[f] is None else ratios[f])
    for weight, row in zip(problem.weights, problem.quarters, strict=True):
        money = commit.copy()
        for f in order:
            usd = np.maximum(row[f] - units[:, f], 0) * float(problem.on_demand_usd[f])
            covered = np.zeros(len(grid)) if ratios[f] is None else np.minimum(usd, money / ratios[f])
            money -= covered * (ratios[f] or 0)
            cost += weight * (usd - covered)
    best = int(np.argmin(cost))
    return tuple(int(n) for n in grid[best]), float(cost[best])
