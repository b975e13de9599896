"""Made services of known demand, memory and waits, seeded: what a run of each would show, and how near the model's answer comes.

They are made by another road than the model goes: requests one at a time, served by processor sharing, their CPU spent
after the wait on others, garbage collected in bursts, hyper-threads slowing each other, memory that levels off.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from catalogue import Catalogue, load_catalogue
from sizing.decide.candidates import candidates
from sizing.decide.decide import decide
from sizing.decide.judge import judge
from sizing.decide.worlds import scenarios
from sizing.model.fit import fit
from sizing.model.latency import REQUESTS, Response, Table
from sizing.model.memory import CACHE_BYTES, KERNEL_BYTES
from sizing.model.sharing import Cpus
from sizing.model.threads import SECOND_THREAD
from sizing.model.traffic import forecast
from sizing.types import Evidence, HostModel, MemoryPart, Window
from sizing.verdicts import Verdict

CONFIDENCE, LIMIT_S, WORLDS = 0.95, 0.5, 256
STEP_S, BIN_S = 150, 2
START = datetime(2026, 11, 24, tzinfo=UTC)
MIB = 1 << 20


@dataclass(frozen=True)
class Service:
    """The truth of one service; `demand_s` includes what its garbage costs."""

    demand_s: np.ndarray
    weights: np.ndarray
    scv: float
    background_cores: float
    memory_bytes: float
    wait_median_s: float
    wait_sigma: float
    gc_share: float
    gain: float
    deploys: bool
    present: str
    rates: tuple[float, ...]
    peak_per_s: tuple[float, float, float]

    @property
    def mean_demand_s(self) -> float:
        return float(self.demand_s @ self.weights)


@dataclass(frozen=True)
class Score:
    """Shares over the services.

    `coverage` of nominal 90 % intervals; `within_tenth`: the recommended candidate's true probability is at least the
    policy's less 0.10; `near_cheapest`: it costs at most the next candidate above the truly cheapest. A service whose
    truth is a toss-up (a candidate's true probability within 0.02 of the policy) is no tie to lose: excluded, counted.
    """

    services: int
    with_features: int
    coverage: Mapping[str, float]
    within_tenth: float
    worst_probability: float
    near_cheapest: float
    ties: int
    unanswered: int


def make_service(rng: np.random.Generator, featured: bool) -> Service:
    """Draw a service; half of them have hyper-threads, garbage collection or deployments, or several of these."""
    feature = set(rng.choice(["threads", "gc", "deploy"], size=rng.integers(1, 4), replace=False)) if featured else set()
    demand = np.exp(rng.uniform(np.log(0.001), np.log(0.03))) * np.array([1.0, rng.uniform(1.0, 4.0)])
    weights = np.array([0.75, 0.25])
    highest = rng.uniform(0.15, 1.0) / float(demand @ weights)
    # A load of over a few hundred a second is another kind of service, and no slower to make.
    highest = min(highest, 60.0)
    likely = highest * np.exp(rng.uniform(np.log(0.5), np.log(3.0)))
    spread = rng.uniform(0.0, 0.3)
    return Service(
        demand_s=demand,
        weights=weights,
        scv=rng.uniform(0.25, 1.5),
        background_cores=rng.uniform(0.005, 0.08),
        memory_bytes=np.exp(rng.uniform(np.log(120), np.log(2500))) * MIB,
        wait_median_s=rng.uniform(0.002, 0.06),
        wait_sigma=rng.uniform(0.2, 0.8),
        gc_share=rng.uniform(0.05, 0.25) if "gc" in feature else 0.0,
        gain=rng.uniform(0.2, 0.4),
        deploys="deploy" in feature,
        present="t3.medium" if "threads" in feature else "t2.medium",
        rates=tuple(highest * np.array([0.25, 0.5, 0.75, 1.0])),
        peak_per_s=(likely * (1 - spread), likely, likely * (1 + spread)),
    )


def processor_sharing(arrive_s: np.ndarray, cpu_s: np.ndarray, gain: float | None) -> tuple[np.ndarray, np.ndarray]:
    """When each job is done on two vCPUs shared evenly, and the CPU seconds that the kernel counts for it.

    `gain`: what the second hyper-thread adds (None: two cores). Two threads of a core that are both busy take longer for
    the same work, and the kernel counts the time, not the work.
    """
    done, counted, inside, clock, virtual, on_cpu = np.empty(len(arrive_s)), np.zeros(len(arrive_s)), [], 0.0, 0.0, 0.0
    order = np.argsort(arrive_s)

    def speed(n: int) -> float:
        return 1.0 if n <= 1 else (2.0 if gain is None else 1.0 + gain) / n

    for job in [*order, -1]:
        until = np.inf if job < 0 else arrive_s[job]
        while inside and clock + (inside[0][0] - virtual) / speed(len(inside)) <= until:
            virtual_end, ended = heapq.heappop(inside)
            passed = (virtual_end - virtual) / speed(len(inside) + 1)
            clock += passed
            on_cpu += passed * min(1.0, 2.0 / (len(inside) + 1))
            virtual = virtual_end
            done[ended] = clock
            counted[ended] += on_cpu
        if job >= 0:
            virtual += (until - clock) * speed(len(inside)) if inside else 0.0
            on_cpu += (until - clock) * min(1.0, 2.0 / len(inside)) if inside else 0.0
            clock = until
            counted[job] -= on_cpu
            heapq.heappush(inside, (virtual + cpu_s[job], job))
    return done, counted


@dataclass(frozen=True)
class Trace:
    """Requests of one step: when each came, of which name, when its CPU began and ended, and the CPU seconds it was charged."""

    arrive_s: np.ndarray
    name: np.ndarray
    begin_s: np.ndarray
    done_s: np.ndarray
    charged_s: np.ndarray


def trace(service: Service, rate: float, seconds: float, rng: np.random.Generator) -> Trace:
    """Serve `rate` requests a second for a while."""
    count = rng.poisson(rate * seconds)
    arrive = np.sort(rng.uniform(0, seconds, count))
    name = rng.choice(2, count, p=service.weights)
    own = service.demand_s[name] * (1 - service.gc_share)
    cpu = own * rng.gamma(1 / service.scv, service.scv, count)
    begin = arrive + service.wait_median_s * np.exp(service.wait_sigma * rng.normal(size=count))
    gain = service.gain if service.present.startswith("t3") else None
    collected = _collections(service, name, rng)
    done, counted = processor_sharing(begin, cpu + collected, gain)
    return Trace(arrive, name, begin, done, counted)


def _collections(service: Service, name: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Garbage collected by the request that fills the young generation: one in twenty pays for all."""
    owed = service.demand_s[name] * service.gc_share * 20
    return np.where(rng.uniform(size=len(name)) < 1 / 20, owed, 0.0)


def bins(service: Service, steps: list[Trace], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arrivals by name and CPU seconds in bins of two seconds, and each bin's step."""
    edges = np.arange(0, STEP_S + BIN_S, BIN_S, dtype=float)
    counts, cpu = [], []
    for step in steps:
        served = _shares(edges, step.arrive_s, step.done_s)
        counts.append(np.stack([served[:, step.name == k].sum(axis=1) for k in range(2)], axis=1))
        work = (_shares(edges, step.begin_s, step.done_s) * step.charged_s).sum(axis=1)
        idle = service.background_cores * BIN_S * rng.gamma(20, 1 / 20, len(work))
        cpu.append(work + idle)
    return np.concatenate(counts), np.concatenate(cpu), np.repeat(np.arange(len(steps)), len(edges) - 1)


def _shares(edges: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    done = np.clip((edges[:, None] - start[None, :]) / np.maximum(end - start, 1e-9)[None, :], 0, 1)
    return np.diff(done, axis=0)


def held_bytes(service: Service, seconds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What one copy holds some seconds after its start: it levels off, and sways."""
    level = service.memory_bytes * (1 - 0.2 * np.exp(-seconds / 60.0))
    sway = np.zeros(len(seconds))
    for k in range(1, len(seconds)):
        sway[k] = 0.8 * sway[k - 1] + rng.normal(0, 0.008)
    return level * (1 + sway)


def observe(service: Service, rng: np.random.Generator) -> Evidence:
    """What a run of the service would show."""
    steps = [trace(service, rate, STEP_S, rng) for rate in service.rates]
    counts, cpu, blocks = bins(service, steps, rng)
    inside = [s.done_s < STEP_S for s in steps]
    total = len(steps) * STEP_S
    windows = [
        Window(f"step-{k}", START + timedelta(seconds=k * STEP_S), START + timedelta(seconds=(k + 1) * STEP_S), "steady", r, r, True, "")
        for k, r in enumerate(service.rates)
    ]
    requests = sum(len(s.name) for s in steps)
    return Evidence(
        host_class="api",
        windows=windows,
        names=["GET /boards", "POST /boards"],
        counts=counts,
        cpu_s=cpu,
        seconds=np.full(len(cpu), float(BIN_S)),
        blocks=blocks,
        memory=_memory(service, total, rng),
        latency_s=np.concatenate([(s.done_s - s.arrive_s)[i] for s, i in zip(steps, inside, strict=True)]),
        latency_load=np.concatenate([np.full(i.sum(), r) for i, r in zip(inside, service.rates, strict=True)]),
        arrivals_per_external=np.array([np.concatenate([s.name == k for s in steps]).mean() for k in range(2)]),
        errors=0,
        requests=requests,
        highest_external_per_s=service.rates[-1],
        bytes_per_request=2000.0,
        hosts=1,
        vcpus=2,
        source="agent",
        deployments=int(service.deploys),
        excluded_ratio=0.0,
        quality=(),
        warnings=(),
        runs=["made"],
        synthetic=False,
    )


def _memory(service: Service, total: int, rng: np.random.Generator) -> pl.DataFrame:
    """One sample each two seconds; a deployment in the second half brings a new copy."""
    at = np.arange(0, total, 2)
    swap = int(total * 0.55)
    copies = [("blue", at[at < swap + 20], 0), ("green", at[at >= swap], swap)] if service.deploys else [("blue", at, 0)]
    rows = [
        {"at": START + timedelta(seconds=int(t)), "group": "api", "color": color, "bytes": int(size), "basis": "pss",
         "kind": "deploy" if service.deploys and swap <= t < swap + 20 else "steady"}
        for color, times, start in copies
        for t, size in zip(times, held_bytes(service, times - start + 0.0, rng), strict=True)
    ]  # fmt: skip
    empty = {f"jvm_{name}_bytes": pl.lit(None, pl.Int64) for name in ("used", "live", "committed", "max", "metaspace")}
    return pl.DataFrame(rows).with_columns(**empty)


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
    )


def _cpus(service: Service) -> Cpus:
    """What a service of these was measured on: two vCPUs, of one core where they are threads."""
    return Cpus(2, 2, sum(SECOND_THREAD) / 2) if service.present.startswith("t3") else Cpus(2)


def _response(service: Service, rng: np.random.Generator) -> Response:
    """What a request's time is made of, exactly."""
    name = rng.choice(2, REQUESTS, p=service.weights)
    own = service.demand_s[name] * (1 - service.gc_share) * rng.gamma(1 / service.scv, service.scv, REQUESTS)
    cpu = own + _collections(service, name, rng)
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
    told = Table(model.response, cpus, 0.95).at(ratio, mean / model.response.demand_s)
    later = float(held_bytes(service, np.full(40, 1e4), rng)[-1])
    told = {
        "demand": (mean, service.mean_demand_s),
        "background": (model.background_cores_draws, service.background_cores),
        "memory": (model.memory[0].bytes_draws, later),
        "response": (told * model.response_ratio_draws[0.95], truth_p95),
    }
    return {name: bool(np.quantile(draws, 0.05) <= truth <= np.quantile(draws, 0.95)) for name, (draws, truth) in told.items()}


def _judged(service: Service, model: HostModel, catalogue: Catalogue, seed: int) -> list[Verdict]:
    traffic = forecast(service.peak_per_s, mean_per_s=None, growth_ratio_per_year=None, n=WORLDS, rng=np.random.default_rng(seed))
    asked = [c for c in candidates(catalogue) if c.instance.arch == "x86_64"]
    world = scenarios(
        model, traffic, asked, catalogue, catalogue.types[service.present], [(0.95, LIMIT_S)], 0.02, "blue_green", False, seed
    )
    return judge(world, confidence=CONFIDENCE)


def score_services(count: int, seed: int) -> Score:
    """Make `count` services, fit and answer each, and compare with the truth."""
    catalogue = load_catalogue("ap-northeast-2")
    hits: list[dict[str, bool]] = []
    chances, near = [], []
    ties = unanswered = 0
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        service = make_service(rng, featured=k % 2 == 1)
        evidence = observe(service, rng)
        present = catalogue.types[service.present]
        threads = present.threads_per_core
        model = fit(evidence, n=WORLDS, seed=k, measured_family=present.family, measured_arch=present.arch, threads_per_core=threads)
        assert model is not None
        hits.append(covered(service, evidence, model, rng))
        found = decide("api", "blue_green", _judged(service, model, catalogue, k), None).recommended
        truth = _judged(service, true_model(service, model, rng), catalogue, k)
        best = decide("api", "blue_green", truth, None).recommended
        if found is None or best is None:
            unanswered += (found is None) != (best is None)
            continue
        probability = {v.candidate.key: v.probability or 0.0 for v in truth}
        chances.append(probability[found.candidate.key])
        if any(abs(p - CONFIDENCE) < 0.02 for p in probability.values()):
            ties += 1
            continue
        costs = sorted({v.monthly_usd for v in truth if v.fits and v.monthly_usd is not None})
        spent = next(v.monthly_usd for v in truth if v.candidate.key == found.candidate.key)
        near.append(spent is not None and spent <= costs[min(1, len(costs) - 1)])
    shares = {name: round(float(np.mean([h[name] for h in hits])), 3) for name in hits[0]}
    least = CONFIDENCE - 0.10
    return Score(
        services=count,
        with_features=count // 2,
        coverage=shares,
        within_tenth=round(float(np.mean([c >= least for c in chances])), 3),
        worst_probability=round(float(min(chances)), 3),
        near_cheapest=round(float(np.mean(near)), 3),
        ties=ties,
        unanswered=unanswered,
    )
