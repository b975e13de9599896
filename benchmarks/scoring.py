"""How near the model's answer comes to the truth of made services: what its intervals hold, and what its choice is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from synthetic import MIB, STEP_S, Service, collections, held_bytes, make_service, observe, sways, trace

from catalogue import Catalogue, load_catalogue
from sizing.decide.candidates import candidates
from sizing.decide.decide import decide
from sizing.decide.judge import judge
from sizing.decide.worlds import scenarios
from sizing.model.fit import fit
from sizing.model.growth import growth_bytes_per_h
from sizing.model.latency import Response, Table
from sizing.model.memory import CACHE_BYTES, KERNEL_BYTES
from sizing.model.sharing import Cpus
from sizing.model.threads import SECOND_THREAD
from sizing.model.traffic import stated_traffic
from sizing.types import Evidence, HostModel, MemoryPart
from sizing.verdicts import Verdict

CONFIDENCE, LIMIT_S, WORLDS, TIE = 0.95, 0.5, 256, 0.02
REQUESTS = 16_384
"""Of the truth: a p95 of a thousand drawn requests errs by 5 %, and so would the yardstick."""


@dataclass(frozen=True)
class Outcome:
    """One service: which intervals held its truth, and how its recommended candidate does there.

    `chance`: that candidate's true probability; `near`: it costs at most the next candidate above the truly cheapest;
    both None where model and truth don't both name one. `tie`: some candidate's true probability lies within 0.02 of the policy.
    """

    covered: Mapping[str, bool]
    chance: float | None = None
    near: bool | None = None
    tie: bool = False
    answered_alike: bool = True


@dataclass(frozen=True)
class Score:
    """Shares over services: `coverage` of nominal 90 % intervals; `within_tenth`: true probability at least the policy's less 0.10.

    `near_cheapest` leaves out ties, whose truth is a toss-up; they are counted.
    """

    services: int
    coverage: Mapping[str, float]
    within_tenth: float
    worst_probability: float
    near_cheapest: float
    ties: int
    unanswered: int


def outcomes(count: int, seed: int) -> list[Outcome]:
    """Make `count` services, half of them with hyper-threads, garbage collection or a deployment, and answer for each."""
    catalogue = load_catalogue("ap-northeast-2")
    return [outcome(seed, k, catalogue) for k in range(count)]


def false_leaks(count: int, seed: int) -> int:
    """How many of `count` copies that don't grow, soaked for one to eight hours and looked at each ten seconds, are said to."""
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(count):
        at_s = np.arange(0.0, 3600 * rng.uniform(1.05, 8.0), 10.0)
        held = sways(300 * MIB * (1 - 0.2 * np.exp(-at_s / 60.0)), 0.005, rng)
        growth = growth_bytes_per_h(at_s, held, 1, rng)
        found += growth is not None and bool(growth.max() > 0)
    return found


def summed(outcomes: Sequence[Outcome]) -> Score:
    """Put services together."""
    chances = [o.chance for o in outcomes if o.chance is not None]
    names = outcomes[0].covered
    return Score(
        services=len(outcomes),
        coverage={name: round(float(np.mean([o.covered[name] for o in outcomes])), 3) for name in names},
        within_tenth=round(float(np.mean([c >= CONFIDENCE - 0.10 for c in chances])), 3),
        worst_probability=round(min(chances), 3),
        near_cheapest=round(float(np.mean([o.near for o in outcomes if o.near is not None and not o.tie])), 3),
        ties=sum(o.tie for o in outcomes),
        unanswered=sum(not o.answered_alike for o in outcomes),
    )


def outcome(seed: int, k: int, catalogue: Catalogue) -> Outcome:
    """Make one service, fit what its run shows, and hold answer and truth against each other."""
    rng = np.random.default_rng([seed, k])
    service = make_service(rng, featured=k % 2 == 1)
    evidence = observe(service, rng)
    present = catalogue.types[service.present]
    threads = present.threads_per_core
    model = fit(evidence, n=WORLDS, seed=k, measured_family=present.family, measured_arch=present.arch, threads_per_core=threads)
    assert model is not None
    held = covered(service, evidence, model, rng)
    truth = _judged(service, true_model(service, model, rng), catalogue, k)
    found, best = (decide("api", "blue_green", v, None).recommended for v in (_judged(service, model, catalogue, k), truth))
    if found is None or best is None:
        return Outcome(held, answered_alike=(found is None) == (best is None))
    known = {v.candidate.key: v for v in truth}
    costs = sorted({v.monthly_usd for v in truth if v.fits and v.monthly_usd is not None})
    spent = known[found.candidate.key].monthly_usd
    near = spent is not None and spent <= costs[min(1, len(costs) - 1)]
    tie = any(abs((v.probability or 0.0) - CONFIDENCE) < TIE for v in truth)
    return Outcome(held, known[found.candidate.key].probability or 0.0, near, tie)


def true_model(service: Service, fitted: HostModel, rng: np.random.Generator) -> HostModel:
    """The same service known exactly; kernel and page cache stay as unsure as they are to anyone who only saw the process tree."""
    n = fitted.background_cores_draws.shape[0]
    late = held_bytes(service, np.full(n, 1e4), rng)
    parts = [MemoryPart("api", late, "pss", "made", True)]
    parts += [MemoryPart("kernel", rng.uniform(*KERNEL_BYTES, n), "assumed", "made", False)]
    parts += [MemoryPart("cache", rng.uniform(*CACHE_BYTES, n), "assumed", "made", False)]
    return replace(
        fitted,
        names=["all"],
        merged=[[]],
        per_external=np.ones(1),
        demand_s_draws=np.full((1, n), service.mean_demand_s),
        background_cores_draws=np.full(n, service.background_cores),
        response_ratio_draws={0.95: np.ones(n)},
        response=_response(service, rng),
        memory=[*parts[:1], *([] if fitted.memory[1:] == [] else parts[1:])],
        varied=None,
        scaling=None,
        bend=None,
    )


def _cpus(service: Service) -> Cpus:
    """What a service of these was measured on: two vCPUs, of one core where they are threads."""
    return Cpus(2, 2, sum(SECOND_THREAD) / 2) if service.present.startswith("t3") else Cpus(2)


def _response(service: Service, rng: np.random.Generator) -> Response:
    """What a request's time is made of, exactly."""
    name = rng.choice(2, REQUESTS, p=service.weights)
    own = service.demand_s[name] * (1 - service.gc_share) * rng.gamma(1 / service.scv, service.scv, REQUESTS)
    cpu = own + collections(service, name, rng)
    waits = service.wait_median_s * np.exp(service.wait_sigma * rng.normal(size=REQUESTS))
    return Response("processor_sharing", cpu / cpu.mean(), waits, rng.uniform(size=REQUESTS), service.mean_demand_s)


def covered(service: Service, evidence: Evidence, model: HostModel, rng: np.random.Generator) -> dict[str, bool]:
    """Whether the fit's central 90 % hold the truth: demand of the mix, background, memory of a later moment, p95 at the highest step."""
    mean = (model.demand_s_draws * model.per_external[:, None]).sum(axis=0)
    again = trace(service, service.rates[-1], 8 * STEP_S, rng)
    truth_p95 = float(np.quantile(again.done_s - again.arrive_s, 0.95))
    assert model.response is not None
    cpus = _cpus(service)
    ratio = (service.rates[-1] * mean + model.background_cores_draws) / cpus.capacity
    explained = Table(model.response, cpus, 0.95).at(ratio, mean / model.response.demand_s)
    later = float(held_bytes(service, np.full(40, 1e4), rng)[-1])
    told = {
        "demand": (mean, service.mean_demand_s),
        "background": (model.background_cores_draws, service.background_cores),
        "memory": (model.memory[0].bytes_draws, later),
        "response": (explained * model.response_ratio_draws[0.95], truth_p95),
    }
    return {name: bool(np.quantile(draws, 0.05) <= truth <= np.quantile(draws, 0.95)) for name, (draws, truth) in told.items()}


def _judged(service: Service, model: HostModel, catalogue: Catalogue, seed: int) -> list[Verdict]:
    traffic = stated_traffic(service.peak_per_s, mean_per_s=None, growth_ratio_per_year=None, n=WORLDS, rng=np.random.default_rng(seed))
    asked = [c for c in candidates(catalogue) if c.instance.arch == "x86_64"]
    world = scenarios(
        model, traffic, asked, catalogue, catalogue.types[service.present], [(0.95, LIMIT_S)], 0.02, "blue_green", False, seed
    )
    return judge(world, confidence=CONFIDENCE)
