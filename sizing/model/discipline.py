"""In which order a server computes its requests: what its processes are, and how response times rose over the steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sizing.model.latency import LOADS, STRETCHES, Discipline, Step, read_response
from sizing.model.sharing import Cpus
from sizing.types import F8, Server

# Programs whose requests are computed by one loop a process (their documentation says so).
LOOPS = re.compile(r"\b(node|next|deno|uvicorn|hypercorn|daphne|asyncio|redis)\b", re.IGNORECASE)
FEW_THREADS = 2
"""With so few a process computes one request at a time, whatever runs it."""
POOL_THREADS = 16
"""A pool's: as many threads in one loop would be idle helpers, and no runtime of ours starts as many."""

QUANTILES = (0.5, 0.95)
LEAST_ERROR = 0.05
"""No model is nearer than this; a step of many requests must not speak louder."""
LOGGED_S = 0.0005
"""A load balancer logs whole milliseconds: what it rounds off is no rise."""
DECISIVE = 9.0
"""Twice the log of the likelihoods' ratio; by chance it passes this once in some hundred runs."""

Source = Literal["rise", "processes", "assumed"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A discipline, what decided it, and why in words; `loops` as in `Response`."""

    discipline: Discipline
    loops: int | None
    decided_by: Source
    why: str


def by_processes(server: Server | None) -> Choice | None:
    """What the processes are: a JVM or a pool of threads shares the CPUs, a loop serves in turn; None where it isn't told."""
    if server is None:
        return None
    many = f"{server.processes} process{'es' if server.processes > 1 else ''}"
    if server.jvm:
        return Choice("processor_sharing", None, "processes", f"{server.group} is a JVM, whose threads share the CPUs")
    if LOOPS.search(server.group):
        return Choice("first_come_first_served", server.processes, "processes", f"{server.group} computes in one loop, {many}")
    if server.threads <= FEW_THREADS:
        why = f"{server.group} has {server.threads:g} threads a process, so each computes one request at a time, {many}"
        return Choice("first_come_first_served", server.processes, "processes", why)
    if server.threads >= POOL_THREADS:
        why = f"{server.group} has {server.threads:g} threads a process, which share the CPUs"
        return Choice("processor_sharing", None, "processes", why)
    return None


def by_rise(
    steps: Sequence[Step], demand_s: float, background: float, cpus: Cpus, loops: int | None, variation: float | None = None
) -> Choice | None:
    """How median, p95 and mean rose over the steps against what either order would do; None where both fit as well."""
    seen = [_marks(step.latency_s) for step in steps]
    errors = {
        order: _misfit(seen, steps, demand_s, background, cpus, order, loops if order == "first_come_first_served" else None, variation)
        for order in ("processor_sharing", "first_come_first_served")
    }
    shared, served = errors["processor_sharing"], errors["first_come_first_served"]
    if abs(shared - served) < DECISIVE:
        return None
    why = f"over the steps response times rose as {{}} has it (misfit {min(shared, served):.0f} against {max(shared, served):.0f})"
    if shared < served:
        return Choice("processor_sharing", None, "rise", why.format("sharing"))
    return Choice("first_come_first_served", loops, "rise", why.format("serving in turn"))


def choose(
    server: Server | None, steps: Sequence[Step], demand_s: float, background: float, cpus: Cpus, variation: float | None = None
) -> Choice:
    """Take what the rise decides, else what the processes are, else processor sharing, the kernel scheduler's own way.

    `variation` is that of a request's CPU; None where nothing tells it.
    """
    told = by_processes(server)
    # Serving in turn, a process of few threads is one loop; another program computes on all CPUs at once.
    loops = told.loops if told is not None and told.loops else server.processes if server and server.threads < POOL_THREADS else cpus.vcpus
    rise = by_rise(steps, demand_s, background, cpus, loops, variation) if len(steps) > 1 else None
    if rise is not None and (told is None or told.discipline != rise.discipline):
        return rise
    if told is not None:
        return told if rise is None else Choice(told.discipline, told.loops, "rise", f"{told.why}; {rise.why}")
    return Choice("processor_sharing", None, "assumed", "neither the processes nor the steps tell; the kernel's scheduler shares the CPUs")


def _misfit(
    seen: Sequence[tuple[F8, F8]],
    steps: Sequence[Step],
    demand_s: float,
    background: float,
    cpus: Cpus,
    order: Discipline,
    loops: int | None,
    variation: float | None,
) -> float:
    """Sum of squared errors of log response over the heavier steps, in their own standard errors; `seen` are the steps' marks."""
    plain = read_response(steps[0].latency_s, demand_s, 0.0, cpus, order, loops)
    ratio = np.array([(s.rate_per_s * demand_s + background) / plain.capacity(cpus) for s in steps]).clip(0.0, LOADS[-1])
    split = read_response(steps[0].latency_s, demand_s, float(ratio[0]), cpus, order, loops, variation)
    told = [_middle(times_s) for times_s in split.times_s(cpus, ratio)]
    return sum(_distance(seen[k], told[k], seen[0], told[0]) for k in range(1, len(steps)))


def _distance(seen: tuple[F8, F8], told: F8, seen_first: tuple[F8, F8], told_first: F8) -> float:
    """Compare rises, not levels: both relative to the lightest step."""
    rise = np.log(seen[0] / seen_first[0]) - np.log(np.maximum(told, LOGGED_S) / np.maximum(told_first, LOGGED_S))
    error = np.hypot(seen[1], seen_first[1]) + LEAST_ERROR + LOGGED_S / seen_first[0]
    return float(((rise / error) ** 2).sum())


def _marks(times_s: F8) -> tuple[F8, F8]:
    """Median, p95 and mean, and the relative standard error of each from the stretches' differences."""
    parts = np.stack([_middle(part) for part in np.array_split(times_s, STRETCHES)])
    found = np.maximum(_middle(times_s), LOGGED_S)
    return found, parts.std(axis=0, ddof=1) / np.sqrt(STRETCHES) / found


def _middle(times_s: F8) -> F8:
    """Median, p95 and mean, shape (3,)."""
    return np.array([*np.quantile(times_s, QUANTILES), times_s.mean()])
