"""Latency of the few types that matter, simulated event by event, against the formula that judged them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sizing.constraints.credits import backlog_s
from sizing.constraints.latency import GIVEN_UP_S, cpus_of, peak_demand_s, response_s
from sizing.model.latency import Response, Table
from sizing.model.latency_fit import LEAST_DEMAND_S
from sizing.model.sharing import Cpus
from sizing.model.simulate import first_come_s, poisson_arrivals_s, processor_sharing_s, settled
from sizing.model.streams import stream
from sizing.types import F8, Candidate, World
from sizing.verdicts import Recommendation, Verdict

WORLDS, REQUESTS = 64, 1000
STEADY_RATIO = 0.9
"""Busier CPUs settle in more requests than are simulated."""
LEAST_RATIO = 1e-6
"""Idler CPUs are simulated as if they were this busy: nobody meets anybody there."""
TOLERANCE_RATIO = 0.1
"""How far formula and simulation may lie apart, beside what so few worlds leave open (two standard errors)."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One candidate: the formula's quantile in every world, and what the simulation makes of it.

    Attributes
    ----------
    formula_s_draws : shape (S,), no longer than anybody waits
    ratio, ratio_se : simulated over formula, and its standard error; None where too few worlds have a steady state
    throttled_ratio : share of worlds in which credits run out, and requests wait behind what was throttled
    agrees : within the tolerance; None where it wasn't simulated
    """

    candidate: Candidate
    quantile: float
    formula_s_draws: F8
    ratio: float | None
    ratio_se: float | None
    throttled_ratio: float
    agrees: bool | None
    why: str


def shortlist(found: Recommendation) -> list[Candidate]:
    """The recommended candidate, the dearest below it that doesn't fit, and the present one, each once."""
    below: list[Verdict] = []
    if found.recommended is not None:
        below = [v for v in found.verdicts[: list(found.verdicts).index(found.recommended)] if v.fits is False]
    chosen = [v for v in (found.recommended, below[-1] if below else None, found.present) if v is not None]
    return list({v.candidate.key: v.candidate for v in chosen}.values())


def simulate_shortlist(world: World, found: Recommendation, seed: int) -> list[Simulated]:
    """Simulate the first latency objective of the shortlist; nothing where that is empty, none is stated or no response time is known."""
    chosen = {c.key for c in shortlist(found)}
    if world.model.response is None or not world.latency or not chosen:
        return []
    only = world.only(chosen)
    quantile = world.latency[0][0]
    draws, throttled = np.minimum(response_s(only, quantile) + backlog_s(only), GIVEN_UP_S), (backlog_s(only) > 0).mean(axis=1)
    ratio = only.peak_busy_draws / only.threads_draws
    # A demand that a wide fit lets be nothing is served in no time.
    service_s = np.maximum(peak_demand_s(only) / only.speed_draws, LEAST_DEMAND_S)
    over = _over_formula(world.model.response, [cpus_of(c) for c in only.candidates], quantile, ratio, service_s, seed)
    return [
        _compared(candidate, quantile, draws[row], float(throttled[row]), over[row], float((ratio[row] >= STEADY_RATIO).mean()))
        for row, candidate in enumerate(only.candidates)
    ]


def _compared(candidate: Candidate, quantile: float, draws: F8, throttled: float, over: F8, busy: float) -> Simulated:
    if len(over) < WORLDS // 4:
        why = f"the peak keeps the CPUs over {STEADY_RATIO:.0%} busy in {busy:.0%} of worlds: no steady state"
        return Simulated(candidate, quantile, draws, None, None, throttled, None, why)
    apart, error = float(np.quantile(over, quantile)), _error(over, quantile)
    agrees = abs(apart - 1.0) <= TOLERANCE_RATIO + 2 * error
    told = f"simulated {apart:.2f} ± {error:.2f} of the formula's"
    why = f"within {TOLERANCE_RATIO:.0%}" if agrees else "few long requests make the queue's tail, which the formula smooths"
    return Simulated(candidate, quantile, draws, apart, error, throttled, agrees, f"{told}{', ' if agrees else ': '}{why}")


def _over_formula(response: Response, kinds: Sequence[Cpus], quantile: float, ratio: F8, service_s: F8, seed: int) -> list[F8]:
    """Simulated response times over the formula's quantile of their world, for each candidate shape (worlds, requests).

    Worlds that never settle are left out; candidates with the same CPUs are simulated together.
    """
    found: list[F8] = [np.zeros((0, REQUESTS))] * len(kinds)
    steady = [np.flatnonzero(row < STEADY_RATIO)[:WORLDS] for row in ratio]
    for cpus in dict.fromkeys(kinds):
        rows = [row for row, kind in enumerate(kinds) if kind == cpus]
        busy, cost_s = (np.concatenate([values[row, steady[row]] for row in rows]) for values in (ratio, service_s))
        told = Table(response, cpus, quantile).at(busy, cost_s / response.demand_s)
        over = _simulated(response, cpus, busy, cost_s, seed) / told[:, None]
        ends = np.cumsum([len(steady[row]) for row in rows])[:-1]
        for row, part in zip(rows, np.split(over, ends), strict=True):
            found[row] = part
    return found


def _simulated(response: Response, cpus: Cpus, ratio: F8, service_s: F8, seed: int) -> F8:
    """Response times at utilisations and mean service times, shape (worlds,) each, once the queue has filled."""
    rng = stream(seed, "simulate")
    picked = rng.integers(0, len(response.sizes), (len(ratio), REQUESTS))
    # What the host does without requests is served among them, as if it were some more.
    arrive_s = poisson_arrivals_s(np.maximum(ratio, LEAST_RATIO) * response.capacity(cpus) / service_s, REQUESTS, rng)
    cpu_s = response.sizes[picked] * service_s[:, None]
    if response.discipline == "processor_sharing":
        stayed_s = processor_sharing_s(arrive_s, cpu_s, cpus)
    else:
        stayed_s = first_come_s(arrive_s, cpu_s, max(1, int(response.capacity(cpus))))
    return settled(stayed_s + response.waits_s[picked])


def _error(over: F8, quantile: float, groups: int = 8) -> float:
    """The standard error of the quantile over groups of worlds."""
    found: Sequence[float] = [float(np.quantile(part, quantile)) for part in np.array_split(over, groups)]
    return float(np.std(found, ddof=1) / np.sqrt(groups))
