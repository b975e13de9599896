"""Latency of the few types that matter, simulated event by event, against the formula that judged them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sizing.constraints.credits import backlog_s
from sizing.constraints.latency import GIVEN_UP_S, cpus_of, peak_demand_s, response_s
from sizing.model.latency import Response, Table
from sizing.model.sharing import Cpus
from sizing.model.simulate import first_come_s, poisson_arrivals_s, processor_sharing_s, settled
from sizing.model.streams import stream
from sizing.types import F8, Candidate, World
from sizing.verdicts import Recommendation, Verdict

WORLDS, REQUESTS = 64, 1000
STEADY_RATIO = 0.9
"""Busier CPUs settle in more requests than are simulated."""
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
    """Simulate the first latency objective of the shortlist; nothing where none is stated or no response time is known."""
    if world.model.response is None or not world.latency:
        return []
    only = world.only({c.key for c in shortlist(found)})
    quantile = world.latency[0][0]
    formula, waits = response_s(only, quantile), backlog_s(only)
    return [_simulated(only, row, quantile, formula[row], waits[row], seed) for row in range(len(only.candidates))]


def _simulated(world: World, row: int, quantile: float, formula: F8, waits: F8, seed: int) -> Simulated:
    candidate, throttled, draws = world.candidates[row], float((waits > 0).mean()), np.minimum(formula + waits, GIVEN_UP_S)
    ratio = world.peak_busy_draws[row] / world.threads_draws[row]
    steady = np.flatnonzero(ratio < STEADY_RATIO)[:WORLDS]
    if len(steady) < WORLDS // 4:
        often = float((ratio >= STEADY_RATIO).mean())
        busy = f"the peak keeps the CPUs over {STEADY_RATIO:.0%} busy in {often:.0%} of worlds: no steady state"
        return Simulated(candidate, quantile, draws, None, None, throttled, None, busy)
    assert world.model.response is not None
    # A demand that a wide fit lets be nothing is served in no time.
    service_s = np.maximum(peak_demand_s(world) / world.speed_draws[row], 1e-9)[steady]
    over = _over_formula(world.model.response, cpus_of(candidate), quantile, ratio[steady], service_s, seed)
    apart, error = float(np.quantile(over, quantile)), _error(over, quantile)
    agrees = abs(apart - 1.0) <= TOLERANCE_RATIO + 2 * error
    why = f"simulated {apart:.2f} ± {error:.2f} of the formula's, within {TOLERANCE_RATIO:.0%}"
    if not agrees:
        why = f"simulated {apart:.2f} ± {error:.2f} of the formula's: few long requests make the queue's tail, which the formula smooths"
    return Simulated(candidate, quantile, draws, apart, error, throttled, agrees, why)


def _over_formula(response: Response, cpus: Cpus, quantile: float, ratio: F8, service_s: F8, seed: int) -> F8:
    """Simulated response times over the formula's quantile of their world, shape (worlds, requests)."""
    rng = stream(seed, "simulate")
    picked = rng.integers(0, len(response.sizes), (len(ratio), REQUESTS))
    # What the host does without requests is served among them, as if it were some more.
    arrive_s = poisson_arrivals_s(ratio * response.capacity(cpus) / service_s, REQUESTS, rng)
    cpu_s = response.sizes[picked] * service_s[:, None]
    if response.discipline == "processor_sharing":
        stayed_s = processor_sharing_s(arrive_s, cpu_s, cpus)
    else:
        stayed_s = first_come_s(arrive_s, cpu_s, max(1, int(response.capacity(cpus))))
    told = Table(response, cpus, quantile).at(ratio, service_s / response.demand_s)
    over: F8 = settled(stayed_s + response.waits_s[picked]) / told[:, None]
    return over


def _error(over: F8, quantile: float, groups: int = 8) -> float:
    """The standard error of the quantile over groups of worlds."""
    found: Sequence[float] = [float(np.quantile(part, quantile)) for part in np.array_split(over, groups)]
    return float(np.std(found, ddof=1) / np.sqrt(groups))
