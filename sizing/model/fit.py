"""From evidence to a host model: demand, background, memory and latency of one host class, in sampled worlds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sizing.model.bend import Bend, fit_bend
from sizing.model.demand import LEAST_BINS, DemandFit, bound_by_response, fit_best, fit_groups, solve
from sizing.model.latency_fit import fit_latency
from sizing.model.memory import memory_parts
from sizing.model.sharing import Cpus
from sizing.model.streams import stream
from sizing.model.threads import SECOND_THREAD, second_thread_draws, undisturbed_cpu_s
from sizing.model.variation import variation_draws
from sizing.types import F8, Evidence, HostModel, MemoryPart

WORLDS = 1024
# The prior of the error ratio: a service that is up has served before, here a hundred requests. Without it, no error in
# 150 requests still reads as 1.3 % at 95 %, and a short run would let no type fit.
SERVED_BEFORE = 100.0


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
    seen = evidence.counts.sum() > 0 if len(evidence.cpu_s) else evidence.mean_response_s is not None
    if not evidence.requests or not evidence.names or not seen:
        return None
    name, served = evidence.host_class, evidence.requests - evidence.errors
    # A process tree's host is whatever machine it ran on, whose threads the run doesn't tell.
    threads = 1 if evidence.source == "process_group" else threads_per_core
    demand, per_external, bend = _demand(evidence, threads, n, seed)
    counted = demand if threads < 2 or not len(evidence.cpu_s) else fit_groups(
        demand, evidence.counts, evidence.cpu_s, evidence.seconds, evidence.names, rng=stream(seed, name, "counted")
    )
    background = demand.background_cores_draws / evidence.hosts
    cpus = Cpus(evidence.vcpus, threads, sum(SECOND_THREAD) / 2)
    variation = _variation(evidence, threads, n, seed)
    latency = fit_latency(evidence, _mean(demand.demand_s_draws, per_external), background, bend, variation, cpus, quantiles, seed)
    memory = memory_parts(evidence.memory, source=evidence.source, n=n, rng=stream(seed, name, "memory"))
    return HostModel(
        host_class=name,
        names=[g[0] for g in demand.groups],
        merged=[list(g[1:]) for g in demand.groups],
        per_external=per_external,
        demand_s_draws=demand.demand_s_draws,
        background_cores_draws=background,
        response_ratio_draws=latency.ratio_draws,
        memory=memory if evidence.memory.height else [_unmeasured(n)],
        error_ratio_draws=stream(seed, name, "errors").beta(evidence.errors + 0.5, served + SERVED_BEFORE, n),
        bytes_per_request=evidence.bytes_per_request,
        hosts=evidence.hosts,
        measured_family=measured_family,
        measured_arch=measured_arch,
        response=latency.response,
        varied=latency.varied,
        choice=latency.choice,
        scaling=latency.scaling,
        bend=bend,
        counted=counted,
    )


def _demand(evidence: Evidence, threads_per_core: int, n: int, seed: int) -> tuple[DemandFit, F8, Bend | None]:
    """Fit demand by name, what arrives of each for one request from outside, and how it changes with the rate."""
    if evidence.mean_response_s is not None and not len(evidence.cpu_s):
        bound = bound_by_response(evidence.mean_response_s, evidence.names, n=n, rng=stream(seed, evidence.host_class, "demand"))
        return bound, np.array([evidence.arrivals_per_external.sum()]), None
    name, cpu_s = evidence.host_class, _undisturbed_cpu_s(evidence, threads_per_core, n, seed)
    straight = fit_best(evidence.counts, cpu_s, evidence.seconds, evidence.names, n=n, rng=stream(seed, name, "demand"))
    index = {member: i for i, member in enumerate(evidence.names)}
    per_external = np.array([sum(evidence.arrivals_per_external[index[m]] for m in group) for group in straight.groups])
    requests = evidence.counts.sum(axis=1)
    bend = fit_bend(requests, cpu_s.mean(axis=1), evidence.seconds, evidence.blocks, n=n, rng=stream(seed, name, "bend"))
    if bend is None:
        return straight, per_external, None
    # The straight line's slope is what one request more costs; the mix costs what the bent one says it does.
    scale = bend.demand_s_draws / np.maximum(_mean(straight.demand_s_draws, per_external), 1e-12)
    bent = replace(straight, demand_s_draws=straight.demand_s_draws * scale, background_cores_draws=bend.background_cores_draws)
    return bent, per_external, bend


def _variation(evidence: Evidence, threads_per_core: int, n: int, seed: int) -> F8 | None:
    if not len(evidence.cpu_s):
        return None
    cpu_s = _undisturbed_cpu_s(evidence, threads_per_core, n, seed).mean(axis=1)
    return variation_draws(evidence.counts.sum(axis=1), cpu_s, evidence.seconds, n, stream(seed, evidence.host_class, "variation"))


def _undisturbed_cpu_s(evidence: Evidence, threads_per_core: int, n: int, seed: int) -> F8:
    """CPU seconds of the class's hosts, shape (bins, n), each host with its own threads.

    What runs without requests is taken to run beside them, never on their sibling thread: where it does, demand is told up
    to a thirtieth too high.
    """
    second, seconds = second_thread_draws(seed, n, "measured"), evidence.seconds

    def alone(cpu_s: F8) -> F8:
        return undisturbed_cpu_s(cpu_s, seconds, evidence.vcpus, threads_per_core, second, evidence.blocks)

    cpu_s = evidence.cpu_s / evidence.hosts
    beside_s = np.zeros(len(cpu_s))
    if threads_per_core > 1 and len(cpu_s) >= LEAST_BINS:
        requests = evidence.counts.sum(axis=1)
        idle, _ = solve(np.column_stack([seconds, requests]), alone(cpu_s).mean(axis=1), 1.0 / np.sqrt(np.maximum(requests, 1.0)))
        beside_s = np.minimum(idle * seconds, cpu_s)
    return np.asarray((alone(cpu_s - beside_s) + beside_s[:, None]) * evidence.hosts)


def _mean(demand_s_draws: F8, per_external: F8) -> F8:
    found: F8 = (demand_s_draws * per_external[:, None]).sum(axis=0) / max(float(per_external.sum()), 1e-12)
    return found


def _unmeasured(n: int) -> MemoryPart:
    return MemoryPart("unmeasured", np.full(n, np.nan), "assumed", "no process was read", False)
