"""Which target group a request goes to, and which target of it."""

from __future__ import annotations

from staging.embedded.rules import match, read_rules
from staging.embedded.target_groups import HealthCheck, TargetGroup

RULES = read_rules([
    {"priority": 0, "target_group": "rest"},
    {"priority": 20, "target_group": "wide", "hosts": ["*.example.run"]},
    {"priority": 10, "target_group": "api", "hosts": ["API.example.run"]},
])


def group_of(host: str) -> str:
    rule = match(RULES, host)
    assert rule is not None
    return rule.target_group


def test_the_lowest_priority_number_that_matches_the_host_wins():
    """ELB user guide, listener rules: evaluated from the lowest value to the highest, the default rule last."""
    assert group_of("api.example.run") == "api"
    assert group_of("www.example.run") == "wide"
    assert group_of("example.run") == "rest"


def test_a_host_is_matched_without_case_and_without_its_port():
    """ELB user guide, host conditions: not case-sensitive; the port isn't part of a host name."""
    assert group_of("Api.Example.Run:8080") == "api"
    assert group_of("") == "rest"


def test_healthy_targets_are_taken_in_turn():
    """ELB user guide, routing algorithms: round robin is the default."""
    group = TargetGroup("api", "arn")
    for port in (1, 2, 3):
        group.register(("127.0.0.1", port)).health = "healthy"

    taken = [target.address[1] for _ in range(6) if (target := group.choose())]

    assert sorted(taken[:3]) == [1, 2, 3]
    assert taken[:3] == taken[3:]


def test_an_unhealthy_target_is_passed_over_until_all_are_unhealthy():
    """ELB user guide, health checks: with only unhealthy targets the load balancer routes to all of them."""
    group = TargetGroup("api", "arn")
    well, ill = group.register(("127.0.0.1", 1)), group.register(("127.0.0.1", 2))
    well.health, ill.health = "healthy", "unhealthy"

    before = {id(group.choose()) for _ in range(4)}
    well.health = "unhealthy"
    after = {id(group.choose()) for _ in range(4)}

    assert before == {id(well)}
    assert after == {id(well), id(ill)}


def test_a_new_target_gets_nothing_before_its_checks_pass():
    group = TargetGroup("api", "arn")
    target = group.register(("127.0.0.1", 1))

    target.checked(True, HealthCheck(passes=2))
    first = group.choose()
    target.checked(True, HealthCheck(passes=2))

    assert first is None
    assert group.choose() is target


def test_one_failed_check_in_between_leaves_a_target_healthy():
    check, target = HealthCheck(passes=2, failures=2), TargetGroup("api", "arn").register(("127.0.0.1", 1))

    for passed in (True, True, False, True, False):
        target.checked(passed, check)
    still = target.health
    target.checked(False, check)

    assert still == "healthy"
    assert target.health == "unhealthy"


def test_a_draining_target_stays_until_its_last_request_ends():
    group = TargetGroup("api", "arn")
    target = group.register(("127.0.0.1", 1))
    target.health, target.in_flight = "healthy", 1

    group.deregister(target.address)
    kept = group.forget_drained()
    chosen = group.choose()
    target.in_flight = 0

    assert kept == []
    assert chosen is None
    assert group.forget_drained() == [target.address]
