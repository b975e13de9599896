"""Model, traffic and candidates put into common sampled worlds: how fast each type is, and how busy it would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from catalogue import Catalogue, InstanceType
from sizing.model.streams import stream
from sizing.model.threads import second_thread_draws, threads_capacity
from sizing.types import F8, Candidate, HostModel, Traffic, World

DOUBT = 1.8
"""By benchmarks/model.py: credits and latency turn within a few per cent of demand, and a type that nine intervals in ten let
hold was wrong for one service in five hundred."""


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
    model, worlds = doubted(model), traffic.rate_draws.shape[1]
    speeds = {c.instance.name: _speed_draws(c.instance, measured_on, catalogue, worlds, seed) for c in candidates}
    speed = np.stack([speeds[c.instance.name] for c in candidates])
    second = second_thread_draws(seed, worlds, "candidates")
    capacity = {key: threads_capacity(*key, second) for key in {_threads(c.instance) for c in candidates}}
    # A server of a few loops uses as many threads, however many there are.
    loops = model.response.loops if model.response is not None and model.response.loops else np.inf
    threads = np.stack([np.minimum(capacity[_threads(c.instance)], loops) for c in candidates])
    demand = (model.demand_s_draws * model.per_external[:, None]).sum(axis=0)
    work = traffic.rate_draws * demand * model.demand_ratio(traffic.rate_draws)
    left = hosts_left(candidates, survive_zone_loss)
    return World(model, traffic, candidates, speed, threads, work, left, latency, error_limit_ratio, deploy, survive_zone_loss, measured_on)


def doubted(model: HostModel) -> HostModel:
    """The same model with demand and background further about their middle: what differs from run to run, no bin of one run shows."""
    demand, background = _further(model.demand_s_draws), _further(model.background_cores_draws)
    return replace(model, demand_s_draws=demand, background_cores_draws=background)


def _further(draws: F8) -> F8:
    middle = np.median(draws, axis=-1, keepdims=True)
    found: F8 = np.maximum(middle + DOUBT * (draws - middle), 0.0)
    return found


def hosts_left(candidates: Sequence[Candidate], survive_zone_loss: bool) -> F8:
    """Hosts that share the load, shape (C, 1): all, or what is left of an even spread over two zones when the fuller one is gone."""
    return np.array([[max(c.count // 2, 1) if survive_zone_loss else c.count] for c in candidates], dtype=float)


def _threads(instance: InstanceType) -> tuple[int, int]:
    return instance.vcpus, instance.threads_per_core


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
