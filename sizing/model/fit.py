"""From evidence to a host model: demand, background, memory and waits of one host class, in sampled worlds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sizing.model.demand import fit_best
from sizing.model.discipline import Choice, choose
from sizing.model.latency import Response, Step, Table, exponential_response, read_response, residual_ratio, steps_of
from sizing.model.memory import memory_parts
from sizing.model.scaling import read_scaling
from sizing.model.sharing import Cpus
from sizing.model.streams import stream
from sizing.model.threads import SECOND_THREAD, second_thread_draws, undisturbed_cpu_s
from sizing.types import F8, Evidence, HostModel, MemoryPart

WORLDS = 1024
# The prior of the error ratio: a service that is up has served before, here a hundred requests. Without it, no error in
# 150 requests still reads as 1.3 % at 95 %, and a short run would let no type fit.
SERVED_BEFORE = 100.0
LEAST_ANSWERS = 50
"""A step of fewer says nothing of a p95."""


def fit(
    evidence: Evidence,
    *,
    n: int = WORLDS,
    seed: int = 0,
    quantiles: Sequence[float] = (0.95,),
    measured_family: str | None = None,
    measured_arch: str | None = None,
    threads_per_core: int = 1,
) -> HostModel | None:
    """Fit what one request costs on the class's hosts, and what they hold.

    Returns None where the run has no valid window, or nothing arrived in it: there is nothing to fit.
    """
    if len(evidence.cpu_s) == 0 or evidence.counts.sum() <= 0:
        return None
    name, served = evidence.host_class, evidence.requests - evidence.errors
    # A process tree's host is whatever machine it ran on, whose threads the run doesn't tell.
    threads = 1 if evidence.source == "process_group" else threads_per_core
    second = second_thread_draws(seed, n)
    cpu_s = undisturbed_cpu_s(evidence.cpu_s, evidence.seconds, evidence.vcpus * evidence.hosts, threads, second)
    demand = fit_best(evidence.counts, cpu_s, evidence.seconds, evidence.names, n=n, rng=stream(seed, name, "demand"))
    index = {member: i for i, member in enumerate(evidence.names)}
    per_external = np.array([sum(evidence.arrivals_per_external[index[m]] for m in group) for group in demand.groups])
    mean_demand = (demand.demand_s_draws * per_external[:, None]).sum(axis=0) / max(float(per_external.sum()), 1e-12)
    background = demand.background_cores_draws / evidence.hosts
    cpus = Cpus(evidence.vcpus, threads, sum(SECOND_THREAD) / 2)
    steps = [s for s in steps_of(evidence.latency_s, evidence.latency_load / evidence.hosts) if len(s.latency_s) >= LEAST_ANSWERS]
    choice, response, over = _response(evidence, steps, mean_demand, background, cpus, quantiles, seed)
    middle, idle = float(np.median(mean_demand)), float(np.median(background))
    scaling = read_scaling(steps, middle, idle, cpus.capacity, n, stream(seed, name, "scaling"))
    memory = memory_parts(evidence.memory, source=evidence.source, n=n, rng=stream(seed, name, "memory"))
    return HostModel(
        host_class=name,
        names=[g[0] for g in demand.groups],
        merged=[list(g[1:]) for g in demand.groups],
        per_external=per_external,
        demand_s_draws=demand.demand_s_draws,
        background_cores_draws=background,
        response_ratio_draws=over,
        memory=memory if evidence.memory.height else [_unmeasured(n)],
        error_ratio_draws=stream(seed, name, "errors").beta(evidence.errors + 0.5, served + SERVED_BEFORE, n),
        bytes_per_request=evidence.bytes_per_request,
        hosts=evidence.hosts,
        measured_family=measured_family,
        measured_arch=measured_arch,
        response=response,
        choice=choice,
        scaling=scaling,
    )


def _response(
    evidence: Evidence, steps: Sequence[Step], demand_s: F8, background: F8, cpus: Cpus, quantiles: Sequence[float], seed: int
) -> tuple[Choice, Response | None, dict[float, F8]]:
    """Choose the discipline, split response times into waits and CPU, and keep what the run's quantiles say beyond that."""
    middle, idle = float(np.median(demand_s)), float(np.median(background))
    choice = choose(evidence.server, steps, middle, idle, cpus)
    rng = stream(seed, evidence.host_class, "wait")
    if steps:
        capacity = cpus.capacity if choice.loops is None else min(choice.loops, cpus.capacity)
        ratio = (steps[0].rate_per_s * middle + idle) / capacity
        response = read_response(steps[0].latency_s, middle, ratio, cpus, choice.discipline, choice.loops)
        return choice, response, {q: residual_ratio(Table(response, cpus, q), steps, demand_s, background, rng) for q in quantiles}
    if evidence.mean_latency_s is None:
        return choice, None, {q: np.full(len(demand_s), np.nan) for q in quantiles}
    response = exponential_response(evidence.mean_latency_s, middle, choice.discipline, choice.loops)
    # A mean says little of a percentile: it lies between the mean itself and twice what an exponential would have.
    return choice, response, {q: rng.triangular(min(-1 / np.log1p(-q), 1.0), 1.0, 2.0, len(demand_s)) for q in quantiles}


def _unmeasured(n: int) -> MemoryPart:
    return MemoryPart("unmeasured", np.full(n, np.nan), "assumed", "no process was read", False)
