"""From a run's response times to a latency model: the discipline, waits and CPU apart, and what is left over of the run's quantiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sizing.model.bend import Bend
from sizing.model.discipline import Choice, choose
from sizing.model.latency import Response, Step, Table, exponential_response, read_response, residual_ratio, steps_of
from sizing.model.scaling import Scaling, read_scaling
from sizing.model.sharing import Cpus
from sizing.model.streams import stream
from sizing.types import F8, Evidence

LEAST_ANSWERS = 50
"""A step of fewer says nothing of a p95."""
LEAST_DEMAND_S = 1e-9
"""Where no CPU is seen to be taken: a request that takes none is told like one of a nanosecond."""


@dataclass(frozen=True, slots=True)
class LatencyFit:
    """What `HostModel` keeps of latency; see there."""

    choice: Choice
    response: Response | None
    ratio_draws: Mapping[float, F8]
    scaling: Scaling | None


def fit_latency(
    evidence: Evidence, demand_s: F8, background: F8, bend: Bend | None, cpus: Cpus, quantiles: Sequence[float], seed: int
) -> LatencyFit:
    """Fit what a request's time is made of on the measured host.

    Parameters
    ----------
    demand_s, background : shape (S,), CPU seconds of the mean request at the middle rate; cores that one host takes without any
    """
    name, n = evidence.host_class, len(demand_s)
    answered = steps_of(evidence.latency_s, evidence.latency_load / evidence.hosts)
    steps = [s for s in answered if len(s.latency_s) >= LEAST_ANSWERS]
    middle, idle = max(float(np.median(demand_s)), LEAST_DEMAND_S), float(np.median(background))
    choice = choose(evidence.server, steps, middle, idle, cpus)
    scaling = read_scaling(steps, middle, idle, cpus.capacity, n, stream(seed, name, "scaling"))
    rng = stream(seed, name, "wait")
    if not steps:
        return LatencyFit(choice, *_of_mean(evidence.mean_latency_s, middle, choice, quantiles, n, rng), scaling)
    costs = [demand_s if bend is None else demand_s * bend.ratio(np.array(s.rate_per_s * evidence.hosts)) for s in steps]
    response = _split(steps[0], max(float(np.median(costs[0])), LEAST_DEMAND_S), idle, cpus, choice)
    over = {q: residual_ratio(Table(response, cpus, q), steps, costs, background, rng) for q in quantiles}
    return LatencyFit(choice, response, over, scaling)


def _split(lightest: Step, demand_s: float, background: float, cpus: Cpus, choice: Choice) -> Response:
    capacity = cpus.capacity if choice.loops is None else min(choice.loops, cpus.capacity)
    ratio = (lightest.rate_per_s * demand_s + background) / capacity
    return read_response(lightest.latency_s, demand_s, ratio, cpus, choice.discipline, choice.loops)


def _of_mean(
    mean_s: float | None, demand_s: float, choice: Choice, quantiles: Sequence[float], n: int, rng: np.random.Generator
) -> tuple[Response | None, Mapping[float, F8]]:
    """Where only a mean is known: a percentile between it and twice an exponential's; where not even that, nothing."""
    if mean_s is None:
        return None, {q: np.full(n, np.nan) for q in quantiles}
    response = exponential_response(mean_s, demand_s, choice.discipline, choice.loops)
    return response, {q: rng.triangular(min(-1 / np.log1p(-q), 1.0), 1.0, 2.0, n) for q in quantiles}
