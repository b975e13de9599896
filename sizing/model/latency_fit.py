"""From a run's response times to a latency model: the discipline, waits and CPU apart, and what is left over of the run's quantiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sizing.model.bend import Bend
from sizing.model.discipline import Choice, choose
from sizing.model.latency import Response, Step, Table, Varied, exponential_response, read_response, residual_ratio, steps_of
from sizing.model.scaling import Scaling, read_scaling
from sizing.model.sharing import Cpus
from sizing.model.streams import stream
from sizing.types import F8, Evidence

LEAST_ANSWERS = 50
"""A step of fewer says nothing of a p95."""
LEAST_DEMAND_S = 1e-9
"""Where no CPU is seen to be taken: a request that takes none is told like one of a nanosecond."""
LEAST_ERROR = 0.01
"""A variation known to a hundredth moves no quantile."""
MOST_ERRORS = 2.0
"""Further from the middle the line through two responses is no longer theirs."""


@dataclass(frozen=True, slots=True)
class LatencyFit:
    """What `HostModel` keeps of latency; see there."""

    choice: Choice
    response: Response | None
    ratio_draws: Mapping[float, F8]
    scaling: Scaling | None
    varied: Varied | None = None


def fit_latency(
    evidence: Evidence,
    demand_s: F8,
    background: F8,
    bend: Bend | None,
    variation: F8 | None,
    cpus: Cpus,
    quantiles: Sequence[float],
    seed: int,
) -> LatencyFit:
    """Fit what a request's time is made of on the measured host.

    Parameters
    ----------
    demand_s, background : shape (S,), CPU seconds of the mean request at the middle rate; cores that one host takes without any
    variation : shape (S,), of a request's CPU, a ratio; None where the bins don't tell it
    """
    name, n = evidence.host_class, len(demand_s)
    answered = steps_of(evidence.latency_s, evidence.latency_load / evidence.hosts)
    steps = [s for s in answered if len(s.latency_s) >= LEAST_ANSWERS]
    middle, idle = max(float(np.median(demand_s)), LEAST_DEMAND_S), float(np.median(background))
    choice = choose(evidence.server, steps, middle, idle, cpus, None if variation is None else float(np.median(variation)))
    scaling = read_scaling(steps, middle, idle, cpus.capacity, n, stream(seed, name, "scaling"))
    rng = stream(seed, name, "wait")
    if not steps:
        return LatencyFit(choice, *_of_mean(evidence.mean_latency_s, middle, choice, quantiles, n, rng), scaling)
    costs = [demand_s if bend is None else demand_s * bend.ratio(np.array(s.rate_per_s * evidence.hosts)) for s in steps]
    lightest_s = max(float(np.median(costs[0])), LEAST_DEMAND_S)
    response, varied = _split(steps[0], lightest_s, idle, cpus, choice, variation, n, stream(seed, name, "split"))
    over = {q: residual_ratio(Table(response, cpus, q), steps, costs, background, rng, varied) for q in quantiles}
    return LatencyFit(choice, response, over, scaling, varied)


def _split(
    lightest: Step, demand_s: float, background: float, cpus: Cpus, choice: Choice, variation: F8 | None, n: int, rng: np.random.Generator
) -> tuple[Response, Varied]:
    """Wait and CPU apart at the middle of how much the CPU may vary, and one standard error from it.

    `variation` has shape (S,); where nothing tells it, it lies anywhere between its bounds.
    """
    capacity = cpus.capacity if choice.loops is None else min(choice.loops, cpus.capacity)
    ratio = (lightest.rate_per_s * demand_s + background) / capacity

    def split(how: float | None) -> Response:
        return read_response(lightest.latency_s, demand_s, ratio, cpus, choice.discipline, choice.loops, how)

    mean_s, differs_s = float(lightest.latency_s.mean()), float(lightest.latency_s.std())
    # Requests differ in their CPU as in their time, or in nothing else.
    alike, most = differs_s / mean_s, differs_s / max(mean_s - float(split(None).waits_s.mean()), 1e-12)
    draws = rng.uniform(alike, max(most, alike), n) if variation is None else np.minimum(variation, most)
    middle, error = float(np.median(draws)), max(float(draws.std()), LEAST_ERROR * max(most, 1e-9))
    beyond = middle + error if middle + error <= most else middle - error
    errors = np.clip((draws - middle) / (beyond - middle), -MOST_ERRORS, MOST_ERRORS)
    return split(middle), Varied(split(beyond), errors, rng.normal(size=n))


def _of_mean(
    mean_s: float | None, demand_s: float, choice: Choice, quantiles: Sequence[float], n: int, rng: np.random.Generator
) -> tuple[Response | None, Mapping[float, F8]]:
    """Where only a mean is known: a percentile between it and twice an exponential's; where not even that, nothing."""
    if mean_s is None:
        return None, {q: np.full(n, np.nan) for q in quantiles}
    response = exponential_response(mean_s, demand_s, choice.discipline, choice.loops)
    return response, {q: rng.triangular(min(-1 / np.log1p(-q), 1.0), 1.0, 2.0, n) for q in quantiles}
