"""Processor sharing: how much longer a request takes when the scheduler shares the CPUs among all that are there.

A threaded server under the kernel's scheduler is near processor sharing, where the number present, and with it the mean
response, doesn't depend on how the requests' sizes vary (Kelly, Reversibility and Stochastic Networks, 1979, chapter 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sizing.types import F8

PRESENT = 1500
"""States kept: at 99 % of one CPU more are there in one moment of three million."""


@dataclass(frozen=True, slots=True)
class Cpus:
    """What a host computes with: vCPUs, hyper-threads a core, and what the second thread adds (a ratio)."""

    vcpus: int
    threads_per_core: int = 1
    gain: float = 0.0

    @property
    def capacity(self) -> float:
        """Full threads' worth of work that all do together."""
        return float(self.work_rate(np.array([self.vcpus]))[0])

    def work_rate(self, present: F8) -> F8:
        """Full threads' worth of work done while so many are present; idle cores are filled before second threads."""
        cores = self.vcpus // self.threads_per_core
        second = np.minimum(present, self.vcpus) - cores if self.threads_per_core > 1 else np.zeros(np.shape(present))
        rate: F8 = np.minimum(present, cores) + np.maximum(second, 0.0) * self.gain
        return rate


@dataclass(frozen=True, slots=True)
class Sharing:
    """Processor sharing in steady state, at several loads.

    Attributes
    ----------
    ratio : shape (loads,), utilisation of the capacity
    stretch : shape (loads,), mean response over service
    found : shape (loads, PRESENT), probability that an arrival finds at most so many
    per_job : shape (PRESENT,), response over service if as many stayed throughout
    """

    ratio: F8
    stretch: F8
    found: F8
    per_job: F8
    capacity: float

    def response(self, sizes: F8, chance: F8) -> F8:
        """Return response times in mean service times, shape (loads, requests).

        Parameters
        ----------
        sizes : shape (requests,), service over the mean service
        chance : shape (requests,), where in the distribution of those already there each arrives, 0 to 1

        Notes
        -----
        The conditional mean is size × stretch, exactly. About it a short request sees the number that it met, a long one
        the average over its stay: the part that is left of the former is, for M/M/1, Var T(x) of Coffman, Muntz and
        Trotter 1970, √(2/y · (1 − (1 − e^−y)/y)) with y = (1 − ρ) x/S; with more servers the number forgets as much faster.
        """
        met = np.stack([np.searchsorted(row, chance) for row in self.found])
        met_stretch = self.per_job[np.minimum(met, PRESENT - 1)]
        y = np.maximum(((1 - self.ratio) ** 2 * self.stretch * self.capacity)[:, None] * sizes, 1e-3)
        left = np.sqrt(2 / y * (1 + np.expm1(-y) / y))
        response: F8 = sizes * (self.stretch[:, None] + left * (met_stretch - self.stretch[:, None]))
        return response


def share(cpus: Cpus, ratio: F8) -> Sharing:
    """Solve M/G/c processor sharing at utilisations below 1, shape (loads,)."""
    number = np.arange(1, PRESENT + 1)
    rate = cpus.work_rate(number.astype(float))
    log_weight = np.cumsum(np.log(np.maximum(ratio[:, None], 1e-9) * cpus.capacity / rate), axis=1)
    log_weight = np.concatenate([np.zeros((len(ratio), 1)), log_weight[:, :-1]], axis=1)
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    chance = weight / weight.sum(axis=1, keepdims=True)
    per_job = number / rate
    return Sharing(ratio, chance @ per_job, np.cumsum(chance, axis=1), per_job, cpus.capacity)
