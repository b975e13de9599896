"""Event simulation of one host under Poisson arrivals, all sampled worlds at once, by either queueing discipline."""

from __future__ import annotations

import numpy as np

from sizing.model.sharing import Cpus
from sizing.types import F8

WARMUP_SHARE = 0.2
"""The queue starts empty: what it shows before this share of the arrivals is not counted."""


def processor_sharing_s(arrive_s: F8, cpu_s: F8, cpus: Cpus) -> F8:
    """Return how long each request is there when all share the CPUs evenly, shape (worlds, requests).

    Parameters
    ----------
    arrive_s, cpu_s : shape (worlds, requests), in order of arrival; seconds of one full thread
    """
    worlds, requests = arrive_s.shape
    row, slots = np.arange(worlds), 16
    # A free slot has work without end, so that it never is the next to leave.
    left, owner = np.full((worlds, slots), np.inf), np.zeros((worlds, slots), dtype=np.intp)
    clock, came = np.zeros(worlds), np.zeros(worlds, dtype=np.intp)
    stayed_s = np.full((worlds, requests), np.nan)
    arrive_s = np.concatenate([arrive_s, np.full((worlds, 1), np.inf)], axis=1)
    present = np.zeros(worlds)
    while True:
        slot = left.argmin(axis=1)
        next_work = left[row, slot]
        speed = np.where(present > 0, cpus.work_rate(present) / np.maximum(present, 1), 1.0)
        leaves_s, comes_s = clock + next_work / speed, arrive_s[row, came]
        if np.isinf(np.minimum(leaves_s, comes_s)).all():
            return stayed_s
        leaving = leaves_s <= comes_s
        now = np.where(np.isinf(comes_s) & (present == 0), clock, np.minimum(leaves_s, comes_s))
        left -= ((now - clock) * speed)[:, None]
        clock = now
        gone, new = np.flatnonzero(leaving & (present > 0)), np.flatnonzero(~leaving)
        stayed_s[gone, owner[gone, slot[gone]]] = clock[gone] - arrive_s[gone, owner[gone, slot[gone]]]
        left[gone, slot[gone]] = np.inf
        if len(new) and present[new].max() >= left.shape[1]:
            left = np.concatenate([left, np.full_like(left, np.inf)], axis=1)
            owner = np.concatenate([owner, np.zeros_like(owner)], axis=1)
        free = np.isinf(left[new]).argmax(axis=1)
        left[new, free], owner[new, free] = cpu_s[new, came[new]], came[new]
        came[new] += 1
        present[gone] -= 1
        present[new] += 1


def first_come_s(arrive_s: F8, cpu_s: F8, servers: int) -> F8:
    """Return how long each is there when the first to come is served first, shape (worlds, requests); Kiefer and Wolfowitz 1955."""
    worlds, requests = arrive_s.shape
    row, free_s = np.arange(worlds), np.zeros((worlds, servers))
    stayed_s = np.empty((worlds, requests))
    for k in range(requests):
        server = free_s.argmin(axis=1)
        done_s = np.maximum(free_s[row, server], arrive_s[:, k]) + cpu_s[:, k]
        free_s[row, server] = done_s
        stayed_s[:, k] = done_s - arrive_s[:, k]
    return stayed_s


def poisson_arrivals_s(rate_per_s: F8, requests: int, rng: np.random.Generator) -> F8:
    """Return arrival times of one Poisson process a world, shape (worlds, requests)."""
    times: F8 = np.cumsum(rng.exponential(1.0, (len(rate_per_s), requests)), axis=1) / rate_per_s[:, None]
    return times


def settled(stayed_s: F8) -> F8:
    """Leave out what came before the queue had filled."""
    return stayed_s[:, int(stayed_s.shape[1] * WARMUP_SHARE) :]
