"""Arrival times of the open model: repeatable, independent, and a Poisson process where they say so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.arrivals import constant_times, endless_times, phase_of, plan_times, poisson_times, stream
from loadtests.plan import Step

rates = st.floats(0.1, 200)
spans = st.floats(0.5, 60)
seeds = st.integers(0, 2**31)
kinds = st.sampled_from(["poisson", "constant"])


def test_the_same_seed_gives_the_same_arrivals_and_another_worker_others():
    """A run can be replayed from its seed; workers' streams are independent (numpy SeedSequence spawn keys)."""
    first, again, other = (poisson_times(20, 10, stream(7, worker, 0)) for worker in (0, 0, 1))

    assert np.array_equal(first, again)
    assert not np.array_equal(first[:10], other[:10])


def test_poisson_counts_have_their_mean_for_a_variance():
    """Poisson: mean = variance = rate × time; 2,000 counts of mean 20 put the ratio within 1 ± 0.13 at 4 sigma."""
    counts = np.array([poisson_times(20, 1, stream(seed, 0, 0)).size for seed in range(2_000)])

    assert counts.mean() == pytest.approx(20, abs=4 * np.sqrt(20 / 2_000))
    assert counts.var() / counts.mean() == pytest.approx(1, abs=0.13)


def test_poisson_gaps_are_exponential_in_the_endless_form_too():
    """An exponential gap exceeds its mean with probability 1/e; 20,000 gaps, 4 sigma."""
    times = endless_times(50, "poisson", stream(3, 0, 0), 0.0)
    gaps = np.diff([next(times) for _ in range(20_001)])

    assert gaps.mean() == pytest.approx(1 / 50, rel=4 / np.sqrt(20_000))
    assert (gaps > 1 / 50).mean() == pytest.approx(np.exp(-1), abs=4 * np.sqrt(0.233 / 20_000))


@given(rate=rates, seconds=spans, phase=st.floats(0, 0.999))
def test_constant_arrivals_are_as_many_as_the_rate_says(rate: float, seconds: float, phase: float):
    """One a gap, wherever in its gap the stream starts."""
    times = constant_times(rate, seconds, phase)

    assert abs(times.size - rate * seconds) <= 1
    assert np.allclose(np.diff(times), 1 / rate)


@given(first=rates, second=rates, seconds=spans, seed=seeds, kind=kinds)
def test_a_plans_arrivals_ascend_and_stay_in_their_steps(first: float, second: float, seconds: float, seed: int, kind: str):
    """Each arrival lies in the span of the step that it belongs to."""
    steps = [Step("a", first, seconds), Step("b", second, 2 * seconds)]

    times, indices = plan_times(steps, kind, 1.0, stream(seed, 0, 0))

    assert np.all(np.diff(times) >= 0)
    assert np.array_equal(indices, (times >= seconds).astype(int))
    assert times.size == 0 or 0 <= times[0] <= times[-1] <= 3 * seconds


@given(seed=seeds, workers=st.integers(2, 6))
def test_workers_together_offer_the_plans_rate(seed: int, workers: int):
    """Shares of 1 / workers sum to the rate: 3,000 Poisson arrivals, 6 sigma."""
    total = sum(plan_times([Step("a", 100, 30)], "poisson", 1 / workers, stream(seed, w, 0))[0].size for w in range(workers))

    assert total == pytest.approx(3_000, abs=6 * np.sqrt(3_000))


def test_constant_streams_of_many_users_are_spread_over_the_gap():
    """The golden ratio's multiples: 100 users leave no gap over 3 even ones, so 100 × 1/s looks like 100/s."""
    phases = np.sort([phase_of(user) for user in range(100)])

    assert np.diff(phases).max() < 3 / 100
