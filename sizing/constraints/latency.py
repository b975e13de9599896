"""Latency at the peak: the objective's quantile of response time against its limit; credits that ran out are a wait too."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sizing.constraints import Constraint
from sizing.constraints.credits import backlog_s
from sizing.model.latency import SATURATED_S, Response, Table, quantile_s
from sizing.model.sharing import Cpus
from sizing.model.threads import SECOND_THREAD
from sizing.types import F8, Bools, Candidate, World

GIVEN_UP_S = 60.0
"""An Application Load Balancer's idle timeout: whoever waits longer gets an error (its user guide, "Connection idle timeout")."""


def need(world: World) -> F8:
    """Response time at the objective's quantile, shape (C, S); of several objectives the tightest, on the first one's scale."""
    first = world.latency[0][1]
    waits = backlog_s(world)
    worst = np.zeros(world.size)
    for quantile, limit_s in world.latency:
        response = np.minimum(response_s(world, quantile) + waits, max(GIVEN_UP_S, 2 * limit_s))
        worst = np.maximum(worst, response / limit_s * first)
    return worst


def response_s(world: World, quantile: float) -> F8:
    """A quantile of response time at full speed, shape (C, S); nan where no response time is known."""
    model = world.model
    if model.response is None:
        return np.full(world.size, np.nan)
    ratio, scale = world.peak_busy_draws / world.threads_draws, peak_demand_s(world) / model.response.demand_s / world.speed_draws
    kinds = [cpus_of(c) for c in world.candidates]
    found = np.empty(world.size)
    for cpus in dict.fromkeys(kinds):
        rows = [row for row, kind in enumerate(kinds) if kind == cpus]
        other = None if model.varied is None else _table(model.varied.response, cpus, quantile)
        found[rows] = quantile_s(_table(model.response, cpus, quantile), other, model.varied, ratio[rows], scale[rows])
    return np.where(_beyond_scaling(world), SATURATED_S, found * model.response_ratio_draws[quantile])


# A decision judges the same service many times, with one thing changed: a table takes longer than all else of a judgement.
@lru_cache(maxsize=64)
def _table(response: Response, cpus: Cpus, quantile: float) -> Table:
    return Table(response, cpus, quantile)


def _beyond_scaling(world: World) -> Bools:
    """Where more comes to a host than its own law lets through, whatever its CPU; shape (C, S)."""
    scaling = world.model.scaling
    if scaling is None or scaling.limit_per_s_draws is None:
        return np.zeros((1, 1), dtype=bool)
    found: Bools = world.traffic.peak_draws * world.model.per_external.sum() / world.hosts_left > scaling.limit_per_s_draws
    return found


def peak_demand_s(world: World) -> F8:
    """CPU seconds of the mean request at the peak, on the measured host, shape (S,)."""
    return world.model.mean_demand_s * world.model.demand_ratio(world.traffic.peak_draws)


def cpus_of(candidate: Candidate) -> Cpus:
    """A candidate's CPUs, its second hyper-threads at the middle of what was measured."""
    return Cpus(candidate.instance.vcpus, candidate.instance.threads_per_core, sum(SECOND_THREAD) / 2)


def limit(world: World) -> F8:
    """The first objective's limit in seconds, shape (1, 1)."""
    return np.array([[world.latency[0][1]]])


CONSTRAINT = Constraint(
    asks="do users wait no longer than the objective allows at the peak?",
    unit="s",
    need=need,
    have=limit,
    applies=lambda world: bool(world.latency),
)
