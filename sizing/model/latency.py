"""How long a request takes: the wait that isn't CPU, and the CPU's own queue at the candidate's utilisation."""

from __future__ import annotations

import math

import numpy as np

from sizing.types import F8

SATURATED_S = 1e6
"""What stands for a response time without bound: arrivals exceed what the CPUs can do."""

STRETCHES = 10
# What the stretches of so short a run don't show of it; by benchmarks/model.py.
CALIBRATION = 1.5


def erlang_c(servers: F8, load: F8) -> F8:
    """Return the probability that an arrival waits in M/M/c, shape broadcast (Erlang 1917; Gross & Harris, chapter 2).

    `servers` may lie between whole numbers (two hyper-threads do the work of 1.3): the gamma function stands for the factorial.
    """
    from scipy.special import gammaincc, gammaln

    load = np.minimum(load, 0.999999 * servers)
    # Erlang B by the continuous extension 1/B = e^a a^-c Γ(c+1, a), then C = B / (1 − ρ(1 − B)).
    log_inverse_b = (
        load - servers * np.log(np.maximum(load, 1e-300)) + gammaln(servers + 1) + np.log(np.maximum(gammaincc(servers + 1, load), 1e-300))
    )
    b = np.exp(-np.maximum(log_inverse_b, 0.0))
    ratio = load / servers
    waits: F8 = np.clip(b / (1 - ratio * (1 - b)), 0.0, 1.0)
    return waits


def response_quantile_s(quantile: float, service_s: F8, load: F8, servers: F8) -> F8:
    """Return a quantile of the CPU's response time where service is near exponential, shape broadcast.

    In M/M/c first-come-first-served and in M/M/c processor sharing the mean is S + C·S/(c(1−ρ)); the tail is taken as
    exponential about that mean, which is exact for M/M/1 and errs high for steadier service.
    Source: Kleinrock, Queueing Systems I, section 3.5, and II, section 4.4.
    """
    ratio = load / servers
    stable = ratio < 0.999
    safe = np.where(stable, ratio, 0.5)
    mean = service_s * (1.0 + erlang_c(servers, safe * servers) / (servers * (1.0 - safe)))
    response: F8 = np.where(stable, mean * -math.log(1.0 - quantile), SATURATED_S)
    return response


def fit_wait(quantile: float, latency_s: F8, latency_load: F8, demand_s_draws: F8, servers: float, rng: np.random.Generator) -> F8:
    """Return what of the measured quantile the CPU's queue doesn't explain, shape (S,); never below 0.

    The run's response times are resampled a world at a time; the CPU's part at the run's own load is taken off.
    """
    worlds = demand_s_draws.shape[-1]
    if len(latency_s) == 0:
        return np.zeros(worlds)
    measured = _resampled_quantile(latency_s, latency_load, quantile, worlds, rng)
    load = float(latency_load.mean()) * demand_s_draws
    explained = response_quantile_s(quantile, demand_s_draws, load, np.full(worlds, servers))
    wait: F8 = np.maximum(measured - np.where(explained < SATURATED_S, explained, 0.0), 0.0)
    return wait


def _resampled_quantile(values: F8, loads: F8, quantile: float, worlds: int, rng: np.random.Generator) -> F8:
    """Draw the sampling distribution of an order statistic by its binomial rank, which needs no resampling of the values."""
    ordered = np.sort(values)
    # Neighbours in a queue are slow together: a thousand requests say as much as fewer apart from each other would.
    apart = max(int(len(ordered) / _clumping(values, loads, quantile)), 2)
    shares = rng.binomial(apart, quantile, worlds) / apart
    drawn: F8 = ordered[np.clip((shares * len(ordered)).astype(int), 0, len(ordered) - 1)]
    return drawn


def _clumping(values: F8, loads: F8, quantile: float) -> float:
    """How much more the share of slow requests varies between stretches of a step than it would were each by itself; at least 1."""
    found = []
    for load in np.unique(loads):
        step = values[loads == load]
        size = len(step) // STRETCHES
        if size >= 10:
            slow = (step > np.quantile(step, quantile))[: size * STRETCHES].reshape(STRETCHES, size).mean(axis=1)
            found.append(float(slow.var(ddof=1)) * size / (quantile * (1 - quantile)))
    return CALIBRATION * max(float(np.mean(found)) if found else 1.0, 1.0)
