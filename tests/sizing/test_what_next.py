"""What to measure next is what would change the answer's price most; other numbers of hosts are priced by the same judgement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_run import Truth, made_run
from made_service import Service, made_world

from sizeup.settings import load_settings
from sizing import Question, decide, gather, judge, recommend
from sizing.decide.measure import next_steps
from sizing.decide.options import options, shared_host

ASKED = Question(classes=("api",), candidates=("t3.nano", "t3.micro", "t3.small", "t3.medium", "t3.xlarge"), worlds=64)


def judged(world):
    return judge(world, confidence=0.9)


@pytest.fixture(scope="module")
def evidence():
    return gather([made_run(Truth(rates=(4, 8, 12), step_s=30))], "api", target_groups={"api": "moco-api"})


def steps(world, evidence):
    found = decide("api", world.deploy, judged(world), None)
    return [s for s in next_steps(world, evidence, found, judged, {}) if s["changes_monthly_usd"] != "0.00"]


def test_where_memory_is_near_a_types_end_the_soak_comes_first(seoul, evidence):
    """480 MiB a copy and 4 % of doubt: a week's leak of a tenth takes two of them over a t3.micro's 914 MiB."""
    found = steps(made_world(seoul, Service(demand_s=0.002, memory_mib=430, doubt=0.02, peak_per_s=10)), evidence)

    assert found[0]["command"] == "sizeup load staging --step-time 1h"
    assert found[0]["could_change_to"] == "t3.small"


def test_where_the_peak_was_never_loaded_and_cpu_is_near_its_end_the_step_comes_first(seoul, evidence):
    found = steps(made_world(seoul, Service(demand_s=0.012, memory_mib=100, peak_per_s=90)), evidence)

    assert found[0]["command"] == "sizeup load staging --rates 90"
    assert float(found[0]["changes_monthly_usd"]) > 0


def test_where_no_deployment_was_seen_and_two_copies_decide_it_is_asked_for(seoul, evidence):
    """Two whole copies need a t3.small; at 69 % the second one fits a t3.micro."""
    unseen = replace(evidence, deployments=0)
    found = steps(made_world(seoul, Service(demand_s=0.002, memory_mib=490, doubt=0.0, peak_per_s=5)), unseen)

    asked = next(s for s in found if "no deployment" in s["why"])
    assert asked["could_change_to"] == "t3.micro"
    assert float(asked["changes_monthly_usd"]) == pytest.approx((18.98 - 9.49) / 2, abs=0.01)


def test_where_nothing_can_change_the_answer_nothing_is_said_to(seoul, evidence):
    assert steps(made_world(seoul, Service(demand_s=0.001, memory_mib=60, doubt=0.01, deploy="none", peak_per_s=5)), evidence) == []


def test_a_demo_is_told_to_look_at_a_host_first(seoul):
    run = made_run(Truth(rates=(4, 8, 12), step_s=30))

    document = recommend([replace(run, meta={**run.meta, "synthetic": True})], load_settings(None), seoul, ASKED).as_json()

    assert document["next"][0]["command"] == "sizeup look"
    assert len({(s["command"], s["why"]) for s in document["next"]}) == len(document["next"])


def test_a_lost_zone_is_a_priced_option_with_twice_the_hosts(seoul):
    """survive_zone_loss is off by default: the recommended type twice, and every constraint holds with half of them gone."""
    world = made_world(seoul, Service(demand_s=0.002, memory_mib=200))
    found = decide("api", "blue_green", judged(world), None)

    option = next(o for o in options(world, found, judged) if o.code == "zone_loss")

    assert (option.verdict.candidate.count, option.verdict.fits) == (2, True)
    assert option.verdict.bound("zone_loss").ok
    assert float(option.adds_monthly_usd) == pytest.approx(float(found.recommended.monthly_usd), abs=0.011)
    assert option.verdict.bound("cpu").need == pytest.approx(found.recommended.bound("cpu").need)


def test_two_small_hosts_are_an_option_where_a_core_is_short(seoul):
    """Every t3 below xlarge has one core: two t3.micro are cheaper than its two."""
    world = made_world(seoul, Service(demand_s=0.03, memory_mib=100, doubt=0.0, peak_per_s=60, mean_ratio=0.1))
    found = decide("api", "blue_green", judged(world), None)

    option = next(o for o in options(world, found, judged) if o.code == "more_hosts")

    assert found.recommended.candidate.type in ("t3.xlarge", "m5.large")
    assert (option.verdict.candidate.count, option.verdict.candidate.instance.vcpus) == (2, 2)
    assert option.adds_monthly_usd < 0


def test_a_policy_that_survives_a_zone_judges_two_hosts(seoul):
    run = made_run(Truth(rates=(4, 8, 12), step_s=30))
    stated = load_settings(None)
    stated = stated.model_copy(update={"policy": stated.policy.model_copy(update={"survive_zone_loss": True})})

    found = recommend([run], stated, seoul, ASKED).hosts[0].recommendation

    assert found.recommended.candidate.count == 2
    assert found.present.fits is False
    assert found.options == ()


def test_two_classes_share_a_host_where_that_is_cheaper(seoul):
    """A t3.nano each, or one t3.nano for both: their CPU adds up, and so does their memory."""
    services = [Service(demand_s=0.002, memory_mib=mib, deploy="none", doubt=0.0) for mib in (90, 60)]
    each = [made_world(seoul, service, types=("t3.nano", "t3.micro")) for service in services]
    found = [decide("api", "none", judged(w), None) for w in each]

    option = shared_host(each[0], each[1], found, judged, 0.9)

    chosen = option.verdict
    assert (chosen.candidate.type, chosen.candidate.placement) == ("t3.nano", "shared")
    assert float(option.adds_monthly_usd) == pytest.approx(-float(found[1].recommended.monthly_usd), abs=0.01)
    assert chosen.bound("memory_steady").need == pytest.approx(150 * 2**20)
    assert chosen.bound("cpu").need == pytest.approx(2 * found[0].recommended.bound("cpu").need)


def test_two_classes_that_fill_a_host_each_share_none(seoul):
    each = [made_world(seoul, Service(memory_mib=380, deploy="none", doubt=0.0), types=("t3.nano", "t3.small")) for _ in range(2)]
    found = [decide("api", "none", judged(w), None) for w in each]

    assert shared_host(each[0], each[1], found, judged, 0.9) is None
