"""Threads are not cores: what a core's second hyper-thread adds, read off a thread sweep, or drawn over what was measured elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sizing.model.streams import stream
from sizing.types import F8

# What the second hyper-thread of a core adds: stress-ng on one worker against one a vCPU, t3.micro 1.40, t3.medium 1.44,
# c5 and m5 1.2 to 1.3 (Spare Cores, 2024-06); drawn uniformly, since it depends on the code.
SECOND_THREAD = (0.2, 0.4)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Throughput of one thread, of one a core and of one a vCPU; `gain` is what the second hyper-threads add, a ratio."""

    one: float
    at_cores: float
    at_vcpus: float
    cores: int
    vcpus: int
    rises: bool

    @property
    def efficiency_at_cores(self) -> float:
        return self.at_cores / (self.one * self.cores)

    @property
    def efficiency_at_vcpus(self) -> float:
        return self.at_vcpus / (self.one * self.vcpus)

    @property
    def gain(self) -> float:
        return self.at_vcpus / self.at_cores - 1

    @property
    def throttled(self) -> bool:
        """Whether more threads did less than one: no lock does that to independent work, an empty credit balance does."""
        return self.at_vcpus < self.one


def thread_sweep(threads: F8, throughput: F8, cores: int, vcpus: int) -> Sweep:
    """Read a sweep of independent work over 1 to `vcpus` threads."""
    at = dict(zip(np.asarray(threads, dtype=int).tolist(), np.asarray(throughput, dtype=float).tolist(), strict=True))
    rises = bool((np.diff([at[n] for n in sorted(at)]) > 0).all())
    return Sweep(at[1], at[cores], at[vcpus], cores, vcpus, rises)


def second_thread_draws(seed: int, n: int) -> F8:
    """Draw what a core's second thread adds, shape (n,): the same worlds wherever it is asked for."""
    return np.asarray(stream(seed, "threads").uniform(*SECOND_THREAD, size=n))


def threads_capacity(vcpus: int, threads_per_core: int, second: F8) -> F8:
    """Return how many full threads' worth of work all vCPUs do together, shape of `second`."""
    if threads_per_core < 2:
        return np.full(len(second), float(vcpus))
    capacity: F8 = vcpus / threads_per_core * (1.0 + second)
    return capacity


def undisturbed_cpu_s(cpu_s: F8, seconds: F8, vcpus: int, threads_per_core: int, second: F8) -> F8:
    """Return the CPU seconds that the same work takes while the sibling threads are idle, shape (bins, S).

    Two busy threads of a core do 1 + g of one's work, so a second of either is worth (1 + g)/2 while the other is busy too.
    """
    if threads_per_core < 2:
        return np.repeat(cpu_s[:, None], len(second), axis=1)
    used = np.linspace(0.0, 0.99, 100)
    shares = [sibling_busy_ratio(float(u), vcpus) for u in used]
    together = np.interp(cpu_s / (seconds * vcpus), used, shares)
    found: F8 = cpu_s[:, None] * (1.0 - together[:, None] * (1.0 - second[None, :]) / 2.0)
    return found


def sibling_busy_ratio(utilisation: float, vcpus: int) -> float:
    """Return the share of busy thread time in which the core's other thread is busy too, in M/M/c with two threads a core.

    The scheduler fills idle cores first; two vCPUs are one core, and there it is 2u/(1 + u), not u.
    """
    n = np.arange(1, 2000)
    log_weight = np.cumsum(np.log(utilisation * vcpus / np.minimum(n, vcpus))) if utilisation > 0 else np.full(len(n), -np.inf)
    busy = np.minimum(n, vcpus) * np.exp(log_weight - log_weight.max()) if utilisation > 0 else np.zeros(len(n))
    paired = np.clip(2 * (np.minimum(n, vcpus) - vcpus // 2), 0, None) / np.minimum(n, vcpus)
    return float((busy * paired).sum() / busy.sum()) if utilisation > 0 else 0.0
