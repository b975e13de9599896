"""The answer follows the evidence; what a contract promises of it holds for any evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_run import MIB, Truth, made_run

from sizeup.settings import load_settings
from sizing import Question, measured_objectives, recommend, windows
from sizing.constraints import constraints
from sizing.settings import Objective

SEVEN = ("t2.micro", "t2.small", "t3.micro", "t3.small", "t3.medium", "t4g.micro", "t4g.small")
ASKED = Question(peak_per_s=(14, 14, 14), candidates=SEVEN, classes=("api",), worlds=256)


def answer(seoul, truth, **changes):
    return recommend([made_run(truth)], load_settings(None), seoul, replace(ASKED, **changes)).hosts[0].recommendation


def service(mib, cpu_s):
    return Truth(demand_s={"GET /boards": cpu_s, "POST /boards": cpu_s}, api_bytes=mib * MIB, rates=(4, 8, 12), step_s=30)


def test_four_services_get_four_answers(seoul):
    """Light and heavy in CPU and memory differ in type, credit mode or what binds."""
    found = [answer(seoul, service(mib, cpu)) for mib in (300, 950) for cpu in (0.003, 0.041)]

    keys = {(r.recommended.candidate.type, r.recommended.candidate.credit_mode, r.binding.constraint) for r in found}
    assert len(keys) == 4


@pytest.mark.parametrize("mib", [200, 300, 340, 420, 600])
def test_t2_micro_is_chosen_exactly_when_it_fits(seoul, mib):
    """Of a t2.micro and a t3.small the first is cheaper in Seoul (0.0144 against 0.026 an hour)."""
    found = answer(seoul, service(mib, 0.003), candidates=("t2.micro", "t3.small"))

    micro = next(v for v in found.verdicts if v.candidate.type == "t2.micro" and v.candidate.credit_mode == "standard")
    assert (found.recommended.candidate.type == "t2.micro") == micro.fits


def test_t2_micro_is_dominated_by_t3_micro_where_that_fits(seoul):
    """Seoul: t3.micro 0.0130 with 2 vCPUs and 12 credits an hour against t2.micro 0.0144 with 1 and 6."""
    found = answer(seoul, service(250, 0.003))

    micro = next(v for v in found.verdicts if v.candidate.type == "t2.micro")
    assert micro.dominated_by == "t3.micro"


def test_an_architecture_that_was_never_measured_is_not_recommended(seoul):
    found = answer(seoul, service(250, 0.003))

    arm = [v for v in found.verdicts if v.candidate.instance.arch == "arm64"]
    assert arm
    assert all(v.fits is None and v.bound("arch_unmeasured").ok is None for v in arm)
    assert found.levers[0].code == "measure_arm64"


def test_stopping_first_is_the_lever_where_the_deployment_binds(seoul):
    found = answer(seoul, service(950, 0.003))

    assert found.levers[0].code == "stop_first"
    assert found.levers[0].type == "t3.small"


def test_a_present_type_that_nobody_asked_about_is_judged_and_never_recommended(seoul):
    found = answer(seoul, service(250, 0.003), candidates=("t3.medium",))

    assert found.present.candidate.type == "t3.small"
    assert found.recommended.candidate.type == "t3.medium"


def test_no_valid_window_is_unknown_and_says_so(seoul):
    """A generator at 95 % of its core invents latency: nothing may be fitted from it."""
    run = made_run(Truth(step_s=20))
    busy = replace(run, meta={**run.meta, "generator": {"cpu_ratio_max": 0.95}})

    found = recommend([busy], load_settings(None), seoul, ASKED)

    assert found.verdict == "unknown"
    assert found.unknowns
    assert found.warnings[0].code == "traffic_from_run" or any(w.code == "no_valid_window" for w in found.warnings)


def test_the_traffic_of_the_run_itself_is_said_to_be_its_own(seoul, plain_run):
    found = recommend([plain_run], load_settings(None), seoul, replace(ASKED, peak_per_s=None))

    assert found.traffic.source == "run"
    assert "traffic_from_run" in {w.code for w in found.warnings}


def test_the_same_seed_gives_the_same_document(seoul, plain_run):
    first, second = (recommend([plain_run], load_settings(None), seoul, ASKED).as_json() for _ in range(2))

    assert first == second


@pytest.mark.parametrize("name", sorted(constraints()))
def test_more_load_never_widens_a_margin(seoul, plain_run, name):
    """Every constraint, also one that is added later: twice the traffic never needs less."""
    calm, busy = (
        recommend([plain_run], load_settings(None), seoul, replace(ASKED, peak_per_s=(p, p, p))).hosts[0].recommendation for p in (5, 10)
    )

    for verdict in calm.verdicts:
        other = next(v for v in busy.verdicts if v.candidate.key == verdict.candidate.key)
        if verdict.bound(name) is not None:
            assert other.bound(name).need >= verdict.bound(name).need - 1e-9


@settings(max_examples=12, deadline=None)
@given(peak=st.floats(1, 40), more=st.floats(0, 40))
def test_more_load_never_gets_a_cheaper_answer(seoul, plain_run, peak, more):
    small, large = (
        recommend([plain_run], load_settings(None), seoul, replace(ASKED, peak_per_s=(p, p, p), worlds=64)).hosts[0].recommendation
        for p in (peak, peak + more)
    )

    if large.recommended is not None:
        assert small.recommended is not None
        assert small.recommended.monthly_usd <= large.recommended.monthly_usd


@settings(max_examples=8, deadline=None)
@given(low=st.floats(0.6, 0.9), more=st.floats(0.0, 0.09))
def test_higher_confidence_never_gets_a_cheaper_answer(seoul, plain_run, low, more):
    eager, careful = (
        recommend([plain_run], load_settings(None), seoul, replace(ASKED, confidence=c, worlds=64)).hosts[0].recommendation
        for c in (low, low + more)
    )

    if careful.recommended is not None:
        assert eager.recommended.monthly_usd <= careful.recommended.monthly_usd


def test_margins_and_order_follow_the_contract(seoul, plain_run):
    document = recommend([plain_run], load_settings(None), seoul, ASKED).as_json()

    for host in document["hosts"]:
        priced = [float(c["monthly_usd"]) for c in host["candidates"] if c["monthly_usd"] is not None]
        assert priced == sorted(priced)
        for candidate in host["candidates"]:
            for k in candidate["constraints"]:
                if k["need"] is not None:
                    assert k["margin_ratio"] == pytest.approx((k["have"] - k["need"]) / k["have"])


def test_a_deployment_needs_one_more_copy_of_the_coloured_group(seoul, plain_run):
    host = recommend([plain_run], load_settings(None), seoul, ASKED).hosts[0]

    candidate = host.recommendation.verdicts[0]
    extra = candidate.bound("memory_deploy").need - candidate.bound("memory_steady").need
    assert extra == pytest.approx(300 * MIB, rel=0.01)


def test_speed_of_another_family_is_drawn_from_its_benchmarks(seoul, plain_run):
    host = recommend([plain_run], load_settings(None), seoul, ASKED).hosts[0]

    speeds = {v.candidate.type: v.speed for v in host.recommendation.verdicts}
    assert speeds["t3.micro"] == "measured"
    assert speeds["t2.micro"] == "benchmark"
    assert np.isfinite([v.probability for v in host.recommendation.verdicts if v.probability is not None]).all()


def test_a_heap_far_above_its_live_set_is_a_lever(seoul):
    """A JVM that was given 2 GiB holds 551 MiB over a live set of 64 (measured): capped, a smaller type holds two."""
    run = made_run(service(551, 0.003))
    api = pl.col("group") == "api"
    heap = {"jvm_live_bytes": 64 * MIB, "jvm_committed_bytes": 460 * MIB, "jvm_max_bytes": 500 * MIB, "jvm_used_bytes": 300 * MIB}
    processes = run.processes.with_columns(
        pl.when(api).then(value).otherwise(None).cast(pl.Int64).alias(name) for name, value in heap.items()
    )

    found = recommend([replace(run, processes=processes)], load_settings(None), seoul, ASKED).hosts[0].recommendation

    cap = next(lever for lever in found.levers if lever.code == "cap_heap")
    assert found.recommended.candidate.type == "t3.small"
    assert cap.type == "t3.micro"
    assert cap.saves_monthly_usd > 9


def test_an_objective_on_one_request_is_measured_on_it_alone():
    """Writes of 100 ms among reads of 2: the median of all is a read's."""
    run = made_run(Truth(demand_s={"GET /boards": 0.002, "POST /boards": 0.1}, rates=(2, 4), deploy=False))
    wanted = [Objective(name="latency", request=request, quantile=0.5, limit_s=0.03) for request in ("*", "POST /boards", "GET /nothing")]

    every, writes, none = measured_objectives(run, windows(run, 0.5), wanted)

    posted = run.access_log.filter(pl.col("method") == "POST")["target_s"]
    assert writes["value"] == pytest.approx(posted.median(), rel=0.05)
    assert (every["ok"], writes["ok"], none["ok"]) == (True, False, None)


def test_an_objective_that_a_decision_widens_is_said(seoul):
    """A host class is judged by all of its requests, as the load balancer saw them."""
    run, usual = made_run(service(300, 0.003)), load_settings(None)
    stated = usual.model_copy(update={"objective": (Objective(name="latency", request="POST /boards", limit_s=0.5),)})

    found = recommend([run], stated, seoul, ASKED)

    assert "latency of POST /boards at the target" in next(w.message for w in found.warnings if w.code == "objective_widened")
    assert "objective_widened" not in {w.code for w in recommend([run], usual, seoul, ASKED).warnings}


def test_a_second_measured_run_is_said_to_stand_behind_the_newest(seoul):
    """Two load runs are not pooled: the newest leads, and a reader must not take the other for evidence."""
    newest = made_run(service(300, 0.003))
    older = replace(newest, meta={**newest.meta, "id": "20260101T000000Z-older-steps"})

    found = recommend([newest, older], load_settings(None), seoul, ASKED)

    assert older.id in next(w.message for w in found.warnings if w.code == "older_runs")


def test_a_host_of_unknown_type_never_makes_arm64_the_answer(seoul):
    """A load without an account has no topology: its host is taken for x86-64, and no benchmark compares it."""
    run = made_run(service(250, 0.003))
    run = replace(run, topology={**run.topology, "instances": []})

    found = recommend([run], load_settings(None), seoul, ASKED).hosts[0].recommendation

    arm = [v for v in found.verdicts if v.candidate.instance.arch == "arm64"]
    assert all(v.fits is None and v.bound("arch_unmeasured") is not None for v in arm)
    assert found.recommended.candidate.instance.arch == "x86_64"
    assert {v.speed for v in found.verdicts} == {"none"}
