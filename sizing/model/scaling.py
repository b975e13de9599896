"""What the steps say of scalability: the law's coefficients with their intervals, and whether it, not the CPU, sets the limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sizing.model.latency import Step
from sizing.model.network import little
from sizing.model.usl import Usl, fit_usl
from sizing.types import F8

LEAST_STEPS = 4
LEAST_PRESENT = 2.0
"""Requests that hardly ever meet show nothing of how they get on together."""
FREE_CPU_RATIO = 0.7
"""Throughput that peaks with less of the CPU busy than this is held back by something else: a lock, a pool, a database."""
SURE = 0.95
REFITS = 100


@dataclass(frozen=True, slots=True)
class Scaling:
    """The law of one host.

    Attributes
    ----------
    limit_per_s_draws : shape (S,), arrivals a second beyond which it answers no more, whatever its CPU; None where no such limit was seen
    """

    law: Usl
    steps: int
    limit_per_s_draws: F8 | None
    why: str


def read_scaling(
    steps: Sequence[Step], demand_s: float, background: float, capacity: float, n: int, rng: np.random.Generator
) -> Scaling | None:
    """Fit the law to concurrency N = X·R and throughput X of the steps; None with under four of them, or never two at once.

    A peak counts as a limit where it lies within twice the measured concurrency in nearly every refit, and the CPU would
    be under 70 % busy there: what the CPU itself allows is the queue's to say, since a larger type has more of it.
    """
    if len(steps) < LEAST_STEPS:
        return None
    rates = np.array([s.rate_per_s for s in steps])
    present = np.array([little(s.rate_per_s, float(s.latency_s.mean())) for s in steps])
    if present.max() < LEAST_PRESENT:
        return None
    law = fit_usl(present, rates)
    if not np.isfinite(law.peak) or law.extrapolates(law.peak):
        return Scaling(law, len(steps), None, "no peak within twice the measured concurrency")
    busy = (float(law.throughput(np.array(law.peak))) * demand_s + background) / capacity
    if busy >= FREE_CPU_RATIO:
        return Scaling(law, len(steps), None, f"the peak is the CPU's own, {busy:.0%} busy there")
    peaks = _peaks(law, present, rng)
    if (peaks > 0).mean() < SURE:
        return Scaling(law, len(steps), None, "the steps leave open whether throughput peaks at all")
    why = f"throughput peaks with the CPU {busy:.0%} busy, so something else holds it back"
    return Scaling(law, len(steps), rng.choice(peaks[peaks > 0], n), why)


def _peaks(law: Usl, present: F8, rng: np.random.Generator) -> F8:
    """Highest throughput of the law refitted to itself with its own residual, shape (REFITS,); 0 where it has no peak in reach."""
    found = np.zeros(REFITS)
    for k in range(REFITS):
        again = fit_usl(present, np.maximum(law.throughput(present) + rng.normal(0.0, law.residual, len(present)), 1e-9))
        if np.isfinite(again.peak) and not again.extrapolates(again.peak):
            found[k] = float(again.throughput(np.array(again.peak)))
    return found
