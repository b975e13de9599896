"""Whether the scalability law on a run's steps sets a limit, and how sure that is."""

from __future__ import annotations

import numpy as np
import pytest

from sizing.model.latency import Step
from sizing.model.scaling import read_scaling
from sizing.model.usl import Usl, fit_usl

LAW = Usl(100.0, 0.05, 0.004)


def steps(law: Usl, concurrency, noise: float = 0.01):
    """Open-loop steps of a service that follows the law."""
    rng = np.random.default_rng(1)
    for n in concurrency:
        rate = float(law.throughput(np.array(float(n)))) * rng.normal(1.0, noise)
        yield Step(rate, rng.exponential(n / rate, 4000))


def read(concurrency, demand_s=0.0005, law=LAW):
    return read_scaling(list(steps(law, concurrency)), demand_s, 0.01, 2.0, 256, np.random.default_rng(0))


def test_a_peak_that_was_seen_with_idle_cpus_is_a_limit_that_no_larger_type_lifts():
    found = read((1, 3, 6, 10, 16, 24))

    lo, hi = np.quantile(found.limit_per_s_draws, [0.05, 0.95])
    assert lo * 0.98 <= float(LAW.throughput(np.array(LAW.peak))) <= hi * 1.02
    assert "something else holds it back" in found.why
    assert found.law.interval(0.95)["contention"][0] <= 0.05 <= found.law.interval(0.95)["contention"][1]


def test_a_peak_of_the_cpus_own_is_no_limit_of_the_software():
    found = read((1, 3, 6, 10, 16, 24), demand_s=0.003)

    assert found.limit_per_s_draws is None
    assert "the CPU's own" in found.why


def test_a_peak_past_twice_what_was_measured_limits_nothing_and_is_said():
    found = read((1, 2, 3, 5, 7))

    assert found.limit_per_s_draws is None
    assert found.law.extrapolates(found.law.peak) == ("twice" in found.why)


def test_three_steps_give_no_law():
    assert read((1, 3, 6)) is None


def test_requests_that_never_meet_give_no_law():
    assert read((0.05, 0.1, 0.2, 0.4, 0.8)) is None


def test_throughput_that_only_falls_has_no_peak_beyond_nothing():
    """Two threads slower than one and four slower still, as on an exhausted credit balance."""
    law = fit_usl(np.array([1.0, 2, 4, 8]), np.array([680.0, 540, 400, 210]))

    assert law.contention <= 1
    assert law.peak < 1


@pytest.mark.parametrize(("sigma", "kappa"), [(0.0, 0.0), (0.02, 0.0), (0.1, 0.0005), (0.05, 0.004), (0.4, 0.02)])
def test_intervals_of_the_law_cover_the_truth_nine_times_in_ten(sigma, kappa):
    """Eight points, 2 % noise, 200 seeded repeats: nominal 90 % by Student's t holds at least 85, where a coefficient may be 0 more."""
    law, n = Usl(100.0, sigma, kappa), np.array([1.0, 2, 4, 8, 12, 16, 24, 32])
    exact = law.throughput(n)
    hits = 0
    for seed in range(200):
        # Noise of one size, as least squares has it.
        fitted = fit_usl(n, exact + np.random.default_rng(seed).normal(0.0, 0.02 * exact.mean(), len(n)))
        lo, hi = fitted.interval(0.9)["contention"]
        hits += lo <= sigma <= hi

    assert hits >= 170
