"""Latency of the shortlist: simulated beside the formula, and with the backlog that empty credits leave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_run import Truth, made_run

from sizeup.settings import Settings
from sizing import Question, recommend
from sizing.constraints.credits import backlog_s, need
from sizing.constraints.latency import GIVEN_UP_S
from sizing.decide.candidates import candidates
from sizing.decide.judge import judge
from sizing.decide.shortlist import TOLERANCE_RATIO
from sizing.decide.worlds import scenarios
from sizing.model.fit import fit
from sizing.model.gather import gather
from sizing.model.traffic import stated_traffic

GROUPS = {"api": "moco-api", "frontend": "moco-frontend"}
TRUTH = Truth(demand_s={"GET /boards": 0.02, "POST /boards": 0.02}, rates=(4, 8, 12), deploy=False)


def world_of(seoul, names, peak, run=None, n=256):
    run = run or made_run(TRUTH)
    model = fit(gather([run], "api", target_groups=GROUPS), n=n, measured_family="t3", measured_arch="x86_64")
    traffic = stated_traffic(peak, mean_per_s=None, growth_ratio_per_year=None, n=n, rng=np.random.default_rng(0))
    asked = candidates(seoul, names)
    return scenarios(model, traffic, asked, seoul, seoul.types["t3.small"], [(0.95, 0.5)], 0.01, "none", False, 0)


def test_formula_and_simulation_agree_on_the_shortlist_within_what_is_said(seoul):
    answer = recommend([made_run(TRUTH)], Settings(), seoul, Question(classes=["api"], peak_per_s=(15.0, 20.0, 30.0), worlds=256))

    latency = answer.as_json()["hosts"][0]["latency"]
    assert latency["simulated"]
    for found in latency["simulated"]:
        assert found["agrees"]
        assert abs(found["ratio"] - 1) <= TOLERANCE_RATIO + 2 * found["ratio_se"]
        assert found["formula_s"]["lo"] <= found["formula_s"]["mid"] <= found["formula_s"]["hi"]


def test_the_simulation_is_the_same_with_the_same_seed(seoul):
    ask = Question(classes=["api"], candidates=["t3.micro", "t3.small"], worlds=128, seed=3)

    one, other = (recommend([made_run(TRUTH)], Settings(), seoul, ask).as_json()["hosts"][0]["latency"] for _ in range(2))

    assert one == other


def test_a_throttled_hosts_backlog_over_its_earnings_is_the_wait(seoul):
    """EC2 User Guide: a t3.nano earns 6 credits an hour, 0.1 vCPU; with the balance gone what waits is served at that rate."""
    world = world_of(seoul, ["t3.nano"], (12.0, 12.0, 12.0))

    standard, unlimited = backlog_s(world)

    drawn = need(world)[0] - 144
    assert standard == pytest.approx(np.maximum(drawn, 0) / 6 * 3600)
    assert (standard > GIVEN_UP_S).all()
    assert (unlimited == 0).all()


def test_latency_fails_in_the_worlds_in_which_credits_do(seoul):
    """Multiplied as if independent the two would say less than either alone."""
    world = world_of(seoul, ["t3.micro"], (4.0, 11.0, 18.0))

    standard, unlimited = judge(world, confidence=0.95)

    credits, latency = standard.bound("credits").probability, standard.bound("latency").probability
    assert 0.05 < credits < 0.95
    assert latency == pytest.approx(credits, abs=0.01)
    assert unlimited.bound("latency").probability > 0.99


def test_a_single_loop_gains_nothing_from_more_cpus(seoul):
    """Node on eight vCPUs computes as on one: at 0.85 busy it is slow on either."""
    run = made_run(replace(TRUTH, rates=(1, 2), step_s=120))
    node = replace(run, processes=run.processes.with_columns(group=run.processes["group"].replace("api", "node")))
    node = replace(node, processes=node.processes.with_columns(threads=11))

    loop = world_of(seoul, ["t3.2xlarge", "t3.small"], (42.0, 42.0, 42.0), node)
    threads = world_of(seoul, ["t3.2xlarge", "t3.small"], (42.0, 42.0, 42.0), run)

    def p95(world):
        return {v.candidate.type: v.bound("latency").need for v in judge(world, confidence=0.5) if v.candidate.credit_mode == "unlimited"}

    assert p95(loop)["t3.2xlarge"] == pytest.approx(p95(loop)["t3.small"], rel=0.01)
    assert p95(threads)["t3.2xlarge"] < p95(threads)["t3.small"] / 2
