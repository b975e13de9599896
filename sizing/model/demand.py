"""What one request costs: service demand by the utilisation law, fitted over bins, with what can't be told apart merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sizing.model.nonnegative import resampled
from sizing.model.series import step_correlation
from sizing.types import F8

# A name stands on its own only where its demand is known to a quarter and differs from the others' by more than it is unsure.
OWN_WIDTH_RATIO = 0.25
LEVEL = 0.9
LEAST_BINS = 8
"""Fewer bins drawn again and again are often one bin."""
STILL_WIDTH_RATIO = 0.5
OWN_RATIO = 1e-4
"""A column of which the others explain all but so little is none of its own: requests at one rate, a call that every page makes."""
HIDDEN_RATIO = 0.2
IDLE_CORES = (0.0, 0.1)
"""What a service takes without requests where nothing says: runtimes, agents and the system of idle hosts took up to a tenth."""
# Bins next to each other share queues and background work, so whole blocks of them are drawn, never single bins.
BLOCK_BINS = 4
LENGTHS = 2.5
"""Correlation lengths a block, beyond which longer blocks change nothing."""
# So few blocks see less than the whole of the noise; by benchmarks/model.py.
CALIBRATION = 1.05


@dataclass(frozen=True, slots=True)
class DemandFit:
    """U·c = D0 + Σ X_i·D_i + e, in worlds drawn by a block bootstrap.

    Attributes
    ----------
    groups : the names of each group that was told apart, most frequent first
    demand_s_draws : shape (groups, S), CPU seconds a request
    background_cores_draws : shape (S,), cores taken without any request
    bounded : whether the bins told no more than `fit_few`'s bounds
    """

    groups: Sequence[Sequence[str]]
    demand_s_draws: F8
    background_cores_draws: F8
    bounded: bool = False


def fit_demand(counts: F8, cpu_s: F8, seconds: F8, names: Sequence[str], *, n: int, rng: np.random.Generator) -> DemandFit:
    """Fit the service demand of each request name by non-negative least squares (utilisation law, Lazowska et al. 1984, chapter 3).

    Parameters
    ----------
    counts : shape (bins, names), arrivals; the most frequent name first
    cpu_s, seconds : shape (bins,), CPU seconds taken and the bin's length; CPU of shape (bins, n) differs from world to world

    Raises
    ------
    ValueError
        Where there are fewer than three bins or nothing arrived.
    """
    if len(cpu_s) < 3 or counts.sum() <= 0:
        raise ValueError("service demand needs three bins and an arrival")
    cpu_s = np.broadcast_to(cpu_s if cpu_s.ndim == 2 else cpu_s[:, None], (len(cpu_s), n))
    groups = _told_apart(counts, cpu_s.mean(axis=1, keepdims=True), seconds, names, rng)
    draws = _bootstrap(_grouped(counts, names, groups), cpu_s, seconds, n, rng)
    return DemandFit(groups, draws[1:], draws[0])


def fit_best(counts: F8, cpu_s: F8, seconds: F8, names: Sequence[str], *, n: int, rng: np.random.Generator) -> DemandFit:
    """Fit what the bins carry: `fit_demand`, or where they are few, or the load stood still, the bound of `fit_few`."""
    if len(cpu_s) < LEAST_BINS or own_ratios(np.column_stack([seconds, counts.sum(axis=1)]))[1] < OWN_RATIO:
        return fit_few(counts, cpu_s, seconds, names, n=n, rng=rng)
    fitted = fit_demand(counts, cpu_s, seconds, names, n=n, rng=rng)
    came = _grouped(counts, names, fitted.groups).sum(axis=0)
    lo, mid, hi = np.quantile(came @ fitted.demand_s_draws, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    # At one rate only chance tells requests from background: then what both take together says more.
    return fitted if mid > 0 and hi - lo <= STILL_WIDTH_RATIO * mid else fit_few(counts, cpu_s, seconds, names, n=n, rng=rng)


def fit_groups(like: DemandFit, counts: F8, cpu_s: F8, seconds: F8, names: Sequence[str], *, rng: np.random.Generator) -> DemandFit:
    """Fit other CPU seconds, shape (bins,), of the same requests to the same groups, in as many worlds."""
    n = len(like.background_cores_draws)
    if like.bounded:
        return fit_few(counts, cpu_s, seconds, names, n=n, rng=rng)
    draws = _bootstrap(_grouped(counts, names, like.groups), cpu_s[:, None], seconds, n, rng)
    return DemandFit(like.groups, draws[1:], draws[0])


def _grouped(counts: F8, names: Sequence[str], groups: Sequence[Sequence[str]]) -> F8:
    """Arrivals by group, shape (bins, groups)."""
    columns = [[list(names).index(name) for name in group] for group in groups]
    return np.stack([counts[:, c].sum(axis=1) for c in columns], axis=1)


def fit_few(counts: F8, cpu_s: F8, seconds: F8, names: Sequence[str], *, n: int, rng: np.random.Generator) -> DemandFit:
    """Bound the service demand by a few bins: what is taken without requests is anything up to four fifths of the least busy bin's CPU.

    Parameters as of `fit_demand`; every name stands in one group. The fewer requests that bin had beside the others, the
    more of its CPU may be nobody's; and up to a fifth of all CPU may be that of starts, deployments and warm-up, which
    averages of minutes hide.
    """
    total, took_s = float(counts.sum()), np.broadcast_to(cpu_s if cpu_s.ndim == 2 else cpu_s[:, None], (len(cpu_s), n)).sum(axis=0)
    cores, rates = cpu_s.reshape(len(cpu_s), -1).mean(axis=1) / seconds, counts.sum(axis=1) / seconds
    least = int(cores.argmin())
    idle, share = (1.0 - 0.2 * min(rates[least] / rates.mean(), 1.0)) * cores[least], rng.uniform(0.0, 1.0, n)
    # Requests of exponential size: a sum of n is known to √(2/n), their count included.
    error = rng.normal(1.0, np.sqrt(2.0 / total), n)
    others_s = share * np.maximum(idle * seconds.sum(), HIDDEN_RATIO * took_s)
    demand = np.maximum((took_s - others_s) / total * error, 0.0)
    return DemandFit([list(names)], demand[None, :], share * idle, bounded=True)


def bound_by_response(mean_response_s: float, names: Sequence[str], *, n: int, rng: np.random.Generator) -> DemandFit:
    """Bound the service demand where no CPU was read: a request computes in one thread, so no longer than it takes.

    A tenth more, for what the kernel does for it before and after the target's clock runs.
    """
    return DemandFit([list(names)], rng.uniform(0.0, 1.1 * mean_response_s, (1, n)), rng.uniform(*IDLE_CORES, n))


def _told_apart(counts: F8, cpu_s: F8, seconds: F8, names: Sequence[str], rng: np.random.Generator) -> list[list[str]]:
    """Leave a name on its own where the run shows its demand apart from the rest's; merge the others."""
    present = [i for i in range(len(names)) if counts[:, i].sum() > 0]
    if len(present) < 2 or len(cpu_s) < 4 * (len(present) + 1):
        return [[names[i] for i in present]]
    draws = _bootstrap(counts[:, present], cpu_s, seconds, 128, rng)[1:]
    lo, hi = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    mid = np.median(draws, axis=1)
    weight = counts[:, present].sum(axis=0)
    pooled = float((mid * weight).sum() / weight.sum())
    apart = own_ratios(np.column_stack([seconds, counts[:, present]]))[1:] >= OWN_RATIO
    own = [
        apart[k] and (hi[k] - lo[k] <= OWN_WIDTH_RATIO * mid[k]) and not (lo[k] <= pooled <= hi[k]) for k in range(len(present))
    ]
    rest = [names[i] for k, i in enumerate(present) if not own[k]]
    alone = [[names[i]] for k, i in enumerate(present) if own[k]]
    return ([rest] if rest else []) + alone


def own_ratios(design: F8) -> F8:
    """Return what the other columns leave of each, as a share of its length, shape (columns,); of an empty one nothing."""
    size = np.linalg.norm(design, axis=0)
    unit = design / np.where(size > 0, size, 1.0)
    left = []
    for k in range(len(size)):
        others = np.delete(unit, k, axis=1)
        left.append(unit[:, k] - others @ np.linalg.lstsq(others, unit[:, k], rcond=None)[0])
    found: F8 = np.linalg.norm(left, axis=1)
    return found


def _bootstrap(grouped: F8, cpu_s: F8, seconds: F8, n: int, rng: np.random.Generator) -> F8:
    """Return draws of (background, demands), shape (1 + groups, n)."""
    # A Poisson count's variance grows with its mean, and so does the CPU it takes: weigh by one over its square root.
    weight = 1.0 / np.sqrt(np.maximum(grouped.sum(axis=1), 1.0))
    return block_draws(np.column_stack([seconds, grouped]), cpu_s, weight, n, rng)


def block_draws(design: F8, cpu_s: F8, weight: F8, n: int, rng: np.random.Generator) -> F8:
    """Return draws of the coefficients, shape (columns, n), by a block bootstrap inflated for what the fit spent.

    Parameters
    ----------
    design, cpu_s, weight : shape (bins, columns), (bins, worlds) and (bins,)
    """
    bins, spent = design.shape
    point = solve(design, cpu_s.mean(axis=1), weight)
    length = block_length((cpu_s.mean(axis=1) - design @ point) * weight)
    times = np.stack([np.bincount(drawn_blocks(bins, length, rng), minlength=bins) for _ in range(n)]).astype(float)
    values = cpu_s[:, np.arange(n) % cpu_s.shape[1]] * weight[:, None]
    draws = resampled(design * weight[:, None], values, times).T
    inflation = CALIBRATION * np.sqrt(bins / max(bins - spent, 1))
    spread: F8 = np.maximum(point[:, None] + (draws - point[:, None]) * inflation, 0.0)
    return spread


def solve(design: F8, cpu_s: F8, weight: F8) -> F8:
    """Non-negative least squares, shape (columns,); shapes as of `block_draws`, one world."""
    found: F8 = resampled(design * weight[:, None], (cpu_s * weight)[:, None], np.ones((1, len(design))))[0]
    return found


def block_length(residual: F8) -> int:
    """How long a block must be that what is left over of one says little of the next: by its correlation from bin to bin."""
    together = step_correlation(residual - residual.mean())
    apart = LENGTHS * (1 + together) / (1 - together) if 0 < together < 1 else 0.0
    return int(np.clip(apart, min(BLOCK_BINS, max(1, len(residual) // 3)), max(1, len(residual) // 5)))


def drawn_blocks(bins: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a moving-block bootstrap sample of bin numbers, as many as there are."""
    starts = rng.integers(0, bins - length + 1, size=-(-bins // length))
    picked: np.ndarray = (starts[:, None] + np.arange(length)[None, :]).ravel()[:bins]
    return picked
