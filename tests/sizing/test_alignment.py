"""Intervals that don't belong together are found, said and put right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from made_run import Truth, made_run

from sizing.model.alignment import aligned, shift_beats
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
