"""Model, traffic and candidates put into common sampled worlds: how fast each type is, and how busy it would be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from catalogue import Catalogue, InstanceType
from sizing.model.fit import stream
from sizing.types import F8, Candidate, HostModel, Traffic, World

# What the second hyper-thread of a core adds: stress-ng on one worker against one a vCPU, t3.micro 1.40, t3.medium 1.44,
# c5 and m5 1.2 to 1.3 (Spare Cores, 2024-06); drawn uniformly, since it depends on the code.
SECOND_THREAD = (0.2, 0.4)


def scenarios(
    model: HostModel,
    traffic: Traffic,
    candidates: Sequence[Candidate],
    catalogue: Catalogue,
    measured_on: InstanceType | None,
    latency: Sequence[tuple[float, float]],
    error_limit_ratio: float,
    deploy: Any,
    survive_zone_loss: bool,
    seed: int,
) -> World:
    """Put model, traffic and candidates into common sampled worlds; a family's speed is one draw a world."""
    worlds = traffic.rate_draws.shape[1]
    speeds = {c.instance.name: _speed_draws(c.instance, measured_on, catalogue, worlds, seed) for c in candidates}
    speed = np.stack([speeds[c.instance.name] for c in candidates])
    second = np.asarray(stream(seed, "threads").uniform(*SECOND_THREAD, size=worlds))
    threads = np.stack([_threads_draws(c.instance, second) for c in candidates])
    demand = (model.demand_s_draws * model.per_external[:, None]).sum(axis=0)
    left = np.array([max(c.count - 1, 1) if survive_zone_loss else c.count for c in candidates], dtype=float)
    # A host's share of the class's arrivals, plus what it takes idle, both in the candidate's own vCPU time.
    load = traffic.rate_draws[:, None, :] * demand[None, None, :] / left[None, :, None]
    busy = (load + model.background_cores_draws[None, None, :]) / speed[None, :, :]
    return World(model, traffic, candidates, speed, threads, busy, latency, error_limit_ratio, deploy, survive_zone_loss)


def _speed_draws(instance: InstanceType, measured_on: InstanceType | None, catalogue: Catalogue, worlds: int, seed: int) -> F8:
    """Speed of one thread relative to the measured host's: 1 within its family, else drawn over what the benchmarks span."""
    if measured_on is None or instance.family == measured_on.family:
        return np.ones(worlds)
    found = catalogue.speed(instance.name, measured_on.name)
    if found.lo is None or found.mid is None or found.hi is None:
        return np.full(worlds, np.nan)
    lo, mid, hi = found.lo, found.mid, found.hi
    rng = stream(seed, "speed", instance.family)
    return rng.triangular(lo, min(max(mid, lo), hi), hi, worlds) if hi > lo else np.full(worlds, mid)


def _threads_draws(instance: InstanceType, second: F8) -> F8:
    """Full threads' worth of work that all vCPUs do together: a core's second hyper-thread adds only a part of one."""
    if instance.threads_per_core < 2:
        return np.full(len(second), float(instance.vcpus))
    cores = instance.vcpus / instance.threads_per_core
    draws: F8 = cores * (1.0 + second)
    return draws
