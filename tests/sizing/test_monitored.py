"""Demand from what is left where no agent ran: CloudWatch's averages, and process groups alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from made_run import START, Truth, made_run
from monitored import BALANCER, IDS, metric_rows, only_cloudwatch

from evidence import SizeupError
from sizeup.settings import Settings
from sizing import Question, recommend
from sizing.model.arrivals import counted_in
from sizing.model.demand import fit_few
from sizing.model.fit import fit
from sizing.model.gather import gather

GROUPS = {"api": "moco-api", "frontend": "moco-frontend"}
TRUTH = Truth(demand_s={"GET /boards": 0.02, "POST /boards": 0.02}, rates=(3, 9, 6, 14, 5, 12), step_s=180, deploy=False)


def demand(run, **kwargs):
    evidence = gather([run], "api", target_groups=GROUPS)
    model = fit(evidence, n=256, **kwargs)
    lo, mid, hi = np.quantile(model.demand_s_draws[0], [0.05, 0.5, 0.95])
    return evidence, model, (lo, mid, hi)


@pytest.mark.parametrize("period_s", [60, 300])
def test_averages_of_minutes_give_the_demand_that_went_in_within_an_honest_width(period_s):
    """EC2's detailed monitoring has a minute's averages, the basic kind five minutes'."""
    run = made_run(TRUTH)
    own = float(run.hosts.filter(pl.col("class") == "api")["cpu_user_s"].sum()) - 0.01 * 1080
    truth = own / run.access_log.height

    evidence, _, (lo, mid, hi) = demand(only_cloudwatch(run, period_s))
    fine = demand(run)[2]

    assert lo <= truth <= hi
    assert mid == pytest.approx(truth, rel=0.1 if period_s == 60 else 0.4)
    assert hi - lo > 0.9 * (fine[2] - fine[0])
    assert "monitor_only" in {w.code for w in evidence.warnings}


def test_a_run_of_two_averages_still_bounds_the_demand():
    """Nothing tells background from requests there, so the width says that most of it may be background."""
    run = only_cloudwatch(made_run(Truth(demand_s=TRUTH.demand_s, rates=(8.0,), step_s=150, deploy=False)), 60)

    _, _, (lo, mid, hi) = demand(run)

    assert lo <= 0.02 <= hi
    assert (hi - lo) / mid > 0.2


def test_a_mean_response_time_gives_a_percentile_as_wide_as_it_deserves():
    run = made_run(TRUTH)
    _, model, _ = demand(only_cloudwatch(run, 60), quantiles=[0.95])

    over = model.response_ratio_draws[0.95]

    assert np.quantile(over, 0.95) / np.quantile(over, 0.05) > 2


def test_cpu_of_the_process_groups_stands_in_for_the_hosts_own():
    run = made_run(TRUTH)
    api = run.hosts.filter(pl.col("class") == "api").select("at", cpu_s=pl.col("cpu_user_s"))
    processes = run.processes.filter(pl.col("host") == "api").drop("cpu_s").join(api, on="at")
    bare = replace(run, hosts=run.hosts.clear(), processes=processes.select(run.processes.columns))

    evidence, _, (lo, mid, hi) = demand(bare)

    assert evidence.source == "process_group"
    assert mid == pytest.approx(0.02, rel=0.08)
    assert lo < mid < hi


def test_what_no_monitor_counts_is_unknown_and_says_what_lifts_it(seoul):
    run = only_cloudwatch(made_run(TRUTH), 60)

    answer = recommend([run], Settings(), seoul, Question(classes=["api"], candidates=["t3.micro", "t3.small"], worlds=128))

    host = answer.as_json()["hosts"][0]
    json.dumps(host, allow_nan=False)
    bounds = {k["constraint"]: k["ok"] for k in host["candidates"][0]["constraints"]}
    assert host["demand"][0]["request"] == "*"
    assert host["memory"] is None
    assert (bounds["memory_steady"], bounds["cpu"]) == (None, True)
    assert any("memory was not measured" in u["why"] and "agent install" in u["lift"] for u in answer.unknowns)


def test_without_any_cpu_a_request_takes_no_more_of_it_than_its_response_time(seoul):
    run = only_cloudwatch(made_run(TRUTH), 60)
    blind = replace(run, metrics=run.metrics.filter(pl.col("metric") != "CPUUtilization"))

    answer = recommend([blind], Settings(), seoul, Question(classes=["api"], worlds=256))

    cpu_s = answer.as_json()["hosts"][0]["demand"][0]["cpu_s"]
    assert answer.verdict == "unknown"
    assert cpu_s["lo"] < 0.02 < cpu_s["hi"]
    assert (cpu_s["hi"] - cpu_s["lo"]) / cpu_s["mid"] > 1
    assert "no_cpu" in {w.code for w in answer.warnings}


def test_without_cpu_and_without_requests_nothing_is_fitted_and_it_says_what_lifts_it(seoul):
    run = only_cloudwatch(made_run(TRUTH), 60)
    blind = replace(run, metrics=run.metrics.clear())

    answer = recommend([blind], Settings(), seoul, Question(classes=["api"], worlds=64))

    assert answer.verdict == "unknown"
    assert "CPUUtilization" in answer.unknowns[0]["why"]


def test_a_class_that_nothing_names_is_refused():
    with pytest.raises(SizeupError, match="no sample of class 'db'"):
        gather([made_run(TRUTH)], "db", target_groups=GROUPS)


def history(days: int, demand_s: float):
    """Five-minute averages of days of production: a daily swing, and a background that wanders."""
    rng, n = np.random.default_rng(5), days * 288
    at = pl.Series([START.replace(hour=0) + timedelta(minutes=5 * k) for k in range(n)]).cast(pl.Datetime("us", "UTC"))
    rate = 6 * (1 + 0.8 * np.cos(2 * np.pi * (np.arange(n) / 12 - 20) / 24)) * rng.lognormal(0, 0.15, n)
    came = rng.poisson(rate * 300)
    took = demand_s * rng.gamma(came, 1.0) + 9.0 * np.exp(rng.normal(0, 0.3, n))
    own = {"LoadBalancer": BALANCER, "TargetGroup": "targetgroup/moco-api/2"}
    return pl.concat([
        metric_rows(at, pl.Series(took / 600 * 100), "CPUUtilization", {"InstanceId": IDS["api"]}, 300, "Average"),
        metric_rows(at, pl.Series(came), "RequestCount", own, 300),
        metric_rows(at, pl.Series(np.full(n, 0.05)), "TargetResponseTime", own, 300, "Average"),
        metric_rows(at, pl.Series(came * 2), "RequestCount", {"LoadBalancer": BALANCER}, 300),
    ])  # fmt: skip


def test_days_of_production_give_demand_and_traffic_without_any_load(seoul):
    """Half of what enters reaches the API; its demand is found within 5 %, on a type whose vCPUs are threads."""
    run = only_cloudwatch(made_run(TRUTH), 300)
    collected = replace(run, requests=run.requests.clear(), events=run.events.clear(), metrics=history(4, 0.012))

    answer = recommend([collected], Settings(), seoul, Question(classes=["api"], worlds=128))

    host = answer.as_json()["hosts"][0]
    assert answer.traffic.source == "history"
    assert host["demand"][0]["cpu_s"]["mid"] == pytest.approx(0.012, rel=0.05)
    assert host["background_cores"]["mid"] == pytest.approx(0.03, abs=0.01)


def test_missing_periods_are_said_and_count_nothing():
    """A gap is no row: of the load balancer it was no request, of the host it isn't known."""
    run = only_cloudwatch(made_run(TRUTH), 60)
    cpu = run.metrics.filter(pl.col("metric") == "CPUUtilization")["at"].unique().sort()
    gap = replace(run, metrics=run.metrics.filter((pl.col("metric") != "CPUUtilization") | ~pl.col("at").is_in(cpu[4:7].implode())))

    evidence, _, (lo, _, hi) = demand(gap)

    assert any("3 periods of 60 s are missing" in w.message for w in evidence.warnings)
    assert lo <= 0.02 <= hi


def test_counts_are_shared_out_by_the_time_that_bins_and_periods_have_in_common():
    at, period, value = np.array([0.0, 60.0, 180.0]), np.full(3, 60.0), np.array([6.0, 12.0, 30.0])

    found = counted_in(at, period, value, np.array([0.0, 30.0, 120.0, 150.0]), np.array([30.0, 90.0, 180.0, 210.0]))

    assert found.tolist() == [3.0, 9.0, 0.0, 15.0]


def test_a_bin_without_requests_shows_all_of_the_background():
    fitted = fit_few(np.array([[0.0], [100.0]]), np.array([0.6, 2.6]), np.full(2, 60.0), ["*"], n=512, rng=np.random.default_rng(0))

    assert np.quantile(fitted.background_cores_draws, 0.95) == pytest.approx(0.0095, abs=0.001)
    assert np.quantile(fitted.demand_s_draws, 0.05) > 0.02 * 0.6
    assert fitted.groups == [["*"]]
