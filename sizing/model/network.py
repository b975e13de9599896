"""Several stations: utilisation and response of open networks, and of closed ones by mean value analysis.

Source: E. Lazowska et al., Quantitative System Performance, 1984, chapters 3, 6 and 7; P. Denning and J. Buzen, 1978.
A station has `servers` servers; 0 servers is a delay, where nobody waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from sizing.types import F8

DELAY = 0


@dataclass(frozen=True, slots=True)
class Network:
    """Stations in steady state: the last axis of each is the station, one before it (with several classes) the class.

    Attributes
    ----------
    throughput : of the system, requests a second
    utilisation : by station
    response_s : a visit's
    present : how many are at each station
    """

    throughput: F8
    utilisation: F8
    response_s: F8
    present: F8


def utilisation_law(busy_s: float, seconds: float, completed: int) -> tuple[float, float, float]:
    """Return utilisation, throughput and service demand: U = B/T, X = C/T, S = U/X."""
    utilisation, throughput = busy_s / seconds, completed / seconds
    return utilisation, throughput, utilisation / throughput


def little(throughput_per_s: float, response_s: float) -> float:
    """Return how many are present: N = X·R."""
    return throughput_per_s * response_s


def open_network(arrivals_per_s: F8, visits: F8, service_s: F8) -> Network:
    """Solve an open network of single-server stations for one class, shape (K,), or several, shape (classes, K).

    Raises
    ------
    ValueError
        Where a station's utilisation is 1 or above.
    """
    demand = np.asarray(visits, dtype=float) * service_s
    rates = np.asarray(arrivals_per_s, dtype=float)
    used = rates[..., None] * demand
    total = used if demand.ndim == 1 else used.sum(axis=0)
    if (total >= 1).any():
        raise ValueError(f"station {int(np.argmax(total)) + 1} is asked for {total.max():.0%} of what it can do")
    response: F8 = np.asarray(service_s, dtype=float) / (1 - total)
    return Network(rates, used, response, rates[..., None] * visits * response)


def closed_network(population: int, visits: F8, service_s: F8, servers: Sequence[int] | None = None, think_s: float = 0.0) -> Network:
    """Solve a closed network of one class exactly (mean value analysis, Reiser & Lavenberg 1980; several servers: Bolch et al., 8.2.1)."""
    v, s = np.asarray(visits, dtype=float), np.asarray(service_s, dtype=float)
    count = np.asarray(servers if servers is not None else np.ones(len(v)), dtype=int)
    present = np.zeros(len(v))
    # p[k, j]: probability that j are at station k, for j below its servers.
    p = np.zeros((len(v), max(count.max(), 1)))
    p[:, 0] = 1.0
    response, rate = s.copy(), 0.0
    for n in range(1, population + 1):
        response = np.array([_response_s(s[k], int(count[k]), present[k], p[k]) for k in range(len(v))])
        rate = n / (think_s + float(v @ response))
        present = rate * v * response
        for k in np.flatnonzero(count > 1):
            p[k] = _marginal(rate * v[k] * s[k], int(count[k]), p[k])
    used = np.where(count > 0, rate * v * s / np.maximum(count, 1), rate * v * s)
    return Network(np.array(rate), used, response, present)


def _response_s(service_s: float, servers: int, present: float, p: F8) -> float:
    if servers == DELAY:
        return service_s
    idle = sum((servers - 1 - j) * p[j] for j in range(servers - 1))
    return float(service_s / servers * (1 + present + idle))


def _marginal(load: float, servers: int, before: F8) -> F8:
    after = np.zeros_like(before)
    for j in range(1, servers):
        after[j] = load / j * before[j - 1]
    after[0] = 1 - (load + sum((servers - j) * after[j] for j in range(1, servers))) / servers
    return after


def closed_network_classes(populations: Sequence[int], visits: F8, service_s: F8, servers: Sequence[int] | None = None) -> Network:
    """Solve a closed network of several classes exactly; visits and service have shape (classes, K), servers are 0 (delay) or 1."""
    v, s = np.asarray(visits, dtype=float), np.asarray(service_s, dtype=float)
    queues = np.asarray(servers if servers is not None else np.ones(v.shape[1])) != DELAY
    seen: dict[tuple[int, ...], F8] = {tuple(0 for _ in populations): np.zeros(v.shape)}
    rates, response = np.zeros(len(v)), np.zeros_like(v)
    for mix in sorted(product(*(range(n + 1) for n in populations)), key=sum)[1:]:
        response = np.zeros_like(v)
        for c in np.flatnonzero(np.array(mix)):
            less = tuple(n - (i == c) for i, n in enumerate(mix))
            response[c] = s[c] * np.where(queues, 1 + seen[less].sum(axis=0), 1.0)
        held = (v * response).sum(axis=1)
        rates = np.array(mix) / np.where(held > 0, held, 1.0)
        seen[mix] = rates[:, None] * v * response
    return Network(rates, rates[:, None] * v * s, np.where(v > 0, response, 0.0), seen[tuple(populations)])


def closed_network_schweitzer(population: int, visits: F8, service_s: F8, think_s: float = 0.0) -> Network:
    """Solve a closed network of one class approximately, in time that doesn't grow with the population (Schweitzer 1979)."""
    v, s = np.asarray(visits, dtype=float), np.asarray(service_s, dtype=float)
    present = np.full(len(v), population / len(v))
    while True:
        response = s * (1 + present * (population - 1) / population)
        rate = population / (think_s + float(v @ response))
        after = rate * v * response
        if np.abs(after - present).max() < 1e-10 * population:
            return Network(np.array(rate), rate * v * s, response, after)
        present = after
