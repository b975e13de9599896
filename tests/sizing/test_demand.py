"""The service demand that comes out is the one that went in."""

from __future__ import annotations

import numpy as np
import pytest
from made_run import Truth, made_run

from sizing.model.demand import fit_demand
from sizing.model.fit import fit
from sizing.model.gather import gather

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
