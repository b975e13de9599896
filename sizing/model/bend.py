"""Whether a request costs more or less as the load grows: idle wake-ups that many requests share, locks that they contend for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sizing.model.demand import block_draws, solve
from sizing.types import F8

LEAST_STEPS = 4
"""Three rates leave background, demand and its bend no room to err."""
SURE_ERRORS = 3.5
FEW_DRAWS = 64
"""Enough to know an error to a tenth, before the bend is drawn for every world."""
STEEPEST_RISE = 1.0


@dataclass(frozen=True, slots=True)
class Bend:
    """D(X) = D · (1 + slope · (X − middle) / middle), X the class's arrivals a second within what was measured.

    Attributes
    ----------
    demand_s_draws, background_cores_draws, slope_draws : shape (S,)
    """

    demand_s_draws: F8
    background_cores_draws: F8
    slope_draws: F8
    lowest_per_s: float
    middle_per_s: float
    highest_per_s: float

    def ratio(self, rate_per_s: F8) -> F8:
        """What a request costs at a rate over what it costs at the middle one, shape broadcast; never carried past the measured."""
        inside = np.clip(rate_per_s, self.lowest_per_s, self.highest_per_s)
        found: F8 = 1.0 + self.slope_draws * (inside / self.middle_per_s - 1.0)
        return found


def fit_bend(requests: F8, cpu_s: F8, seconds: F8, blocks: np.ndarray, *, n: int, rng: np.random.Generator) -> Bend | None:
    """Fit the utilisation law with a demand that changes with the rate; None where the steps don't show that it does.

    Parameters
    ----------
    requests, cpu_s, seconds, blocks : shape (bins,), with the CPU seconds that the work takes while sibling threads are idle

    Notes
    -----
    The rate is a window's, as a bin's own swings come with its CPU. The slope must lie three and a half standard errors
    from 0: of a thousand services whose demand doesn't change, one or two are taken to.
    """
    steps = [blocks == b for b in np.unique(blocks)]
    rates = np.array([requests[s].sum() / seconds[s].sum() for s in steps])
    if len(steps) < LEAST_STEPS:
        return None
    middle = float(requests.sum() / seconds.sum())
    rate = np.empty(len(requests))
    for step, mean in zip(steps, rates, strict=True):
        rate[step] = mean
    apart = requests * (rate / middle - 1.0)
    design = np.column_stack([seconds, requests, apart, -apart])
    weight = 1.0 / np.sqrt(np.maximum(requests, 1.0))
    _, demand, up, down = solve(design, cpu_s, weight)
    if demand <= 0:
        return None
    few = _slopes(block_draws(design, cpu_s[:, None], weight, FEW_DRAWS, rng))
    if abs(up - down) / demand < SURE_ERRORS * few.std():
        return None
    drawn = block_draws(design, cpu_s[:, None], weight, n, rng)
    # Within these a request costs something at the lowest rate, and more load never takes less CPU up to the highest.
    slopes = _slopes(drawn).clip(-0.9 / (2 * rates.max() / middle - 1), STEEPEST_RISE)
    return Bend(drawn[1], drawn[0], slopes, float(rates.min()), middle, float(rates.max()))


def _slopes(drawn: F8) -> F8:
    found: F8 = (drawn[2] - drawn[3]) / np.maximum(drawn[1], 1e-12)
    return found
