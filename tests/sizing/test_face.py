"""The steps of a recommendation, called one by one as docs/reference/python.md shows them."""

from __future__ import annotations

import numpy as np

from sizing import candidates, decide, fit, forecast, gather, judge, scenarios


def test_the_steps_of_recommend_work_from_the_face(seoul, plain_run):
    """Also `decide`, whose room has the same name."""
    model = fit(gather([plain_run], "api", target_groups={"api": "moco-api"}), n=32)
    traffic = forecast((5, 5, 5), mean_per_s=None, growth_ratio_per_year=None, n=32, rng=np.random.default_rng(0))
    asked = candidates(seoul, ("t3.micro", "t3.small"))
    world = scenarios(model, traffic, asked, seoul, seoul.types["t3.small"], [(0.95, 0.5)], 0.05, "blue_green", False, 0)

    found = decide("api", "blue_green", judge(world, confidence=0.9), asked[0])

    assert found.recommended.candidate.type == "t3.micro"
