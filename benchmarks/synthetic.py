"""Made services of known demand, memory and waits, seeded: what a run of each would show.

They are made by another road than the model goes: requests one at a time, served by processor sharing, their CPU spent
after the wait on others, garbage collected in bursts, hyper-threads slowing each other, memory that levels off.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from sizing.types import Evidence, Window

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
    # Lists, as a number out of an array costs several times what one out of a list does.
    comes, work, both = arrive_s.tolist(), cpu_s.tolist(), 2.0 if gain is None else 1.0 + gain
    done, counted = [0.0] * len(comes), [0.0] * len(comes)
    inside: list[tuple[float, int]] = []
    clock = virtual = on_cpu = 0.0
    for job in [*np.argsort(arrive_s).tolist(), -1]:
        until = np.inf if job < 0 else comes[job]
        while inside:
            speed, busy = (1.0, 1.0) if len(inside) == 1 else (both / len(inside), 2.0 / len(inside))
            passed = (inside[0][0] - virtual) / speed
            if clock + passed > until:
                passed = until - clock
                virtual, on_cpu = virtual + passed * speed, on_cpu + passed * busy
                break
            virtual, ended = heapq.heappop(inside)
            clock, on_cpu = clock + passed, on_cpu + passed * busy
            done[ended] = clock
            counted[ended] += on_cpu
        if job >= 0:
            clock = until
            counted[job] -= on_cpu
            heapq.heappush(inside, (virtual + work[job], job))
    return np.array(done), np.array(counted)


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
    collected = collections(service, name, rng)
    done, counted = processor_sharing(begin, cpu + collected, gain)
    return Trace(arrive, name, begin, done, counted)


def collections(service: Service, name: np.ndarray, rng: np.random.Generator) -> np.ndarray:
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
    return sways(service.memory_bytes * (1 - 0.2 * np.exp(-seconds / 60.0)), 0.008, rng)


def sways(level: np.ndarray, step: float, rng: np.random.Generator) -> np.ndarray:
    """A level that sways by a share of itself, four fifths of it from one sample to the next."""
    sway = [0.0]
    for push in rng.normal(0, step, len(level) - 1).tolist():
        sway.append(0.8 * sway[-1] + push)
    return level * (1 + np.array(sway))


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
