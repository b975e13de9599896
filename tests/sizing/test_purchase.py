"""From runs to the gate: what is enough passes, each thing that is missing is refused by its own code, and measuring it lifts that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import polars as pl
import pytest
from made_run import MIB, Truth, made_run
from monitored import metric_rows

from catalogue import load_catalogue
from sizeup.settings import load_settings
from sizing import Question, gate, recommend
from sizing.money import GateSettings, parse_buy, purchase_price
from sizing.purchase import gate_evidence

SEOUL = load_catalogue("ap-northeast-2")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SERVICE = Truth(api_bytes=780 * MIB, rates=(2, 4, 8), step_s=620)
"""Half an hour of load and a deployment; two copies fit a t3.small, and one fits no t3.micro, whatever the lever."""
ASKED = Question(candidates=("t3.micro", "t3.small", "t3.medium"), classes=("api",), worlds=128)


@cache
def loaded(**changes):
    return made_run(replace(SERVICE, **changes))


def history(days: int, peak_per_s: float):
    """What the load balancer counted, as a run of `collect` has it: half the peak, and the peak from noon to one."""
    at = pl.Series([NOW - timedelta(days=days) + timedelta(minutes=5 * n) for n in range(days * 288)], dtype=pl.Datetime("us", "UTC"))
    counts = pl.Series([300.0 * (peak_per_s if a.hour == 12 else peak_per_s / 2) for a in at])
    none = loaded()
    metrics = metric_rows(at, counts, "RequestCount", {"LoadBalancer": "app/moco/1"}, 300)
    return replace(
        none, meta=none.meta | {"id": "collected"}, hosts=none.hosts.clear(), processes=none.processes.clear(), metrics=metrics,
        requests=none.requests.clear(), events=none.events.clear(), access_log=none.access_log.clear(),
    )  # fmt: skip


def judged(*runs, buy="t3.small:1:1y:all-upfront"):
    answer = recommend(list(runs), load_settings(None), SEOUL, ASKED)
    asked = parse_buy(buy)
    seen = gate_evidence(answer, asked, free_months_left=0.0)
    return gate(asked, purchase_price(SEOUL, asked), settings=GateSettings(), catalogue=SEOUL, generated_at=NOW, evidence=seen)


def refused(verdict):
    return [reason.code for reason in verdict.reasons if reason.ok is not True]


def blind(run):
    """The same without the memory of any process."""
    nothing = pl.lit(None, pl.Int64)
    return replace(run, processes=run.processes.with_columns(pss_bytes=nothing, rss_bytes=nothing))


LACKING = {
    "synthetic": lambda: [replace(loaded(), meta=loaded().meta | {"synthetic": True}), history(16, 7.0)],
    "too_short": lambda: [loaded(step_s=300), history(16, 7.0)],
    "too_few_days": lambda: [loaded(), history(10, 4.0)],
    "no_peak": lambda: [loaded(), history(16, 14.0)],
    "no_deployment": lambda: [loaded(deploy=False), history(16, 7.0)],
}


def test_two_runs_that_measured_all_of_it_carry_the_purchase():
    """A load run of half an hour with a deployment, and sixteen days of production's own counts."""
    assert refused(judged(loaded(), history(16, 7.0))) == []


@pytest.mark.parametrize("code", LACKING)
def test_what_a_run_lacks_is_the_one_thing_refused(code):
    """docs/reference/json.md, gate; measuring it, as the test above does, lifts exactly that."""
    assert refused(judged(*LACKING[code]())) == [code]


def test_a_run_that_saw_no_memory_never_passes():
    """memory_unmeasured: without it nothing is recommended either."""
    assert "memory_unmeasured" in refused(judged(blind(loaded()), history(16, 7.0)))


def test_a_second_host_is_more_than_is_used():
    """above_floor: one t3.small is recommended."""
    assert refused(judged(loaded(), history(16, 7.0), buy="t3.small:2:1y:all-upfront")) == ["above_floor"]
