"""The steps of a recommendation, called one by one as docs/reference/python.md shows them."""

from __future__ import annotations

import numpy as np
import pytest

from evidence import SizeupError
from sizing import candidates, decide, fit, forecast, gather, judge, scenarios, stated_traffic


def test_the_steps_of_recommend_work_from_the_face(seoul, plain_run):
    """Also `decide`, whose room has the same name."""
    model = fit(gather([plain_run], "api"), n=32)
    traffic = stated_traffic((5, 5, 5), mean_per_s=None, growth_ratio_per_year=None, n=32, rng=np.random.default_rng(0))
    asked = candidates(seoul, ("t3.micro", "t3.small"))
    world = scenarios(model, traffic, asked, seoul, seoul.types["t3.small"], [(0.95, 0.5)], 0.05, "blue_green", False, 0)

    found = decide("api", "blue_green", judge(world, confidence=0.9), asked[0])

    assert found.recommended.candidate.type == "t3.micro"


def test_a_forecast_needs_only_counts():
    """Four weeks of hours, 5 a second about which a sine of 4 swings: next week's peak is about 9 a second."""
    hour = np.arange(24 * 28)
    counts = np.random.default_rng(0).poisson(3600 * (5 + 4 * np.sin(2 * np.pi * hour / 24)))

    traffic = forecast(counts.tolist(), n=256, seed=0)

    assert (traffic.source, traffic.history_days) == ("history", 28)
    assert np.median(traffic.peak_draws) == pytest.approx(9, rel=0.15)
    assert traffic.rate_draws.mean() == pytest.approx(5, rel=0.15)


def test_a_day_of_counts_is_no_history():
    with pytest.raises(SizeupError, match="fewer than 2 whole days"):
        forecast([3600.0] * 24, n=8, seed=0)
