"""Published cases of groups B and C against the bill of an hour."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from truth_cases import agrees, case, of_kind

from sizing.money.billing import (
    Plan,
    Reservation,
    Use,
    bill_hour,
    clock_hours,
    consolidated_usd,
    coverage_ratio,
    exchange,
    merged,
    plan_payment,
)
from sizing.money.held import Holding

KINDS = {"csp": "compute", "ec2sp": "ec2", "dbsp": "database"}


def dec(value):
    return Decimal(str(value))


def used(row):
    """One row of a case's usage."""
    rates = {KINDS[key]: dec(row[key]) for key in KINDS if key in row}
    return Use(row["id"], row["id"], dec(row["qty"]), dec(row["od"]), rates, row.get("family"))


def planned(row):
    """One plan of a case."""
    return Plan(row["id"], row["type"].removesuffix("_instance"), dec(row["commitment"]), row.get("family"))


@pytest.mark.parametrize("told", of_kind("savings_plan"), ids=lambda c: c["id"])
def test_plans_cover_usage_as_aws_applies_them(told):
    """Savings Plans User Guide, "Understanding how Savings Plans apply to your usage"."""
    usage = [used(row) for row in told["inputs"]["usage"]]
    held = [Reservation(Holding(f"ri-{name}", name, count)) for name, count in told["inputs"].get("ri_covers", {}).items()]
    plans = [planned(row) for row in told["inputs"]["plans"]]

    bill = bill_hour(usage, held, plans)

    found = {
        "on_demand_total": bill.on_demand_usd, "on_demand_by_usage": bill.on_demand, "units_covered": bill.covered,
        "commitment_lost": bill.lost, "bill": bill.total_usd, "all_on_demand": bill_hour(usage).total_usd,
        "sp_cost_of_everything": sum(use.plan_usd["compute"] * use.quantity for use in usage),
    }  # fmt: skip
    assert agrees(told["expected"], found, told["tolerance"])


@pytest.mark.parametrize("told", of_kind("ri_apply"), ids=lambda c: c["id"])
def test_reservations_are_billed_as_aws_applies_them(told):
    """EC2 and RDS user guides, as in `apply_held`, through the bill."""
    usage = [Use(u["id"], u["type"], dec(u["count"]), Decimal(1), zone=u.get("az")) for u in told["inputs"]["usage"]]
    held = [Reservation(Holding(r["id"], r["type"], r["count"], r["scope"], zone=r.get("az"))) for r in told["inputs"]["reservations"]]

    bill = bill_hour(usage, held)

    found = {
        "covered_instances": bill.reserved, "unused_units": bill.unused_units,
        "covered_pct": {use.id: 100 * bill.reserved[use.id] / use.quantity for use in usage},
    }  # fmt: skip
    assert agrees(told["expected"], found, told["tolerance"])
    assert bill.on_demand_usd == sum(use.quantity - bill.reserved[use.id] for use in usage)


@pytest.mark.parametrize("told", of_kind("ri_clock_hour"), ids=lambda c: c["id"])
def test_a_reservation_covers_an_hour_of_use_in_each_clock_hour(told):
    """EC2 User Guide, "How you are billed"."""
    count = told["inputs"]["reservations"]
    hours = clock_hours(told["inputs"]["instance_seconds"])

    bill = bill_hour([Use("i", "m4.xlarge", hours, Decimal(1))], [Reservation(Holding("r", "m4.xlarge", count), Decimal(1))])

    found = {"ri_hours_used": bill.reserved["i"], "od_hours": bill.on_demand["i"], "ri_hours_charged": bill.reservations_usd}
    assert agrees(told["expected"], found, told["tolerance"])


def test_a_convertible_is_exchanged_for_no_less_than_it_was_worth():
    """EC2 User Guide, "Exchange Convertible Reserved Instances"."""
    told = case("B-convertible-exchange")
    asked = {key: dec(value) for key, value in told["inputs"].items()}

    found = exchange(
        asked["old_list"], asked["new_list"], remaining_old_usd=asked["remaining_old"], prorated_new_usd=asked["prorated_new"]
    )

    assert agrees(told["expected"], {"ratio": found.ratio, "instances": found.instances, "true_up": found.true_up_usd}, told["tolerance"])


def test_merged_convertibles_take_the_longest_term_and_the_latest_end():
    """The same page."""
    told = case("B-convertible-merge")

    found = [merged([tuple(told["inputs"]["ris"][name]) for name in names]) for names in told["inputs"]["merges"]]

    assert agrees(told["expected"], {"expiry": [end for _, end in found], "years": [years for years, _ in found]}, told["tolerance"])
    assert all(date.fromisoformat(end) for _, end in found)


def test_members_are_priced_by_tiers_together():
    """AWS Billing, "Understanding Consolidated Bills"."""
    told = case("B-consolidated-s3-tiers")
    starts = [0, 1000, 50000]
    tiers = {dec(start): dec(usd) for start, (_, usd) in zip(starts, told["inputs"]["tiers"], strict=True)}

    together = consolidated_usd([dec(gb) for gb in told["inputs"]["members"]], tiers)

    assert agrees({"together": told["expected"]["together"]}, {"together": together}, told["tolerance"])


def test_coverage_counts_usage_at_its_price_on_demand():
    """Cost Management user guide, coverage."""
    told = case("C-coverage")

    ratio = coverage_ratio(dec(told["inputs"]["covered_od"]), dec(told["inputs"]["total_od"]))

    assert agrees(told["expected"], {"coverage_pct": ratio * 100}, told["tolerance"])


def test_half_a_plan_is_paid_at_once():
    """Savings plans, partial upfront."""
    told = case("C-partial-upfront")

    upfront, hourly = plan_payment(dec(told["inputs"]["commitment_hour"]), dec(told["inputs"]["hours"]), dec("0.5"))

    assert agrees(told["expected"], {"upfront": upfront, "monthly_rest_per_hour": hourly}, told["tolerance"])


def test_an_ec2_plan_is_applied_before_a_compute_plan():
    """The same page, several plans: $3.00 for r5 covers 4 × 0.60 and loses 0.60, $16.80 covers all of Fargate."""
    rows = case("C-scenario1")["inputs"]["usage"]
    plans = [Plan("csp", "compute", dec("16.8")), Plan("r5", "ec2", dec(3), "r5")]

    bill = bill_hour([used(row) for row in rows], (), plans)

    assert bill.lost == {"r5": dec("0.6"), "csp": 0}
    assert bill.covered["r5.4xlarge"] == 4
    assert bill.covered["fargate_gb"] == 1600
    assert bill.covered["fargate_vcpu"] == 400


def test_an_account_uses_its_own_reservation_and_plan_before_the_others_do():
    """EC2 User Guide: the purchasing account first, the smallest size first; then the organisation."""
    usage = [
        Use("theirs", "t3.micro", Decimal(2), Decimal("0.013"), {"compute": Decimal("0.009")}, account="b"),
        Use("own", "t3.small", Decimal(2), Decimal("0.026"), {"compute": Decimal("0.019")}, account="a"),
    ]
    held = [Reservation(Holding("r", "t3.small", 1, account="a"), Decimal("0.0157"))]

    bill = bill_hour(usage, held, [Plan("p", "compute", Decimal("0.02"), account="a")])

    assert bill.reserved == {"own": 1, "theirs": 0}
    assert bill.covered["own"] == 1
    assert abs(bill.covered["theirs"] * 9 - 1) < Decimal("1e-25")
    assert bill.lost == {"p": 0}


def test_what_an_own_account_leaves_goes_to_the_others():
    """Two accounts, each with one reservation; neither takes the other's while it could be used at home."""
    usage = [
        Use("a", "m5.large", Decimal("0.5"), Decimal(1), account="a"), Use("b", "m5.large", Decimal(2), Decimal(1), account="b"),
    ]  # fmt: skip
    held = [Reservation(Holding(name, "m5.large", 1, account=name)) for name in ("a", "b")]

    bill = bill_hour(usage, held)

    assert bill.reserved == {"a": Decimal("0.5"), "b": Decimal("1.5")}
    assert bill.unused_units == {"a": 0, "b": 0}
