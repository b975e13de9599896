"""When requests are asked for: arrival times of an open model, repeatable from a seed, one stream a worker.

A Poisson stream thinned over workers is Poisson again, so each worker draws its own share from a stream of its own and
the sum is the plan's process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from loadtests.plan import Step

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_GOLDEN = 0.6180339887498949


def stream(seed: int, worker: int, user: int) -> np.random.Generator:
    """Return the random stream of one user of one worker, independent of every other's."""
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=(worker, user)))


def poisson_times(rate_per_s: float, seconds: float, rng: np.random.Generator) -> FloatArray:
    """Return a Poisson process's arrival times in [0, seconds), ascending, shape (arrivals,).

    Given their number, the arrivals are uniform order statistics (Ross, Introduction to Probability Models, 5.3).
    """
    return np.sort(rng.uniform(0.0, seconds, rng.poisson(rate_per_s * seconds)))


def constant_times(rate_per_s: float, seconds: float, phase: float) -> FloatArray:
    """Return evenly spaced arrival times in [0, seconds), the first after `phase` (0 to 1) of a gap, shape (arrivals,)."""
    if rate_per_s <= 0:
        return np.empty(0)
    times: FloatArray = (np.arange(np.ceil(rate_per_s * seconds) + 1) + phase) / rate_per_s
    return times[times < seconds]


def plan_times(steps: Sequence[Step], kind: str, share: float, rng: np.random.Generator, phase: float = 0.0) -> tuple[FloatArray, IntArray]:
    """Return when one worker's arrivals of a whole plan are due, and of which step each is.

    Parameters
    ----------
    kind : str
        "poisson" or "constant".
    share : float
        This worker's part of each rate, 1 / workers.

    Returns
    -------
    FloatArray, IntArray, shape (arrivals,)
        Seconds since the plan's start, ascending; the step's index.
    """
    times, indices, start = [np.empty(0)], [np.empty(0, np.int64)], 0.0
    for index, step in enumerate(steps):
        rate = step.rate_per_s * share
        part = poisson_times(rate, step.seconds, rng) if kind == "poisson" else constant_times(rate, step.seconds, phase)
        times.append(start + part)
        indices.append(np.full(part.size, index))
        start += step.seconds
    return np.concatenate(times), np.concatenate(indices)


def endless_times(rate_per_s: float, kind: str, rng: np.random.Generator, phase: float) -> Iterator[float]:
    """Yield arrival times in seconds, for ever; none where the rate is 0."""
    at = 0.0 if kind == "poisson" else (phase - 1.0) / rate_per_s if rate_per_s else 0.0
    while rate_per_s > 0:
        at += float(rng.exponential(1 / rate_per_s)) if kind == "poisson" else 1 / rate_per_s
        yield at


def phase_of(index: int) -> float:
    """Return where in a gap the index-th of many constant streams starts (0 to 1): spread evenly, however many there are."""
    return (index * _GOLDEN) % 1.0
