"""How long the best purchase takes: a year of hours × 20 families × all offers, exact; 200 futures of it to 1e-6. One JSON line each.

The last case is the first with prices in whole dollars a year, as AWS rounds them: sizes then cost nearly the same, which is hard.

The demand is made (seeded): a daily wave, noise, and for each future its own level. Offers: each family's reservations of four sizes,
of both classes and three payments, an EC2 plan, and one Compute plan. Each case runs in a process of its own, for its peak memory.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from decimal import Decimal

import numpy as np

from sizing.money.optimum import Item, Problem, optimise

FAMILIES, HOURS = 20, 8760
CASES = ((1, 1e-9, False, 5.0), (200, 1e-6, False, 120.0), (1, 1e-9, True, 10.0))
"""Futures, tolerance, whole dollars, limit in seconds."""
MEMORY_LIMIT_GB = 1.5
RATIOS = {"standard": ("0.60", "0.574", "0.562"), "convertible": ("0.692", "0.66", "0.65")}
"""Of no, partial and all upfront over the price on demand, as a t3.small in Seoul for one year."""


def demand(rng: np.random.Generator, futures: int) -> np.ndarray:
    """Quarter units that run, shape (futures × hours, families)."""
    base, swing = rng.integers(8, 200, FAMILIES), rng.random(FAMILIES) / 2
    wave = np.sin(2 * np.pi * np.arange(HOURS) / 24)[:, None] * swing
    each = [base * (1 + 0.3 * rng.normal()) * (1 + wave) + rng.normal(0, 3, (HOURS, FAMILIES)) for _ in range(futures)]
    return np.concatenate([np.maximum(np.round(one), 0).astype(np.uint16) for one in each])


def problem(futures: int, whole_dollars: bool, seed: int = 1) -> Problem:
    """The whole question."""
    rng = np.random.default_rng(seed)
    quarters = demand(rng, futures)
    prices = [Decimal(str(round(usd, 5))) for usd in rng.uniform(0.003, 0.012, FAMILIES)]
    plans = [Decimal(str(round(ratio, 3))) for ratio in rng.uniform(0.66, 0.75, FAMILIES)]
    items = [
        Item(f"{kind}-{payment}-{family}-{size}", family, Decimal(size), hourly(usd * size * Decimal(ratio), whole_dollars))
        for family, usd in enumerate(prices)
        for kind, ratios in RATIOS.items()
        for payment, ratio in enumerate(ratios)
        for size in (1, 2, 4, 8)
    ]
    items += [Item(f"ec2-{f}", f, Decimal("0.001") / (usd * Decimal("0.62")), Decimal("0.001")) for f, usd in enumerate(prices)]
    items.append(Item("compute", None, Decimal("0.001"), Decimal("0.001")))
    return Problem(quarters, np.full(len(quarters), 1 / futures), Decimal(HOURS), prices, items, plans)


def hourly(usd: Decimal, whole_dollars: bool) -> Decimal:
    """An hour's price, exact or as a whole number of dollars a year makes it."""
    return round(usd * HOURS) / Decimal(HOURS) if whole_dollars else usd


def measure(futures: int, tolerance: float, whole_dollars: bool, limit_s: float) -> dict[str, object]:
    """Solve one case."""
    asked = problem(futures, whole_dollars)
    start = time.perf_counter()
    best = optimise(asked, tolerance)
    seconds = time.perf_counter() - start
    return {
        "benchmark": "commitments", "futures": futures, "hours": HOURS, "families": FAMILIES, "offers": len(asked.items),
        "whole_dollars": whole_dollars,
        "seconds": round(seconds, 2), "limit_s": limit_s, "gap_ratio": best.gap_ratio, "rounds": best.rounds,
        "saved_ratio": round(1 - best.cost_usd / best.on_demand_usd, 4),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3), "limit_gb": MEMORY_LIMIT_GB,
    }  # fmt: skip


def main() -> int:
    """Run each case; return 1 where one is above a limit."""
    if len(sys.argv) > 1:
        found = measure(*CASES[int(sys.argv[1])])
        print(json.dumps(found))
        return int(float(str(found["seconds"])) > float(str(found["limit_s"])) or float(str(found["peak_gb"])) > MEMORY_LIMIT_GB)
    return max(subprocess.run([sys.executable, __file__, str(case)], check=False).returncode for case in range(len(CASES)))


if __name__ == "__main__":
    sys.exit(main())
