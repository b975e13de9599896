"""Threads are not cores: what a core's second hyper-thread adds, read off a thread sweep, or drawn over what was measured elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.model.sharing import Cpus
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


def second_thread_draws(seed: int, n: int, where: str) -> F8:
    """Draw what a core's second thread adds, shape (n,), the same worlds wherever it is asked for.

    Where it was measured and where it will run (`where`) it is drawn apart, as it differs between types: else a gain that
    makes the measured work more would make every candidate larger by as much, and the doubt of both would vanish.
    """
    return np.asarray(stream(seed, "threads", where).uniform(*SECOND_THREAD, size=n))


def threads_capacity(vcpus: int, threads_per_core: int, second: F8) -> F8:
    """Return how many full threads' worth of work all vCPUs do together, shape of `second`."""
    if threads_per_core < 2:
        return np.full(len(second), float(vcpus))
    capacity: F8 = vcpus / threads_per_core * (1.0 + second)
    return capacity


def undisturbed_cpu_s(
    cpu_s: F8, seconds: F8, vcpus: int, threads_per_core: int, second: F8, blocks: npt.NDArray[np.int64] | None = None
) -> F8:
    """Return the CPU seconds that the same work takes while the sibling threads are idle, shape (bins, S).

    Two busy threads of a core do 1 + g of one's work, and the kernel counts both. `blocks`, shape (bins,): within one the load
    is steady, and a bin's own swing is carried along the tangent; a curve followed through every swing would lie below itself.
    """
    if threads_per_core < 2:
        return np.repeat(cpu_s[:, None], len(second), axis=1)
    gains = np.linspace(*SECOND_THREAD, 5)
    work = np.linspace(0.0, 0.999, 200)[:, None] * threads_capacity(vcpus, threads_per_core, gains)
    busy = np.stack([busy_threads(work[:, k], Cpus(vcpus, threads_per_core, float(g))) for k, g in enumerate(gains)], axis=1)
    found = np.empty((len(cpu_s), len(second)))
    for block in np.unique(blocks) if blocks is not None else range(len(cpu_s)):
        rows = np.flatnonzero(blocks == block) if blocks is not None else np.array([block])
        used = cpu_s[rows].sum() / seconds[rows].sum()
        at = np.array([np.interp([used, used * 0.99, used * 1.01], busy[:, k], work[:, k]) for k in range(len(gains))])
        level, below, above = (np.interp(second, gains, column) for column in at.T)
        slope = (above - below) / max(0.02 * used, 1e-12)
        found[rows] = level * seconds[rows, None] + slope * (cpu_s[rows] - used * seconds[rows])[:, None]
    return np.maximum(found, 0.0)


def busy_threads(work: F8, cpus: Cpus) -> F8:
    """Return the threads that are busy on average with so much work, shape of `work`: requests that come at random and share the CPUs.

    Each number present is as likely as in `sharing.share`; from all vCPUs on, each is the one before by the same ratio.
    """
    rate = cpus.work_rate(np.arange(1.0, cpus.vcpus + 1))
    weight = np.cumprod(np.concatenate([np.ones((len(work), 1)), work[:, None] / rate], axis=1), axis=1)
    weight[:, -1] /= 1.0 - work / rate[-1]
    busy: F8 = weight @ np.arange(cpus.vcpus + 1.0) / weight.sum(axis=1)
    return busy
