"""How much requests differ in the CPU that they take: what swings in the bins' CPU beyond what the number of requests explains.

A response time is wait and CPU in one, and says of neither how it varies; the queue's tail on a smaller host hangs on the CPU's.
"""

from __future__ import annotations

import numpy as np

from sizing.model.demand import block_length, drawn_blocks, solve
from sizing.types import F8

LEAST_BINS = 40
"""A variance of fewer is known to a quarter at best."""


def variation_draws(requests: F8, cpu_s: F8, seconds: F8, n: int, rng: np.random.Generator) -> F8 | None:
    """Return the coefficient of variation of a request's CPU time in n worlds, shape (n,); None where too few bins tell.

    Parameters
    ----------
    requests, cpu_s, seconds : shape (bins,)

    Notes
    -----
    About D0 + X·D a bin's CPU has the variance a + X·v: a of what comes without requests, v of one request's CPU (the
    variance of a sum of X). Squares over X are so a line in 1/X whose intercept is v; neither a nor v is below 0. Blocks
    of bins are drawn again, as for the demand.
    """
    busy = requests >= 1
    if busy.sum() < LEAST_BINS:
        return None
    requests, cpu_s, seconds = requests[busy], cpu_s[busy], seconds[busy]
    design, weight = np.column_stack([seconds, requests]), 1.0 / np.sqrt(requests)
    point = solve(design, cpu_s, weight)
    if point[1] <= 0:
        return None
    squares = ((cpu_s - design @ point) * weight) ** 2 * len(cpu_s) / (len(cpu_s) - 2)
    length = block_length(squares)
    picked = np.stack([drawn_blocks(len(squares), length, rng) for _ in range(n)])
    found: F8 = np.sqrt(_intercept(1.0 / requests[picked], squares[picked])) / point[1]
    return found


def _intercept(x: F8, y: F8) -> F8:
    """Least squares of y = v + a·x over the last axis with v and a not below 0: v, shape of the others."""
    about_x, mean_y = x - x.mean(axis=-1, keepdims=True), y.mean(axis=-1)
    spread = np.maximum((about_x**2).sum(axis=-1), 1e-300)
    slope = np.maximum((about_x * y).sum(axis=-1) / spread, 0.0)
    found: F8 = np.clip(mean_y - slope * x.mean(axis=-1), 0.0, mean_y)
    return found
