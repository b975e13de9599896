"""The cheapest way to read metrics: whatever the stack and the span, nothing is left out, asked twice, or asked beyond a limit."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_account import instance, topology

from collectors import planned_metrics
from collectors.metric_plan import (
    DAY_S,
    POINTS_A_CALL,
    QUERIES_A_CALL,
    bill_of,
    fill_calls,
    parts_by_age,
    plan_calls,
    uncovered,
    whole_span,
)
from collectors.metrics import Kind, Metric

NOW = 1_795_550_400
"""2026-11-24T20:00:00Z."""


def metric(name="m", statistics=1, period_s=60):
    kind = Kind(name, ("Average", "p50", "p90", "p99", "Sum", "Maximum")[:statistics], "Count", period_s)
    return Metric("N", (("Id", "1"),), kind, period_s)


def days(n, end=NOW - 600):
    return end - round(n * DAY_S), end


metrics = st.lists(st.tuples(st.integers(1, 6), st.sampled_from([60, 300])), min_size=1, max_size=30).map(
    lambda found: [metric(f"m{n}", *each) for n, each in enumerate(found)]
)


def test_forty_metrics_of_a_fortnight_are_billed_once_each_in_the_fewest_calls():
    """5 response times of 4 statistics and 35 counts: 55 series of 20,160 minutes are 11 full calls of 100,800 points."""
    stack = topology(groups=4)

    bill = bill_of(plan_calls(planned_metrics(stack), days(14), NOW))

    assert (bill.metrics, bill.billed, bill.calls, bill.points) == (40, 40, 11, 11 * POINTS_A_CALL)


def test_an_hour_of_many_metrics_is_bound_by_queries():
    """500 queries a call (CloudWatch API reference, GetMetricData)."""
    bill = bill_of(plan_calls([metric(f"m{n}") for n in range(1001)], days(1 / 24), NOW))

    assert (bill.billed, bill.calls) == (1001, 3)


@pytest.mark.parametrize(("statistics", "billed"), [(1, 1), (4, 1), (5, 1), (6, 2)])
def test_up_to_five_statistics_of_a_metric_are_billed_as_one(statistics, billed):
    """CloudWatch pricing: up to five statistics for the same metric in one request."""
    assert bill_of(plan_calls([metric(statistics=statistics)], days(1), NOW)).billed == billed


def test_a_span_is_cut_where_periods_get_longer():
    """60 s for 15 days, 300 s for 63, 3,600 s for 455; a metric of five minutes is not cut at 15 days."""
    minute = [(part.period_s, part.span) for part in parts_by_age(metric(), days(90), NOW)]
    five = [part.period_s for part in parts_by_age(metric(period_s=300), days(90), NOW)]

    assert [period for period, _ in minute] == [60, 300, 3600]
    assert all(later[0] == earlier[1] for (_, later), (_, earlier) in pairwise(minute))
    assert minute[-1][1][0] <= days(90)[0]
    assert five == [300, 3600]


def test_a_fortnight_is_read_by_the_minute_and_what_nobody_keeps_isnt_asked_for():
    assert [part.period_s for part in parts_by_age(metric(), days(14), NOW)] == [60]
    assert parts_by_age(metric(), (NOW - 500 * DAY_S, NOW - 460 * DAY_S), NOW) == []
    assert parts_by_age(metric(), days(600), NOW)[-1].span[0] >= NOW - 455 * DAY_S


@given(metrics=metrics, reach=st.floats(0.01, 500))
def test_each_metric_is_asked_for_once_over_all_that_is_kept_and_no_limit_is_exceeded(metrics, reach):
    calls = plan_calls(metrics, whole_span(*days(reach)), NOW)

    for each in metrics:
        spans = sorted(part.span for call in calls for part in call.parts if part.metric == each)
        assert all(earlier[1] == later[0] for earlier, later in pairwise(spans))
        assert spans[-1][1] == whole_span(*days(reach))[1]
        assert spans[0][0] <= max(whole_span(*days(reach))[0], NOW - 455 * DAY_S + 3_900)
    for call in calls:
        assert {part.span for part in call.parts} == {call.span}
        assert sum(part.queries for part in call.parts) <= QUERIES_A_CALL
        assert sum(part.points for part in call.parts) <= POINTS_A_CALL or len(call.parts) == 1


@given(metrics=metrics)
def test_a_span_takes_no_more_calls_than_its_points_need(metrics):
    """A lower bound: no way of filling calls needs fewer than all points by a call's. What the largest leave, small ones fill."""
    counts = [m for m in metrics if m.period_s == 60 and len(m.kind.statistics) in (1, 4)]
    parts = [part for m in counts for part in parts_by_age(m, days(14), NOW)]

    calls = fill_calls(parts)

    ones, fours = (sum(part.queries == n for part in parts) for n in (1, 4))
    assert len(calls) == fours + -(-max(0, ones - fours) // 5)


@given(metrics=metrics, read=st.integers(0, 40))
def test_what_was_read_is_never_planned_again_and_the_rest_as_before(metrics, read):
    """A broken-off collection goes on with the calls that it had left."""
    span = whole_span(*days(20))
    calls = plan_calls(metrics, span, NOW)
    done = {m: [call.span for call in calls[:read] for part in call.parts if part.metric == m] for m in metrics}

    assert plan_calls(metrics, span, NOW, done) == calls[read:]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted), max_size=6))
def test_what_is_not_covered_and_what_is_are_all(covered):
    left = uncovered((10, 50), [tuple(span) for span in covered])

    inside = {t for from_, to in covered for t in range(from_, to)}
    assert {t for from_, to in left for t in range(from_, to)} == set(range(10, 50)) - inside


def test_the_stack_decides_what_is_asked_for():
    """EC2 user guide: basic monitoring has five-minute periods, credits always; surplus only where it can be spent."""
    gp2, gp3 = {"id": "vol-1", "type": "gp2"}, {"id": "vol-2", "type": "gp3"}
    stack = topology(
        groups=0,
        instances=[instance("i-1", "basic", "standard", (gp2,)), instance("i-2", "detailed", "unlimited", (gp3,)), instance("i-3")],
        rds=[{"id": "moco", "class": "db.t3.micro"}], cache=[{"id": "tokens", "class": "cache.m6g.large"}],
        agent_metrics=[
            {"name": "mem_used_percent", "dimensions": {"InstanceId": "i-1", "host": "web"}},
            {"name": "mem_used_percent", "dimensions": {"InstanceId": "i-999"}},
            {"name": "cpu_usage_guest", "dimensions": {"InstanceId": "i-1"}},
        ],
    )  # fmt: skip

    planned = planned_metrics(stack)

    def of(value):
        return {(m.kind.name, m.period_s) for m in planned if value in dict(m.dimensions).values()}

    assert {("CPUUtilization", 300), ("CPUCreditBalance", 300), ("mem_used_percent", 60)} <= of("i-1")
    assert ("CPUSurplusCreditBalance", 300) not in of("i-1")
    assert {("CPUUtilization", 60), ("CPUCreditUsage", 300), ("CPUSurplusCreditsCharged", 300)} <= of("i-2")
    assert of("i-3") == {("CPUUtilization", 60), ("NetworkIn", 60), ("NetworkOut", 60)}
    assert ("BurstBalance", 300) in of("vol-1")
    assert ("BurstBalance", 300) not in of("vol-2")
    assert ("CPUCreditBalance", 300) in of("moco")
    assert ("CPUCreditBalance", 300) not in of("tokens")
    assert len(planned) == len(set(planned))
    assert not of("i-999")
