"""From evidence to a host model: demand, background, memory and waits of one host class, in sampled worlds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sizing.model.demand import fit_demand
from sizing.model.latency import fit_wait
from sizing.model.memory import memory_parts
from sizing.model.streams import stream
from sizing.model.threads import second_thread_draws, undisturbed_cpu_s
from sizing.types import Evidence, HostModel

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
    if len(evidence.cpu_s) < 3 or evidence.counts.sum() <= 0:
        return None
    name, served = evidence.host_class, evidence.requests - evidence.errors
    # A process tree's host is whatever machine it ran on, whose threads the run doesn't tell.
    threads = 1 if evidence.source == "process_group" else threads_per_core
    second = second_thread_draws(seed, n)
    cpu_s = undisturbed_cpu_s(evidence.cpu_s, evidence.seconds, evidence.vcpus * evidence.hosts, threads, second)
    demand = fit_demand(evidence.counts, cpu_s, evidence.seconds, evidence.names, n=n, rng=stream(seed, name, "demand"))
    index = {member: i for i, member in enumerate(evidence.names)}
    per_external = np.array([sum(evidence.arrivals_per_external[index[m]] for m in group) for group in demand.groups])
    mean_demand = (demand.demand_s_draws * per_external[:, None]).sum(axis=0) / max(per_external.sum(), 1e-12)
    waits = {
        q: fit_wait(
            q,
            evidence.latency_s,
            evidence.latency_load / evidence.hosts,
            mean_demand,
            float(evidence.vcpus),
            stream(seed, name, f"wait{q}"),
        )
        for q in quantiles
    }
    return HostModel(
        host_class=name,
        names=[g[0] for g in demand.groups],
        merged=[list(g[1:]) for g in demand.groups],
        per_external=per_external,
        demand_s_draws=demand.demand_s_draws,
        background_cores_draws=demand.background_cores_draws / evidence.hosts,
        wait_s_draws=waits,
        memory=memory_parts(evidence.memory, source=evidence.source, n=n, rng=stream(seed, name, "memory")),
        error_ratio_draws=stream(seed, name, "errors").beta(evidence.errors + 0.5, served + SERVED_BEFORE, n),
        bytes_per_request=evidence.bytes_per_request,
        hosts=evidence.hosts,
        measured_family=measured_family,
        measured_arch=measured_arch,
    )
