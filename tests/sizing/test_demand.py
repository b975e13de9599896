"""The service demand that comes out is the one that went in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from made_run import Truth, made_run

from sizeup.settings import Settings
from sizing import Question, recommend
from sizing.model.bend import fit_bend
from sizing.model.demand import fit_demand
from sizing.model.fit import fit
from sizing.model.gather import gather
from sizing.model.warmup import warm_bins

GROUPS = {"api": "moco-api", "frontend": "moco-frontend"}


@pytest.mark.parametrize("demand_s", [0.002, 0.01, 0.04])
def test_the_demand_of_a_made_run_is_found_within_five_per_cent(demand_s):
    """Utilisation law, Lazowska et al. 1984: U·c = D0 + X·D, on a run made with a known D."""
    run = made_run(Truth(demand_s={"GET /boards": demand_s, "POST /boards": demand_s}, rates=(4, 8, 12)))

    model = fit(gather([run], "api", target_groups=GROUPS), n=256)

    # The requests' own sizes are exponential, so the truth of this run is its sample's mean, known to 1/sqrt(n) of it.
    assert np.median(model.demand_s_draws[0]) == pytest.approx(demand_s, rel=0.08)


def test_names_whose_demand_differs_by_far_are_told_apart():
    """A run of 30 minutes' worth of bins in which one request costs ten times the other."""
    run = made_run(Truth(demand_s={"GET /boards": 0.002, "POST /boards": 0.03}, rates=(5, 20, 10, 30), step_s=240, deploy=False))

    model = fit(gather([run], "api", target_groups=GROUPS), n=256)

    found = {name: float(np.median(d)) for name, d in zip(model.names, model.demand_s_draws, strict=True)}
    assert found["POST /boards"] == pytest.approx(0.03, rel=0.1)
    assert found["GET /boards"] == pytest.approx(0.002, rel=0.3)


def test_names_that_the_run_cannot_tell_apart_are_merged_and_said():
    """Two names of the same cost in a fixed mix: one coefficient, both names."""
    model = fit(gather([made_run(Truth())], "api", target_groups=GROUPS), n=64)

    assert model.names == ["GET /boards"]
    assert model.merged == [["POST /boards"]]


def test_background_work_is_not_charged_to_requests():
    """A core tenth taken without load stays in D0."""
    run = made_run(Truth(background_cores=0.1, demand_s={"GET /boards": 0.005, "POST /boards": 0.005}, rates=(4, 16, 32)))

    model = fit(gather([run], "api", target_groups=GROUPS), n=256)

    assert np.median(model.background_cores_draws) == pytest.approx(0.1, abs=0.02)
    assert np.median(model.demand_s_draws[0]) == pytest.approx(0.005, rel=0.1)


def test_row_order_is_irrelevant_to_the_point():
    """The same rows from any shard order give the same demand."""
    counts = np.array([[2.0], [4.0], [8.0], [16.0]])
    cpu = np.array([0.03, 0.05, 0.09, 0.17])

    forward = fit_demand(counts, cpu, np.ones(4), ["a"], n=16, rng=np.random.default_rng(0))
    backward = fit_demand(counts[::-1], cpu[::-1], np.ones(4), ["a"], n=16, rng=np.random.default_rng(0))

    assert np.median(forward.demand_s_draws) == pytest.approx(0.01, rel=1e-6)
    assert np.median(backward.demand_s_draws) == pytest.approx(0.01, rel=1e-6)


def test_nothing_to_fit_is_refused_in_words():
    with pytest.raises(ValueError, match="three bins"):
        fit_demand(np.zeros((2, 1)), np.zeros(2), np.ones(2), ["a"], n=8, rng=np.random.default_rng(0))


@pytest.mark.parametrize("scv", [0.0, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("shape", ["steps", "ramp", "day"])
def test_a_known_demand_is_found_within_five_per_cent_whatever_the_loads_shape(shape, scv):
    """Utilisation traces by simulation: Poisson arrivals, gamma sizes, a background that wanders about 3 % of a core."""
    rng = np.random.default_rng([len(shape), int(scv * 10)])
    bins, demand_s = 1500, 0.008
    rate = {
        "steps": np.repeat([10.0, 30.0, 20.0, 60.0, 40.0], bins // 5),
        "ramp": np.linspace(5.0, 80.0, bins),
        "day": 40 * (1 + 0.8 * np.sin(np.arange(bins) * 2 * np.pi / 600)),
    }[shape]
    came = rng.poisson(rate * 2.0).astype(float)
    took = came * demand_s if scv == 0 else rng.gamma(np.maximum(came, 1e-9) / scv, demand_s * scv) * (came > 0)
    background = 0.03 * 2.0 * rng.gamma(10, 0.1, bins)

    fitted = fit_demand(came[:, None], took + background, np.full(bins, 2.0), ["a"], n=64, rng=rng)

    assert np.median(fitted.demand_s_draws[0]) == pytest.approx(demand_s, rel=0.05)
    assert np.median(fitted.background_cores_draws) == pytest.approx(0.03, abs=0.02)


def test_the_head_of_a_window_that_costs_four_times_as_much_is_left_out_and_said():
    """A JIT compiler at work: up to four times the CPU, for the first quarter of the first step."""
    run = made_run(Truth(demand_s={"GET /boards": 0.01, "POST /boards": 0.01}, rates=(20, 30), step_s=120, deploy=False))
    since = (pl.col("at") - pl.col("at").min()).dt.total_seconds()
    cold = run.hosts.with_columns(cpu_user_s=pl.col("cpu_user_s") * pl.when(since < 30).then(4.0 - since / 10).otherwise(1.0))

    found, plain = (gather([r], "api", target_groups=GROUPS) for r in (replace(run, hosts=cold), run))

    assert "warm_up" in {w.code for w in found.warnings}
    assert "warm_up" not in {w.code for w in plain.warnings}
    assert found.excluded_ratio > plain.excluded_ratio
    assert np.median(fit(found, n=128).demand_s_draws[0]) == pytest.approx(0.01, rel=0.08)


def test_load_without_a_warm_up_loses_next_to_none_of_its_bins():
    rng = np.random.default_rng(4)
    kept = []
    for _ in range(200):
        came = rng.poisson(30, 60).astype(float)
        took = 0.005 * rng.gamma(came, 1.0) + 0.02
        kept.append(warm_bins(came, took, np.ones(60), np.repeat([0, 1], 30))[0].mean())

    assert np.mean(kept) > 0.99


def test_a_collectors_share_of_the_cpu_is_told_apart():
    run = made_run(Truth())
    jvm = run.processes.with_columns(
        cpu_s=pl.lit(0.2, pl.Float32), jvm_gc=pl.lit("G1"), jvm_gc_s=pl.lit(0.03, pl.Float32), threads=pl.lit(40, pl.Int32)
    )

    server = gather([replace(run, processes=jvm)], "api", target_groups=GROUPS).server

    assert server.jvm
    assert server.gc_ratio == pytest.approx(0.15, rel=1e-3)


def steps_of_demand(kind: str, seed: int):
    """Five steps in which a request costs the same, falls as wake-ups are shared, or rises by half as locks are contended for."""
    rng = np.random.default_rng([seed, len(kind)])
    share = np.repeat(np.linspace(0.15, 1.0, 5), 75)
    cost_s = 0.01 * {"flat": np.ones(375), "falls": 1.4 - 0.4 * share, "rises": 1.0 + 0.5 * share**2}[kind]
    came = rng.poisson(80 * share).astype(float)
    took = rng.gamma(np.maximum(came, 1e-9), cost_s) * (came > 0) + 0.06 * rng.gamma(20, 1 / 20, 375)
    return came, took, np.full(375, 2.0), np.repeat(np.arange(5), 75)


@pytest.mark.parametrize(("kind", "at_the_top_s"), [("falls", 0.01), ("rises", 0.015)])
def test_a_demand_that_changes_with_the_load_is_found_with_its_cost_at_the_top(kind, at_the_top_s):
    bend = fit_bend(*steps_of_demand(kind, 1), n=64, rng=np.random.default_rng(0))

    assert np.median(bend.demand_s_draws * bend.ratio(np.array(40.0))) == pytest.approx(at_the_top_s, rel=0.05)
    assert (bend.ratio(np.array(400.0)) == bend.ratio(np.array(bend.highest_per_s))).all()


@pytest.mark.parametrize("calls_a_page", [0.5, 1.0, 2.0])
def test_a_call_that_every_page_makes_is_not_told_apart_from_the_page(calls_a_page):
    """Two columns that are one leave any split: the noise-free look of a solver's choice is no knowledge."""
    rng = np.random.default_rng(0)
    pages = rng.poisson(20, 120).astype(float)
    counts = np.column_stack([pages, calls_a_page * pages])
    took = counts @ np.array([0.004, 0.010]) + 0.04 + rng.normal(0, 0.01, 120)

    found = fit_demand(counts, took, np.full(120, 2.0), ["GET /page", "GET /call"], n=256, rng=rng)

    assert found.groups == [["GET /page", "GET /call"]]
    truth = (0.004 + calls_a_page * 0.010) / (1 + calls_a_page)
    assert np.median(found.demand_s_draws[0]) == pytest.approx(truth, rel=0.1)


def test_a_demand_that_doesnt_change_is_not_bent():
    assert [fit_bend(*steps_of_demand("flat", seed), n=64, rng=np.random.default_rng(0)) for seed in range(40)] == [None] * 40


@pytest.mark.parametrize("present", ["t2.medium", "t3.medium"])
def test_the_demand_that_is_told_is_what_the_kernel_counted(seoul, present):
    """Utilisation law on a whole host, hyper-threads or not: requests times demand is the CPU that a monitor shows."""
    demand_s = {"GET /boards": 0.04, "POST /boards": 0.04}
    run = made_run(Truth(demand_s=demand_s, rates=(5, 12, 20, 26), step_s=90, deploy=False, present=present))
    agent = replace(run, hosts=run.hosts.with_columns(source=pl.lit("agent")))
    truth = (float(run.hosts.filter(pl.col("class") == "api")["cpu_user_s"].sum()) - 0.01 * 360) / run.access_log.height

    answer = recommend([agent], Settings(), seoul, Question(classes=["api"], worlds=128))

    assert answer.as_json()["hosts"][0]["demand"][0]["cpu_s"]["mid"] == pytest.approx(truth, rel=0.05)
