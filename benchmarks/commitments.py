"""How long the best purchase takes: a year of hours × 20 families × all offers, exact; 200 futures of it to 1e-6. One JSON line each.

With `sweep` after it: the year in six shapes of demand at three kinds of price, with and without what is held, the slowest last.

The demand is made (seeded): a daily wave, noise, and for each future its own level; or what SHAPES says. Offers: each family's
reservations of four sizes, of both classes and three payments, an EC2 plan, and one Compute plan. Prices in whole dollars a year, as
AWS rounds them, make sizes cost nearly the same, which is hard. Each case runs in a process of its own, for its peak memory.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import sys
import time
from decimal import Decimal

import numpy as np

from sizing.money.optimum import Item, Problem, optimise

FAMILIES, HOURS = 20, 8760
LIMIT_S = 5.0
CASES = ((1, 1e-9, "exact", LIMIT_S), (200, 1e-6, "exact", 120.0), (1, 1e-9, "whole dollars", LIMIT_S))
"""Futures, tolerance, prices, limit in seconds."""
PRICES = ("exact", "whole dollars", "nearly tied")
MEMORY_LIMIT_GB = 1.5
RATIOS = {"standard": ("0.60", "0.574", "0.562"), "convertible": ("0.692", "0.66", "0.65")}
"""Of no, partial and all upfront over the price on demand, as a t3.small in Seoul for one year."""


def wave(rng: np.random.Generator, base: np.ndarray, swing: np.ndarray) -> np.ndarray:
    """A day's wave with noise, shape (hours, families)."""
    level = 1 + np.sin(2 * np.pi * np.arange(HOURS) / 24)[:, None] * swing
    return base * level + rng.normal(0, 3, (HOURS, FAMILIES))


def weekends(rng: np.random.Generator, base: np.ndarray, swing: np.ndarray) -> np.ndarray:
    """The wave, lower for two days of seven."""
    is_weekend = (np.arange(HOURS) // 24 % 7 >= 5)[:, None]
    return wave(rng, base, swing) * np.where(is_weekend, rng.random(FAMILIES) * 0.6 + 0.2, 1)


def now_and_then(rng: np.random.Generator, base: np.ndarray, swing: np.ndarray) -> np.ndarray:
    """Each family in its own share of the hours."""
    return np.where(rng.random((HOURS, FAMILIES)) < 2 * swing, rng.poisson(base, (HOURS, FAMILIES)), 0)


def monthly_steps(rng: np.random.Generator, base: np.ndarray, swing: np.ndarray) -> np.ndarray:
    """Another level each month, which few hours tell apart."""
    return np.repeat(base * np.maximum(1 + 0.4 * rng.normal(size=(12, FAMILIES)), 0), HOURS // 12, axis=0)


SHAPES = {
    "wave": wave,
    "weekends": weekends,
    "flat": lambda rng, base, swing: np.broadcast_to(base, (HOURS, FAMILIES)),
    "growing": lambda rng, base, swing: wave(rng, base, swing) * np.linspace(0.5, 1.5, HOURS)[:, None],
    "now and then": now_and_then,
    "monthly steps": monthly_steps,
}


def demand(rng: np.random.Generator, futures: int, shape: str) -> np.ndarray:
    """Quarter units that run, shape (futures × hours, families)."""
    base, swing = rng.integers(8, 200, FAMILIES), rng.random(FAMILIES) / 2
    each = [SHAPES[shape](rng, base * (1 + 0.3 * rng.normal() * (futures > 1)), swing) for _ in range(futures)]
    return np.concatenate([np.maximum(np.round(one), 0).astype(np.uint16) for one in each])


def problem(futures: int, prices: str, seed: int = 1, shape: str = "wave", held: bool = False) -> Problem:
    """The whole question."""
    rng = np.random.default_rng(seed)
    quarters = demand(rng, futures, shape)
    usd = [Decimal(str(round(usd, 5))) for usd in rng.uniform(0.003, 0.012, FAMILIES)]
    plans = [Decimal(str(round(ratio, 3))) for ratio in rng.uniform(0.66, 0.75, FAMILIES)]
    items = [
        Item(f"{kind}-{payment}-{family}-{size}", family, Decimal(size), hourly(each * size * Decimal(ratio), prices, rng))
        for family, each in enumerate(usd)
        for kind, ratios in RATIOS.items()
        for payment, ratio in enumerate(ratios)
        for size in (1, 2, 4, 8)
    ]
    items += [Item(f"ec2-{f}", f, Decimal("0.001") / (each * Decimal("0.62")), Decimal("0.001")) for f, each in enumerate(usd)]
    items.append(Item("compute", None, Decimal("0.001"), Decimal("0.001")))
    own = [Decimal(int(units)) for units in rng.integers(0, 40, FAMILIES)] if held else ()
    return Problem(quarters, np.full(len(quarters), 1 / futures), Decimal(HOURS), usd, items, plans, own)


def hourly(usd: Decimal, prices: str, rng: np.random.Generator) -> Decimal:
    """An hour's price: exact, as a whole number of dollars a year makes it, or off by some millionths."""
    if prices == "nearly tied":
        return usd * (1 + Decimal(str(round(rng.normal() * 1e-5, 9))))
    return round(usd * HOURS) / Decimal(HOURS) if prices == "whole dollars" else usd


def measure(futures: int, tolerance: float, prices: str, limit_s: float, seed: int = 1, shape: str = "wave", held: bool = False) -> dict:
    """Solve one case."""
    asked = problem(futures, prices, seed, shape, held)
    start, start_cpu = time.perf_counter(), time.process_time()
    best = optimise(asked, tolerance)
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    return {
        "benchmark": "commitments", "futures": futures, "hours": HOURS, "families": FAMILIES, "offers": len(asked.items),
        "shape": shape, "prices": prices, "held": held, "seed": seed,
        "seconds": round(seconds, 2), "cpu_s": round(cpu_s, 2), "limit_s": limit_s, "gap_ratio": best.gap_ratio, "rounds": best.rounds,
        "saved_ratio": round(1 - best.cost_usd / best.on_demand_usd, 4),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3), "limit_gb": MEMORY_LIMIT_GB,
    }  # fmt: skip


def sweep() -> int:
    """Solve the year in each shape at each kind of price, with and without what is held; return 1 where one is above the limit."""
    kinds = itertools.product(SHAPES, PRICES, (False, True))
    found = [measure(1, 1e-9, prices, LIMIT_S, seed, shape, held) for seed, (shape, prices, held) in enumerate(kinds, start=1)]
    for one in sorted(found, key=lambda one: one["seconds"]):
        print(json.dumps(one))
    return int(max(one["seconds"] for one in found) > LIMIT_S)


def main() -> int:
    """Run each case; return 1 where one is above a limit."""
    if sys.argv[1:] == ["sweep"]:
        return sweep()
    if len(sys.argv) > 1:
        found = measure(*CASES[int(sys.argv[1])])
        print(json.dumps(found))
        return int(found["seconds"] > found["limit_s"] or found["peak_gb"] > MEMORY_LIMIT_GB)
    return max(subprocess.run([sys.executable, __file__, str(case)], check=False).returncode for case in range(len(CASES)))


if __name__ == "__main__":
    sys.exit(main())
