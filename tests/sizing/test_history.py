"""Traffic from production's own counts: the week to come lies where it will."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from made_run import Truth, made_run

from evidence import SizeupError
from sizeup.settings import load_settings
from sizing import Question, recommend
from sizing.model.history import DAY_STEPS, History, forecast_history, read_history

START = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday
MONDAY = 20_731  # the same day, counted from 1970-01-01


def made_days(days, rng, growth=0.0, sway=0.1):
    """A working-day rhythm, quieter weekends, days that sway and five-minute noise."""
    hours = np.arange(DAY_STEPS) * 24 / DAY_STEPS
    shape = 1 + 0.8 * np.cos(2 * np.pi * (hours - 13) / 24)
    weekday = np.arange(days) % 7
    level = np.where(weekday >= 5, 0.6, 1.0) * np.exp(growth * np.arange(days) / 7) * rng.lognormal(0, sway, days)
    return 10 * level[:, None] * shape[None, :] * rng.lognormal(0, 0.05, (days, DAY_STEPS))


def history(rates):
    return History(rates, MONDAY + np.arange(len(rates)))


@pytest.mark.parametrize(("days", "sway"), [(14, 0.1), (28, 0.25), (42, 0.05), (42, 0.25), (70, 0.1)])
def test_the_peak_four_weeks_on_lies_in_the_interval_as_often_as_it_says(days, sway):
    """Sixty services that grow by what services grow; nominal 90 %, three standard errors of sixty are 12 points."""
    inside = 0
    for seed in range(60):
        rng = np.random.default_rng([days, seed])
        rates = made_days(days + 35, rng, growth=rng.normal(0, 0.015), sway=sway)
        peak = forecast_history(history(rates[:days]), n=256, rng=rng).peak_draws
        lo, hi = np.quantile(peak, [0.05, 0.95])
        inside += lo <= rates[days + 21 : days + 28].max() <= hi

    assert 0.78 <= inside / 60 <= 1.0


def test_growth_that_is_stated_counts_where_the_days_tell_none_and_gives_way_to_many_weeks():
    rates = made_days(70, np.random.default_rng(3), growth=0.0)

    def peak(days, stated):
        traffic = forecast_history(history(rates[:days]), n=512, rng=np.random.default_rng(0), growth_ratio_per_year=stated)
        return float(np.median(traffic.peak_draws)), traffic.growth_ratio_per_year

    assert peak(7, 3.0)[0] > 1.1 * peak(7, 0.0)[0]
    assert peak(7, 3.0)[1] == 3.0
    assert peak(70, 3.0)[0] < 1.04 * peak(70, 0.0)[0]
    assert peak(70, 3.0)[1] < 0.5


def test_weekends_and_nights_stay_quiet():
    rates = made_days(42, np.random.default_rng(1))

    traffic = forecast_history(history(rates), n=128, rng=np.random.default_rng(0))

    week = np.median(traffic.rate_draws, axis=1).reshape(7, DAY_STEPS)

    assert week[5:].mean() == pytest.approx(0.6 * week[:5].mean(), rel=0.1)
    assert week[:, 13 * 12].mean() == pytest.approx(9 * week[:, 1 * 12].mean(), rel=0.2)


def test_a_history_of_days_has_no_growth():
    rates = made_days(14, np.random.default_rng(1))

    assert forecast_history(history(rates), n=16, rng=np.random.default_rng(0)).growth_ratio_per_year is None


def metrics(rates):
    at = [START + timedelta(seconds=300 * k) for k in range(rates.size)]
    frame = pl.DataFrame({"at": at, "value": rates.ravel() * 300})
    return frame.with_columns(
        at=pl.col("at").cast(pl.Datetime("us", "UTC")), namespace=pl.lit("AWS/ApplicationELB"), metric=pl.lit("RequestCount"),
        dimensions=pl.lit(json.dumps({"LoadBalancer": "app/x/1"})), statistic=pl.lit("Sum"), period_s=pl.lit(300, pl.Int32),
        unit=pl.lit("Count"), region=pl.lit("ap-northeast-2"),
    )  # fmt: skip


def test_counts_become_days_and_a_period_without_a_row_had_no_request():
    rates = made_days(3, np.random.default_rng(1))
    table = metrics(rates).filter(pl.col("at").dt.hour() != 4)

    found = read_history([table])

    assert found.days == 3
    assert found.weekday.tolist() == [0, 1, 2]
    assert found.rate_per_s[1, 0] == pytest.approx(rates[1, 0])
    assert (found.rate_per_s[:, 48:60] == 0).all()
    assert read_history([table.filter(pl.col("at") < START + timedelta(hours=30))]) is None
    assert read_history([table.clear()]) is None


def test_days_are_cut_by_the_clocks_of_the_time_zone():
    """Seoul is nine hours ahead: of three days of UTC two whole ones of Seoul are left, from 15:00 on the first."""
    rates = made_days(3, np.random.default_rng(1))

    found = read_history([metrics(rates)], "Asia/Seoul")

    assert found.weekday.tolist() == [1, 2]
    assert found.rate_per_s[0, 0] == pytest.approx(rates[0, 15 * 12])


def test_an_hour_that_clocks_pass_twice_loses_no_request():
    """Berlin, 2026-10-25: the day has 25 hours."""
    rates = made_days(28, np.random.default_rng(1))

    found = read_history([metrics(rates)], "Europe/Berlin")

    assert found.days == 27
    assert found.rate_per_s.sum() == pytest.approx(rates.ravel()[22 * 12 : -12].sum())


def test_counts_of_an_hour_are_spread_over_it():
    """CloudWatch keeps whole hours alone of what is older than 63 days; put at their start they were a peak twelve times too high."""
    rates = np.repeat(made_days(4, np.random.default_rng(1)).reshape(4, 24, 12).mean(axis=2), 12, axis=1)
    fine = metrics(rates)
    hour = pl.col("at").dt.truncate("1h")
    coarse = fine.group_by(hour, "namespace", "metric", "dimensions", "statistic", "unit", "region", maintain_order=True)
    coarse = coarse.agg(pl.col("value").sum()).with_columns(period_s=pl.lit(3600, pl.Int32)).select(fine.columns)

    found = read_history([coarse.filter(pl.col("at") < START + timedelta(days=3)), fine.filter(pl.col("at") >= START + timedelta(days=2))])

    assert found.days == 4
    np.testing.assert_allclose(found.rate_per_s, rates)


def test_two_collections_are_one_history_and_what_lies_between_was_not_seen():
    rates = made_days(21, np.random.default_rng(1))
    table = metrics(rates)
    first, last = table.filter(pl.col("at") < START + timedelta(days=8)), table.filter(pl.col("at") >= START + timedelta(days=14))

    found = read_history([last, first, first])

    assert found.days == 15
    assert found.rate_per_s[0] == pytest.approx(rates[0])
    assert found.weeks_ago[0] == pytest.approx(20 / 7)


def test_a_time_zone_that_nobody_knows_is_one_sentence():
    with pytest.raises(SizeupError, match="timezone 'Asia/Seul'"):
        read_history([metrics(made_days(3, np.random.default_rng(1)))], "Asia/Seul")


def test_a_collected_history_among_the_runs_is_the_traffic(seoul):
    """docs/reference/definitions.md: --peak before history, history before [traffic] and the run itself."""
    rates = made_days(28, np.random.default_rng(1))
    run = made_run(Truth())
    collected = replace(run, hosts=run.hosts.clear(), requests=run.requests.clear(), metrics=metrics(rates))
    asked = Question(candidates=("t3.small",), classes=("api",), worlds=64)

    found = recommend([collected, run], load_settings(None), seoul, asked)
    stated = recommend([collected, run], load_settings(None), seoul, replace(asked, peak_per_s=(5, 5, 5)))

    assert found.traffic.source == "history"
    assert found.traffic.history_days == 28
    assert {r.code: r.ok for r in found.reasons}["too_few_days"] is True
    assert np.median(found.traffic.peak_draws) == pytest.approx(rates.max(), rel=0.25)
    assert found.hosts[0].model is not None
    assert stated.traffic.source == "stated"


def test_what_a_load_sent_is_no_history(seoul):
    """A load's run holds its balancer's counts too; beside a history of another balancer they would be added to it."""
    rates = made_days(28, np.random.default_rng(1))
    run = made_run(Truth())
    collected = replace(run, hosts=run.hosts.clear(), requests=run.requests.clear(), metrics=metrics(rates))
    loaded = replace(run, metrics=metrics(rates * 50).with_columns(dimensions=pl.lit('{"LoadBalancer": "app/staging/2"}')))
    asked = Question(candidates=("t3.small",), classes=("api",), worlds=64)

    found = recommend([loaded, collected], load_settings(None), seoul, asked)

    assert np.median(found.traffic.peak_draws) == pytest.approx(rates.max(), rel=0.25)
