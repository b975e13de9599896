"""What must hold of any decision, on services made at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_service import TYPES, Service, cheapest, made_model, made_world, more, services

from sizing import decide, judge
from sizing.constraints import Constraint, constraints
from sizing.decide import judge as judging
from sizing.decide.regret import regret

EXAMPLES = settings(max_examples=15, deadline=None)
factors = st.floats(1.0, 4.0)


@EXAMPLES
@given(service=services, factor=factors)
def test_more_load_never_gets_a_cheaper_answer(seoul, service, factor):
    assert cheapest(made_world(seoul, more(service, peak_per_s=factor))) >= cheapest(made_world(seoul, service))


@EXAMPLES
@given(service=services, factor=factors)
def test_more_memory_needed_never_gets_a_cheaper_answer(seoul, service, factor):
    assert cheapest(made_world(seoul, more(service, memory_mib=factor))) >= cheapest(made_world(seoul, service))


@EXAMPLES
@given(service=services, name=st.sampled_from(["demand_s", "background_cores", "wait_s", "disk_bytes"]), factor=factors)
def test_a_dearer_request_never_gets_a_cheaper_answer(seoul, service, name, factor):
    assert cheapest(made_world(seoul, more(service, **{name: factor}))) >= cheapest(made_world(seoul, service))


@EXAMPLES
@given(service=services, low=st.floats(0.55, 0.95), higher=st.floats(0.0, 0.04))
def test_higher_confidence_never_gets_a_cheaper_answer(seoul, service, low, higher):
    world = made_world(seoul, service)

    assert cheapest(world, low + higher) >= cheapest(world, low)


@EXAMPLES
@given(service=services, scale=st.floats(0.01, 100))
def test_half_the_requests_of_twice_the_cost_are_the_same_service(seoul, service, scale):
    """Units scale: a request that is counted as two of half the demand changes neither CPU, credits nor the answer."""
    service = replace(service, wait_s=0.0, disk_bytes=0.0)
    one = judge(made_world(seoul, service), confidence=0.9)
    other = judge(made_world(seoul, more(service, peak_per_s=scale, demand_s=1 / scale)), confidence=0.9)

    for before, after in zip(one, sorted(other, key=lambda v: [w.candidate.key for w in one].index(v.candidate.key)), strict=True):
        assert float(after.monthly_usd) == pytest.approx(float(before.monthly_usd), abs=0.011)
        for name in ("cpu", "credits", "memory_steady"):
            if (bound := before.bound(name)) is not None and bound.need is not None:
                assert after.bound(name).need == pytest.approx(bound.need, rel=1e-6, abs=1e-6)


@EXAMPLES
@given(service=services, order=st.permutations(TYPES))
def test_the_order_of_the_candidates_is_irrelevant(seoul, service, order):
    told = [
        [(v.candidate.key, v.monthly_usd, v.probability, v.fits, v.dominated_by) for v in judge(w, confidence=0.9)]
        for w in (made_world(seoul, service), made_world(seoul, service, types=tuple(order)))
    ]

    assert told[0] == told[1]


@EXAMPLES
@given(service=services, order=st.permutations(range(64)))
def test_the_order_of_the_worlds_is_irrelevant(seoul, service, order):
    """A world is one of many: only which draws belong together counts."""
    world, rows = made_world(seoul, service), np.array(order)
    model = made_model(service)
    mixed = replace(
        model, demand_s_draws=model.demand_s_draws[:, rows], background_cores_draws=model.background_cores_draws[rows],
        response_ratio_draws={q: w[rows] for q, w in model.response_ratio_draws.items()},
        memory=[replace(p, bytes_draws=p.bytes_draws[rows]) for p in model.memory],
    )  # fmt: skip
    other = replace(made_world(seoul, service, mixed), speed_draws=world.speed_draws[:, rows], threads_draws=world.threads_draws[:, rows])

    assert [v.probability for v in judge(world, confidence=0.9)] == [v.probability for v in judge(other, confidence=0.9)]


@EXAMPLES
@given(service=services, share=st.floats(0, 1))
def test_a_constraint_added_never_gets_a_cheaper_answer(seoul, service, share):
    world = made_world(seoul, service)
    before = cheapest(world)
    limit = np.quantile(np.arange(64), share)
    added = Constraint("made", "worlds", lambda w: np.arange(64.0)[None, :], lambda w: np.array([[limit]]))
    known = {**constraints(), "made": added}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "constraints", lambda: known)
        assert cheapest(world) >= before


@EXAMPLES
@given(service=services)
def test_a_candidates_chance_is_that_of_its_constraints_together(seoul, service):
    """Never above the least of them, never below what independent failures would leave beyond doubt (Fréchet's bounds)."""
    for verdict in judge(made_world(seoul, service), confidence=0.9):
        shares = [b.probability for b in verdict.bounds if b.probability is not None]
        if verdict.probability is not None:
            assert max(0.0, sum(shares) - len(shares) + 1) - 1e-9 <= verdict.probability <= min(shares) + 1e-9


@EXAMPLES
@given(service=services)
def test_regret_is_what_hindsight_would_have_saved(seoul, service):
    verdicts = judge(made_world(seoul, service), confidence=0.9)
    chosen = decide("api", service.deploy, verdicts, None).recommended

    found = regret(verdicts, chosen)

    if chosen is None:
        assert found is None
    else:
        assert 0 <= found.overpaid_monthly_usd <= chosen.monthly_usd
        assert found.probability == pytest.approx(1 - chosen.probability)
        assert found.monthly_usd is None or found.monthly_usd >= 0


@EXAMPLES
@given(service=services)
def test_the_binding_constraint_is_the_least_margin_of_the_dearest_that_fails_below(seoul, service):
    """docs/reference/json.md; the interval that a gate reads is that of what can fail."""
    verdicts = judge(made_world(seoul, service), confidence=0.9)
    found = decide("api", service.deploy, verdicts, None)

    failing = [v for v in verdicts if v.fits is False]
    if found.recommended is not None:
        below = [v for v in failing if verdicts.index(v) < verdicts.index(found.recommended)]
        decisive = below[-1] if below else found.recommended
    else:
        decisive = max(failing, key=lambda v: v.probability, default=None)
    bounds = [b for b in decisive.bounds if b.margin_ratio is not None] if decisive else []
    assert found.binding == min(bounds, key=lambda b: b.margin_ratio, default=None)
    able = [b for b in bounds if b.constraint != "credits" or decisive.candidate.credit_mode != "unlimited"]
    if able and found.binding in able:
        assert found.width_ratio == found.binding.width_ratio


def test_chances_that_hang_together_are_not_multiplied(seoul):
    """A service whose steady need and deployment need fail in the same worlds: the product would be too low."""
    micro = seoul.types["t3.micro"].usable_bytes
    service = Service(memory_mib=micro / 2**20 / 2, doubt=0.05)

    verdict = next(v for v in judge(made_world(seoul, service), confidence=0.9) if v.candidate.type == "t3.micro")

    assert verdict.probability == verdict.bound("memory_deploy").probability
    assert 0.3 < verdict.probability < 0.7
