"""How much requests differ in CPU is read off the bins, and a response time is split by it."""

from __future__ import annotations

import numpy as np
import pytest

from sizing.model.latency import Response, Table, read_response
from sizing.model.sharing import Cpus, share
from sizing.model.simulate import poisson_arrivals_s, processor_sharing_s
from sizing.model.threads import undisturbed_cpu_s
from sizing.model.variation import LEAST_BINS, variation_draws

REQUESTS = 40_000


def bins(rng, cv, count=400, demand_s=0.02, noise_s=0.01):
    """Bins of two seconds at four rates, each request's CPU gamma, and noise that no request brings."""
    requests = rng.poisson(np.repeat([10.0, 20.0, 30.0, 40.0], count // 4)).astype(float)
    cpu_s = np.array([rng.gamma(1 / cv**2, cv**2 * demand_s, int(n)).sum() for n in requests])
    return requests, cpu_s + rng.normal(0.05, noise_s, count), np.full(count, 2.0)


@pytest.mark.parametrize("cv", [0.5, 1.0, 1.6])
def test_variation_is_what_the_bins_swing_by(cv):
    rng = np.random.default_rng(3)
    held = [np.quantile(variation_draws(*bins(rng, cv), 256, rng), [0.05, 0.5, 0.95]) for _ in range(20)]

    lo, mid, hi = np.array(held).T
    assert np.median(mid) == pytest.approx(cv, rel=0.1)
    assert ((lo <= cv) & (cv <= hi)).sum() >= 12


def test_a_few_bins_tell_no_variation():
    rng = np.random.default_rng(0)
    requests, cpu_s, seconds = bins(rng, 1.0, count=LEAST_BINS - 4)

    assert variation_draws(requests, cpu_s, seconds, 16, rng) is None


@pytest.mark.parametrize("cv", [0.6, 1.2])
def test_waits_that_hardly_differ_hide_no_cpu_that_does(cv):
    """Waits of 20 ms, steady to a third, before CPU of 35: split alike, the p95 of one busier CPU is told too low."""
    rng, demand_s = np.random.default_rng(1), 0.035
    sizes = rng.gamma(1 / cv**2, cv**2, REQUESTS)
    waits_s = 0.02 * np.exp(0.35 * rng.normal(size=REQUESTS))
    truth = Response("processor_sharing", sizes, waits_s, rng.uniform(size=REQUESTS), demand_s)
    at = np.array([0.7]), np.ones(1)

    light = truth.times_s(Cpus(2), np.array([0.05]))[0]
    told, alike = (read_response(light, demand_s, 0.05, Cpus(2), "processor_sharing", None, v) for v in (cv, None))

    exact = Table(truth, Cpus(1), 0.95).at(*at)
    assert Table(told, Cpus(1), 0.95).at(*at) == pytest.approx(exact, rel=0.06)
    assert Table(alike, Cpus(1), 0.95).at(*at) < 0.95 * exact
    assert (told.waits_s >= 0).all()
    assert np.quantile(told.waits_s + told.sizes * demand_s, 0.95) == pytest.approx(np.quantile(light, 0.95), rel=0.03)


@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("gain", [0.2, 0.4])
def test_cpu_counted_on_two_threads_of_a_core_is_brought_back_to_its_work(ratio, gain):
    """Requests are simulated; the kernel counts a thread as busy whether its sibling is or not."""
    rng, cpus = np.random.default_rng(2), Cpus(2, 2, gain)
    arrive_s = poisson_arrivals_s(np.array([ratio * cpus.capacity]), REQUESTS, rng)
    work_s = rng.exponential(1.0, (1, REQUESTS))
    leave_s = arrive_s + processor_sharing_s(arrive_s, work_s, cpus)
    at = np.concatenate([arrive_s[0], leave_s[0]])
    order = np.argsort(at)
    present = np.cumsum(np.repeat([1, -1], REQUESTS)[order])[:-1]
    counted_s = float((np.minimum(present, 2) * np.diff(at[order])).sum())

    back_s = undisturbed_cpu_s(np.array([counted_s]), np.array([leave_s.max()]), 2, 2, np.array([gain]))[0, 0]

    assert counted_s > 1.02 * work_s.sum()
    assert back_s == pytest.approx(work_s.sum(), rel=0.02)


def test_bins_of_one_load_are_corrected_by_its_tangent():
    """Swings about a steady load: their mean is brought back as the load is, not below it."""
    cpu_s = np.array([0.2, 0.6, 0.4, 0.4])

    together = undisturbed_cpu_s(cpu_s, np.ones(4), 2, 2, np.array([0.3]), np.zeros(4, dtype=int))
    mean = undisturbed_cpu_s(cpu_s.mean(keepdims=True), np.ones(1), 2, 2, np.array([0.3]))

    assert together.mean() == pytest.approx(mean.item())


def test_a_table_works_out_what_is_asked_of_it():
    response = read_response(np.random.default_rng(0).exponential(0.03, 2000), 0.02, 0.1, Cpus(2), "processor_sharing", None)
    ratio, scale = np.array([0.31, 0.33]), np.array([1.0, 1.1])

    few, all_over = Table(response, Cpus(2), 0.95), Table(response, Cpus(2), 0.95)
    all_over.at(np.linspace(0, 0.98, 50), np.geomspace(0.1, 100, 50))

    assert few.at(ratio, scale).tolist() == all_over.at(ratio, scale).tolist()
    assert share(Cpus(2), np.array([0.3])).stretch > 1
