"""Traffic from production's own counts: the week to come lies where it will."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from made_run import Truth, made_run

from sizeup.settings import load_settings
from sizing import Question, recommend
from sizing.model.history import DAY_STEPS, History, forecast_history, read_history

START = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday


def made_days(days, rng, growth=0.0):
    """A working-day rhythm, quieter weekends, days that sway by a tenth and five-minute noise."""
    hours = np.arange(DAY_STEPS) * 24 / DAY_STEPS
    shape = 1 + 0.8 * np.cos(2 * np.pi * (hours - 13) / 24)
    weekday = np.arange(days) % 7
    level = np.where(weekday >= 5, 0.6, 1.0) * np.exp(growth * np.arange(days) / 7) * rng.lognormal(0, 0.1, days)
    return 10 * level[:, None] * shape[None, :] * rng.lognormal(0, 0.05, (days, DAY_STEPS)), weekday


@pytest.mark.parametrize("growth", [0.0, 0.02])
def test_the_peak_four_weeks_on_lies_in_the_interval_as_often_as_it_says(growth):
    """Sixty services with six weeks of history; nominal 90 %."""
    inside = 0
    for seed in range(60):
        rates, weekday = made_days(77, np.random.default_rng(seed), growth)
        traffic = forecast_history(History(rates[:42], weekday[:42]), n=256, rng=np.random.default_rng(seed))
        lo, hi = np.quantile(traffic.peak_draws, [0.05, 0.95])
        inside += lo <= rates[63:70].max() <= hi

    assert 0.8 <= inside / 60 <= 1.0


def test_weekends_and_nights_stay_quiet():
    rates, weekday = made_days(42, np.random.default_rng(1))

    traffic = forecast_history(History(rates, weekday), n=128, rng=np.random.default_rng(0))

    week = np.median(traffic.rate_draws, axis=1).reshape(7, DAY_STEPS)

    assert week[5:].mean() == pytest.approx(0.6 * week[:5].mean(), rel=0.1)
    assert week[:, 13 * 12].mean() == pytest.approx(9 * week[:, 1 * 12].mean(), rel=0.2)


def test_a_history_of_days_has_no_growth():
    rates, weekday = made_days(14, np.random.default_rng(1))

    assert forecast_history(History(rates, weekday), n=16, rng=np.random.default_rng(0)).growth_ratio_per_year is None


def metrics(rates):
    at = [START + timedelta(seconds=300 * k) for k in range(rates.size)]
    frame = pl.DataFrame({"at": at, "value": rates.ravel() * 300})
    return frame.with_columns(
        at=pl.col("at").cast(pl.Datetime("us", "UTC")), namespace=pl.lit("AWS/ApplicationELB"), metric=pl.lit("RequestCount"),
        dimensions=pl.lit(json.dumps({"LoadBalancer": "app/x/1"})), statistic=pl.lit("Sum"), period_s=pl.lit(300, pl.Int32),
        unit=pl.lit("Count"), region=pl.lit("ap-northeast-2"),
    )  # fmt: skip


def test_counts_become_days_and_a_period_without_a_row_had_no_request():
    rates, _ = made_days(3, np.random.default_rng(1))
    table = metrics(rates).filter(pl.col("at").dt.hour() != 4)

    history = read_history(table)

    assert history.days == 3
    assert history.weekday.tolist() == [0, 1, 2]
    assert history.rate_per_s[1, 0] == pytest.approx(rates[1, 0])
    assert (history.rate_per_s[:, 48:60] == 0).all()
    assert read_history(table.filter(pl.col("at") < START + timedelta(hours=30))) is None


def test_a_collected_history_among_the_runs_is_the_traffic(seoul):
    """docs/reference/definitions.md: --peak before history, history before [traffic] and the run itself."""
    rates, _ = made_days(28, np.random.default_rng(1))
    run = made_run(Truth())
    collected = replace(run, hosts=run.hosts.clear(), metrics=metrics(rates))
    asked = Question(candidates=("t3.small",), classes=("api",), worlds=64)

    found = recommend([collected, run], load_settings(None), seoul, asked)
    stated = recommend([collected, run], load_settings(None), seoul, replace(asked, peak_per_s=(5, 5, 5)))

    assert found.traffic.source == "history"
    assert np.median(found.traffic.peak_draws) == pytest.approx(rates.max(), rel=0.25)
    assert found.hosts[0].model is not None
    assert stated.traffic.source == "stated"
