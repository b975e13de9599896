"""Intervals that don't belong together are found, said and put right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from made_run import Truth, made_run

from sizing.model.alignment import aligned, shift_beats
from sizing.model.demand import fit_best
from sizing.model.fit import fit
from sizing.model.gather import gather

GROUPS = {"api": "moco-api", "frontend": "moco-frontend"}
TRUTH = Truth(demand_s={"GET /boards": 0.02, "POST /boards": 0.02}, rates=(4, 8, 12), deploy=False)


def demand(run):
    evidence = gather([run], "api", target_groups=GROUPS)
    model = fit(evidence, n=128)
    return float(np.median((model.demand_s_draws * model.per_external[:, None]).sum(axis=0))), {w.code for w in evidence.warnings}


@pytest.mark.parametrize("seconds", [-2, -1, 1, 2])
def test_cpu_that_was_counted_beats_apart_from_its_arrivals_is_fitted_where_it_belongs(seconds):
    """Shifting CPU by one interval must not double a demand in silence."""
    run = made_run(TRUTH)
    late = replace(run, hosts=run.hosts.with_columns(pl.col("at") + timedelta(seconds=seconds)))

    found, codes = demand(late)

    assert "misaligned" in codes
    assert found == pytest.approx(demand(run)[0], rel=0.05)


def test_a_run_whose_clocks_agree_is_left_alone():
    _, codes = demand(made_run(TRUTH))

    assert "misaligned" not in codes


def test_a_demand_from_single_beats_of_a_monitor_keeps_each_as_a_bin():
    """Whole-host CPU as one-minute averages: wider, and no bias."""
    run = made_run(Truth(demand_s=TRUTH.demand_s, rates=(3, 9, 6, 14), step_s=240, deploy=False))
    minutes = (
        run.hosts.sort("at")
        .group_by_dynamic("at", every="60s", group_by=["host", "class"], closed="right", label="right")
        .agg(pl.col("interval_s", "cpu_user_s", "cpu_system_s", "cpu_steal_s", "agent_cpu_s").sum(), pl.col("vcpus", "gap").first())
    )
    coarse = replace(run, hosts=minutes.with_columns(source=pl.lit("agent")))

    fine = fit(gather([run], "api", target_groups=GROUPS), n=256)
    wide = fit(gather([coarse], "api", target_groups=GROUPS), n=256)

    def spread(model):
        lo, mid, hi = np.quantile(model.demand_s_draws[0], [0.05, 0.5, 0.95])
        return mid, hi - lo

    assert spread(wide)[0] == pytest.approx(0.02, rel=0.12)
    assert spread(wide)[1] >= spread(fine)[1] * 0.8


def test_noise_speaks_for_no_shift():
    rng = np.random.default_rng(0)

    found = [shift_beats([rng.poisson(10, 60).astype(float)], [rng.normal(1, 0.1, 60)]) for _ in range(100)]

    assert found.count(0) >= 99


def test_alignment_drops_what_has_no_partner():
    assert aligned(np.arange(5.0), 1).tolist() == [1, 2, 3, 4]
    assert aligned(np.arange(5.0), -1).tolist() == [0, 1, 2, 3]


def service(seed: int, beats: int, shift: int):
    """Three steps of a made service: beats of a second, requests of gamma sizes, CPU counted `shift` beats late."""
    rng = np.random.default_rng([seed, beats, shift + 5])
    demand_s, scv = np.exp(rng.uniform(np.log(0.001), np.log(0.03))), rng.uniform(0.25, 1.5)
    highest, background = min(rng.uniform(0.15, 1.0) / demand_s, 60.0), rng.uniform(0.005, 0.08)
    arrivals, cpu = [], []
    for rate in highest * np.array([0.25, 0.6, 1.0]):
        came = rng.poisson(rate, beats + 4).astype(float)
        took = np.where(came > 0, rng.gamma(np.maximum(came, 1e-9) / scv, demand_s * scv), 0.0)
        took += background * rng.gamma(20, 1 / 20, beats + 4)
        arrivals.append(came[2:-2])
        cpu.append(took[2 - shift : beats + 2 - shift])
    return demand_s, arrivals, cpu


def fitted_s(arrivals, cpu):
    a, c = (np.concatenate([v.reshape(-1, 2).sum(axis=1) for v in both]) for both in (arrivals, cpu))
    fit = fit_best(a[:, None], c, np.full(len(c), 2.0), ["*"], n=32, rng=np.random.default_rng(0))
    return float(np.median(fit.demand_s_draws[0]))


@pytest.mark.parametrize(("beats", "found_ratio"), [(20, 0.8), (60, 0.99)])
def test_cpu_one_interval_apart_is_found_or_doubles_no_demand(beats, found_ratio):
    """Of 300 services with three steps of 20 beats 90 to 92 % are found, of 60 beats all; no aligned one is taken for shifted."""
    told = {shift: [shift_beats(*service(seed, beats, shift)[1:]) for seed in range(120)] for shift in (-1, 0, 1)}
    missed = [(seed, shift) for shift in (-1, 1) for seed in range(120) if told[shift][seed] == 0]
    off = [fitted_s(a, c) / demand_s for demand_s, a, c in (service(seed, beats, shift) for seed, shift in missed)]

    assert set(told[0]) == {0}
    assert all(np.mean(np.array(told[shift]) == shift) >= found_ratio for shift in (-1, 1))
    assert all(0.5 < ratio < 2.0 for ratio in off)
