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

    Two busy threads of a core do 1 + g of one's work, so each second of either is worth (1 + g)/2. At a utilisation u a
    busy thread finds its sibling busy for a share u of the time: what is counted overstates the work by 1/(1 − u(1 − g)/2).
    """
    if threads_per_core < 2:
        return np.broadcast_to(cpu_s[:, None], (len(cpu_s), len(second)))
    used = np.clip(cpu_s / (seconds * vcpus), 0.0, 1.0)
    found: F8 = cpu_s[:, None] * (1.0 - used[:, None] * (1.0 - second[None, :]) / 2.0)
    return found
