"""Latency at the peak: the objective's quantile of response time, at full-speed vCPUs, against its limit."""

from __future__ import annotations

import numpy as np

from sizing.constraints import Constraint
from sizing.model.latency import response_quantile_s
from sizing.types import F8, World


def need(world: World) -> F8:
    """Response time at the objective's quantile, shape (C, S); of several objectives the tightest, on the first one's scale."""
    busy = world.peak_busy_draws
    model = world.model
    mean_s = (model.demand_s_draws * model.per_external[:, None]).sum(axis=0) / max(float(model.per_external.sum()), 1e-12)
    service = mean_s[None, :] / world.speed_draws
    first = world.latency[0][1]
    worst = np.zeros(world.size)
    for quantile, limit_s in world.latency:
        response = model.wait_s_draws[quantile][None, :] + response_quantile_s(quantile, service, busy, world.threads_draws)
        worst = np.maximum(worst, response / limit_s * first)
    return worst


def limit(world: World) -> F8:
    """The first objective's limit in seconds, shape (1, 1)."""
    return np.array([[world.latency[0][1]]])


CONSTRAINT = Constraint(
    asks="do users wait no longer than the objective allows at the peak?",
    unit="s",
    need=need,
    have=limit,
    short="latency {need} over the limit {have}",
    applies=lambda world: bool(world.latency),
)
