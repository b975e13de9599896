"""How far a load got, from runs whose response times and credits are set."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from made_run import START, Truth, made_run

from evidence import Run
from sizing import reached, windows
from sizing.settings import Objective

WANTED = [Objective(name="latency", quantile=0.95, limit_s=0.3), Objective(name="errors", limit_ratio=0.01)]
RATES = (5.0, 10.0, 20.0)


def slow_from(run: Run, second: float, target_s: float = 1.0) -> Run:
    """The same run, answered in `target_s` from a second on."""
    late = pl.col("created_at") >= START + timedelta(seconds=second)
    times = pl.when(late).then(target_s).otherwise(pl.col("target_s")).cast(run.access_log.schema["target_s"])
    return replace(run, access_log=run.access_log.with_columns(target_s=times))


def told(run: Run) -> dict[str, dict[str, float | None] | None]:
    return reached(run, windows(run, 0.3), WANTED)


@pytest.mark.parametrize(("slow_s", "knee", "missed"), [(None, 20.0, None), (120, 10.0, 20.0), (60, 5.0, 10.0), (0, None, None)])
def test_the_knee_is_the_highest_rate_that_met_every_objective(slow_s: float | None, knee: float | None, missed: float | None):
    """Three steps of a minute at 5, 10 and 20 a second."""
    run = made_run(Truth(rates=RATES, deploy=False))
    found = told(run if slow_s is None else slow_from(run, slow_s))["knee_per_s"]

    assert found == (None if knee is None else {"mid": knee, "lo": knee, "hi": missed, "level": 1.0})


def test_saturation_is_the_highest_throughput_by_when_answers_came():
    """A minute of 20 a second, each answered 40 s late: what came back in its minute is a third of what was due."""
    run = made_run(Truth(rates=RATES, deploy=False))
    last = pl.col("intended_at") >= START + timedelta(seconds=120)
    requests = run.requests.with_columns(
        response_us=pl.when(last).then(40_000_000).otherwise(pl.col("response_us")).cast(run.requests["response_us"].dtype)
    )

    prompt, late = told(run)["saturation_per_s"], told(replace(run, requests=requests))["saturation_per_s"]

    assert prompt is not None
    assert prompt["lo"] < 20 < prompt["hi"]
    assert late is not None
    assert late["mid"] == pytest.approx(10, rel=0.15)  # the step before: the last gave 20 a second for 20 s of its 60


def test_without_a_steady_window_both_are_unknown():
    run = made_run(Truth(rates=RATES, deploy=False))

    assert reached(run, [], WANTED) == {"knee_per_s": None, "saturation_per_s": None}


@pytest.mark.parametrize(("mode", "credits", "valid"), [("standard", 0.0, False), ("standard", 20.0, True), ("unlimited", 0.0, True)])
def test_a_window_in_which_credits_had_run_out_is_not_valid(mode: str, credits: float, valid: bool):
    """A throttled host's CPU is not what a request costs; in unlimited mode nothing is throttled."""
    run = made_run(Truth(rates=RATES, deploy=False))
    point = {
        "at": START, "namespace": "AWS/EC2", "metric": "CPUCreditBalance", "dimensions": json.dumps({"InstanceId": "i-1"}),
        "statistic": "Average", "period_s": 90, "value": credits, "unit": "Count", "region": "ap-northeast-2",
    }  # fmt: skip
    metrics = pl.DataFrame([point], schema=run.metrics.schema)
    topology = {**run.topology, "instances": [{"id": "i-1", "class": "api", "type": "t3.small", "credit_mode": mode}]}

    first, second, third = windows(replace(run, metrics=metrics, topology=topology), 0.3)

    assert (first.valid, second.valid, third.valid) == (valid, valid, True)
    assert ("CPU credits of i-1 had run out" in first.why) is not valid
