"""Published examples of CPU credits against the bucket."""

from __future__ import annotations

import numpy as np
import pytest
from truth_cases import agrees, case, of_kind

from catalogue import load_catalogue
from sizing.model.credits import break_even_ratio, run_bucket

Z = np.zeros(())


def played(asked):
    """The balance at the end of each period, throttled hours and charged credits, launch credits in the balance."""
    cap, earn = np.array(float(asked["cap"])), asked["earn_per_hour"]
    floor = -cap if asked["mode"] == "unlimited" else Z
    balance, launch = np.array(float(asked.get("initial_balance", 0))), np.array(float(asked.get("launch_credits", 0)))
    for period in asked["periods"]:
        hours, per_hour = period["hours"], period["cpu_pct"] / 100 * asked["vcpus"] * 60
        after = run_bucket(np.array([per_hour * hours]), np.array(earn * hours), cap, floor, balance, launch)
        balance, launch = after.balance, after.launch
        short = float(after.short)
        yield max(float(balance + launch), 0.0), short / (per_hour - earn) if short else 0.0, short, max(-float(balance), 0.0)


@pytest.mark.parametrize("told", of_kind("credit_sim"), ids=lambda c: c["id"])
def test_credits_are_earned_spent_and_short_as_aws_plays_it(told):
    asked, expected = told["inputs"], told["expected"]

    balance, hours, short, surplus = (list(column) for column in zip(*played(asked), strict=True))

    unlimited = asked["mode"] == "unlimited"
    usd = asked.get("rate_per_vcpu_hour", 0) / 60
    found = {
        "end_balance": balance,
        "throttled_hours": hours,
        "charged": short if unlimited else [0.0] * len(short),
        "total_charged": sum(short),
        "surplus": surplus,
        "charge_running_usd": sum(short) * usd,
        "charge_if_terminated_usd": (sum(short) + surplus[-1]) * usd,
    }
    assert agrees(expected, found, told["tolerance"])


def test_five_minutes_follow_cloudwatchs_equation():
    """EC2 User Guide, "Monitor your CPU credits": balance = prior + earned − spent."""
    told = case("A-cw-standard-equation")
    asked, earned = told["inputs"], told["inputs"]["earn_per_hour"] / 12

    after = run_bucket(np.array([asked["usage"]]), np.array(earned), np.array(144.0), Z, np.array(asked["prior"]), Z)

    assert agrees(told["expected"], {"balance": after.balance, "earned_5min": earned}, told["tolerance"])


def test_a_small_machine_at_full_speed_empties_no_faster_than_a_credit_a_minute():
    """The user guide's picture shows 72 credits gone in 67 minutes, which one vCPU cannot do; the bucket charges 8, not 25."""
    told = case("A-t2-unlimited-ex2-timeline")
    asked, earned = told["inputs"], told["inputs"]["earn_per_hour"] / 60
    cap, full = np.array(float(asked["balance"])), np.array(float(asked["balance"]))

    def after(minutes):
        return run_bucket(np.ones(minutes), np.array(earned), cap, -cap, full, Z)

    needed = asked["balance"] + earned * asked["t1_min"]
    found = {
        "max_gross_first": float(asked["t1_min"]),
        "needed_gross_first": needed,
        "feasible": bool(after(asked["t1_min"]).balance <= 0),
        "minutes_to_empty_at_100pct": asked["balance"] / (1 - earned),
        "fluid_charged_by_0220": after(asked["t1_min"] + asked["t2_min"] + asked["t3_min"]).short,
    }
    assert agrees(told["expected"], found, told["tolerance"])
    assert after(75).balance > 0 > after(76).balance


def test_unlimited_breaks_even_where_the_user_guide_says():
    told = case("A-breakeven-t3xlarge-2xlarge")
    asked = told["inputs"]

    def percent(size, prices):
        own = {"xl": asked["a"], "xxl": asked["b"]}[size]
        return 100 * break_even_ratio(own["base"] / 100, asked[prices][size], own["m5"], own["vcpus"], asked["rate"])

    found = {"xl": percent("xl", "t3_page_scaled"), "xxl": percent("xxl", "t3_page_scaled"), "xl_now": percent("xl", "t3_list")}
    assert agrees(told["expected"], found, told["tolerance"])


def test_credits_are_reckoned_in_the_five_minutes_that_aws_keeps():
    """EC2 User Guide: credit metrics come every five minutes, in vCPU-minutes; a longer period needs their sum."""
    told = case("F-cw-credit-metrics")["expected"]
    rule = load_catalogue("ap-northeast-2").types["t2.micro"].burst

    # Twelve five-minute periods at one vCPU spend an hour's sixty, and their mean would say five.
    hour = run_bucket(np.full(12, told["period_s"] / 60), np.array(0.0), np.array(144.0), Z, np.array(144.0), Z)

    assert hour.balance == 144 - 60
    assert (rule.launch_credits > 0) == told["t2_standard_balance_includes_launch_credits"]
