"""Growth over a soak is found where it is there, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from made_run import MIB, START

from sizeup.settings import load_settings
from sizing import Question, candidates, fit, gather, judge, recommend, scenarios, stated_traffic
from sizing.model.growth import growth_bytes_per_h
from sizing.model.memory import later_bytes, memory_parts

ASKED = Question(peak_per_s=(5, 5, 5), candidates=("t3.micro", "t3.small", "t3.medium"), classes=("api",), worlds=128)


def soak(rate_mib_h, seed, hours=2.0):
    rng = np.random.default_rng(seed)
    at = np.arange(0, hours * 3600, 10.0)
    sway = np.zeros(len(at))
    for k in range(1, len(at)):
        sway[k] = 0.8 * sway[k - 1] + rng.normal(0, 1.5)
    return at, (300 + rate_mib_h * at / 3600 + sway) * MIB


@pytest.mark.parametrize("rate", [10.0, 20.0])
def test_a_leak_is_found_by_its_rate(rate):
    grown = growth_bytes_per_h(*soak(rate, 1, hours=4.0), 512, np.random.default_rng(0))

    assert np.median(grown) / MIB == pytest.approx(rate, rel=0.3)


def test_a_level_that_sways_grows_in_few_of_many_soaks():
    grown = [growth_bytes_per_h(*soak(0.0, seed), 8, np.random.default_rng(0)).max() > 0 for seed in range(60)]

    assert sum(grown) <= 6


def test_under_an_hour_nothing_is_said_of_growth():
    assert growth_bytes_per_h(*soak(50.0, 1, hours=0.9), 8, np.random.default_rng(0)) is None


@pytest.mark.parametrize(("rate", "fits"), [(0.0, [False, True, True]), (4.0, [False, False, True]), (30.0, [False, False, False])])
def test_a_leak_is_carried_on_for_a_week(seoul, plain_run, rate, fits):
    """A copy of 1,300 MiB that gains 4 an hour holds 1,972 in a week: a t3.medium's, though the hour under load fits a t3.small."""
    seconds, held = soak(rate, 3, hours=3.0)
    samples = made_samples(seconds, held + 1000 * MIB)
    model = fit(gather([plain_run], "api", target_groups={"api": "moco-api"}), n=64)
    parts = memory_parts(samples, source="agent", n=64, rng=np.random.default_rng(0))
    asked = candidates(seoul, ("t3.micro", "t3.small", "t3.medium"))
    traffic = stated_traffic((5, 5, 5), mean_per_s=None, growth_ratio_per_year=None, n=64, rng=np.random.default_rng(0))

    world = scenarios(replace(model, memory=parts), traffic, asked, seoul, seoul.types["t3.small"], [(0.95, 0.5)], 0.05, "none", False, 0)

    found = {v.candidate.type: v.bound("memory_growth").ok for v in judge(world, confidence=0.95)}
    assert [found[name] for name in ("t3.micro", "t3.small", "t3.medium")] == fits


def test_a_short_run_is_not_judged_for_growth(seoul, plain_run):
    found = recommend([plain_run], load_settings(None), seoul, ASKED).hosts[0].recommendation

    assert all(v.bound("memory_growth") is None for v in found.verdicts)


def made_samples(seconds, held):
    at = [START + timedelta(seconds=float(s)) for s in seconds]
    frame = pl.DataFrame({"at": at, "bytes": held.astype(int)})
    return frame.with_columns(group=pl.lit("api"), color=pl.lit("blue"), basis=pl.lit("pss"), kind=pl.lit("steady"))


@pytest.mark.parametrize("together", [0.0, 0.8, 0.95])
def test_a_later_moment_lies_within_what_a_short_look_lets_expect(together):
    """Nine in ten of nominal 90 % intervals hold a sample half an hour later, however much neighbours sway together."""
    rng, held = np.random.default_rng(5), []
    for _ in range(200):
        sway = [0.0]
        for push in rng.normal(0, 1, 900):
            sway.append(together * sway[-1] + push)
        lo, hi = np.quantile(later_bytes(1000 + np.array(sway[100:300]), 256, rng), [0.05, 0.95])
        held.append(lo <= 1000 + sway[-1] <= hi)

    assert 0.82 <= np.mean(held) <= 0.97
