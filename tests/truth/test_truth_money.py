"""Published cases of reservations, capacity units and prices against sizing.money."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from truth_cases import agrees, case, of_kind

from catalogue import load_catalogue, size_units
from sizing.money import Holding, Usage, alb_lcu, apply_held, nlb_lcu, stack_cost
from sizing.money.lcu import NLB_TCP_CAPACITY, NLB_UDP_CAPACITY
from sizing.money.stack import address_usd
from sizing.money.units import MONTH_H, as_many, break_even_hours, break_even_ratio, effective_hourly_usd, tiered_usd

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def dec(value):
    return Decimal(str(value))


@pytest.mark.parametrize("told", of_kind("ri_apply"), ids=lambda c: c["id"])
def test_reservations_cover_hosts_as_aws_applies_them(told):
    """EC2 and RDS user guides: zonal first, then regional within the family, the smallest size first."""
    usage = [Usage(u["id"], u["type"], u["count"], zone=u.get("az")) for u in told["inputs"]["usage"]]
    held = [Holding(r["id"], r["type"], r["count"], r["scope"], zone=r.get("az")) for r in told["inputs"]["reservations"]]

    covers = apply_held(held, usage, NOW)

    count = {use.host_class: sum(n for cover in covers for name, _, n in cover.covers if name == use.host_class) for use in usage}
    found = {
        "covered_instances": count,
        "covered_pct": {use.host_class: 100 * count[use.host_class] / use.count for use in usage},
        "unused_units": {cover.holding.id: cover.unused_units for cover in covers},
    }
    assert agrees(told["expected"], found, told["tolerance"])


def test_a_reservation_breaks_even_at_the_ratio_of_the_two_prices():
    """Cloudability, "Measuring Reserved Instance profitability with the break even point"."""
    told = case("B-breakeven-cloudability")
    od, ri, hours = (dec(told["inputs"][key]) for key in ("od", "ri", "h"))

    ratio = break_even_ratio(ri, od) * 100

    found = {"od_year": od * hours, "ri_year": ri * hours, "saving_pct": 100 - ratio, "half_use_od": od * hours / 2, "breakeven_pct": ratio}
    assert agrees(told["expected"], found, told["tolerance"])


def test_a_small_instance_of_2010_earned_its_upfront_back_in_under_six_months():
    """Fluidinfo, 2010: 227.50 upfront and 0.03 an hour against 0.085."""
    told = case("B-breakeven-fluidinfo-2010")
    upfront, ri, od, hours = (dec(told["inputs"][key]) for key in ("upfront", "ri", "od", "h"))

    earned = break_even_hours(upfront, ri, od)

    found = {
        "ri_year": effective_hourly_usd(upfront, ri, 1) * hours,
        "od_year": od * hours,
        "breakeven_hours": earned,
        "months": earned / hours * 12,
    }
    assert agrees(told["expected"], found, told["tolerance"])


def test_an_upfront_sum_is_earned_back_by_the_cheaper_hour():
    """CloudCostKit's calculator, which says 730 hours and computes with 729.6."""
    told = case("B-breakeven-upfront-6667")
    od, ri, upfront, month_h = (dec(told["inputs"][key]) for key in ("od", "ri", "upfront", "hours_per_month"))

    hours = break_even_hours(upfront, ri, od)

    found = {
        "hours": hours,
        "months": hours / month_h,
        "od_month": od * month_h,
        "ri_month": ri * month_h,
        "saving_month": (od - ri) * month_h,
    }
    assert agrees(told["expected"], found, told["tolerance"])


def test_what_is_never_earned_back_has_no_break_even():
    """Ours: the hour reserved is as dear as the hour on demand."""
    assert break_even_hours(Decimal(1), Decimal("0.03"), Decimal("0.03")) is None


def test_a_reservations_list_value_is_upfront_plus_every_hour():
    """EC2 User Guide, "How you are billed": 121.32 = 60.00 + (0.007 * 8760)."""
    told = case("B-list-value")
    fixed, hourly, hours = (dec(told["inputs"][key]) for key in ("fixed", "hourly", "hours"))

    value = effective_hourly_usd(fixed, hourly, 1) * hours

    assert agrees(told["expected"], {"list_value": value}, told["tolerance"])


def test_hours_of_large_cache_nodes_are_hours_of_small_ones_by_units():
    """ElastiCache user guide, "Reserved nodes"."""
    told = case("B-elasticache-hours")
    assert {
        key: float(size_units(f"cache.r6g.{size}"))
        for key, size in (("x4", "4xlarge"), ("large", "large"), ("xlarge", "xlarge"), ("x2", "2xlarge"))
    } == told["inputs"]

    found = {
        "hours_of_large": as_many(2 * size_units("cache.r6g.4xlarge"), "cache.r6g.large"),
        "large_covered": as_many(size_units("cache.r6gd.xlarge"), "cache.r6gd.large"),
        "pct_2xlarge": as_many(size_units("cache.r6gd.xlarge"), "cache.r6gd.2xlarge") * 100,
    }

    assert agrees(told["expected"], found, told["tolerance"])


def test_a_database_cluster_counts_each_of_its_hosts():
    """RDS user guide, "Reserved DB instances for Amazon RDS"."""
    told = case("B-rds-cluster")
    large, xlarge = size_units("db.m6gd.large"), size_units("db.m6gd.xlarge")

    found = {
        "six_large_units": 6 * large, "three_xl_units": 3 * xlarge,
        "covered_of_three": as_many(told["inputs"]["multi_az_factor"] * large, "db.m6gd.large"),
    }  # fmt: skip

    assert agrees(told["expected"], found, told["tolerance"])


def test_tiers_are_cheaper_together_than_apart():
    """AWS Billing, "Understanding Consolidated Bills"."""
    told = case("B-consolidated-s3-tiers")
    sizes, rates = zip(*told["inputs"]["tiers"], strict=True)
    tiers = {dec(sum(sizes[:index])): dec(usd) for index, usd in enumerate(rates)}
    members = [dec(gb) for gb in told["inputs"]["members"]]

    together = tiered_usd(sum(members), tiers)

    found = {"together": together, "separate": sum(tiered_usd(gb, tiers) for gb in members), "blended_per_gb": together / sum(members)}
    assert agrees(told["expected"], found, told["tolerance"])


def test_an_address_costs_by_the_hours_of_the_month():
    """DoiT, 2023: $0.005 an hour is $3.60 in 720 and $3.65 in 730 hours."""
    told = case("D-ipv4-365")
    cat = load_catalogue("ap-northeast-2")

    found = {f"m{hours}": address_usd(cat, Decimal(hours)) for hours in (720, 730, 744)}

    assert cat.service("vpc", "public IPv4 address, in use")[0].usd == dec(told["inputs"]["rate"])
    assert agrees(told["expected"], found, told["tolerance"])


def test_a_load_balancer_holds_one_address_a_zone():
    """AWS: an address a zone of the load balancer, and one a host."""
    told = case("D-ipv4-alb-azs")
    count = told["inputs"]["azs"] + told["inputs"]["instances"]
    addresses = [{"ip": f"198.51.100.{n}", "owner": "x", "service": "elb", "needed": True} for n in range(count)]

    cost = stack_cost({"addresses": addresses}, load_catalogue("us-east-1"), hours=MONTH_H)

    assert count == told["expected"]["addresses"]
    assert agrees({"usd": told["expected"]["usd"]}, {"usd": cost.total_usd}, told["tolerance"])


@pytest.mark.parametrize("told", of_kind("lcu"), ids=lambda c: c["id"])
def test_the_dearest_dimension_is_billed_and_never_the_sum(told):
    """Elastic Load Balancing pricing, and a calculator that paraphrases its examples."""
    asked = told["inputs"]
    load = {"new_per_s": dec(asked["new_per_s"]), "duration_s": dec(asked["duration_s"]), "gb_per_h": dec(asked["gb_per_hour"])}

    if "capacity" in asked:
        capacity = {name: dec(value) for name, value in asked["capacity"].items()}
        used = nlb_lcu(**load, capacity=capacity)
        assert capacity in (NLB_TCP_CAPACITY, NLB_UDP_CAPACITY)
    else:
        used = alb_lcu(**load, requests_per_s=dec(asked["requests_per_s"]), rules=asked["rules"])

    hour = used.units * dec(asked["lcu_price"])
    found = {
        "dims": used.by_dimension, "lcu": used.units, "binding": used.binding, "lcu_usd_hour": hour, "lcu_usd_month": hour * 720,
        "total_usd_month": (hour + dec(asked.get("alb_hour", 0))) * 720,
    }  # fmt: skip
    assert agrees(told["expected"], found, told["tolerance"])


def test_transfer_is_free_up_to_the_hundredth_gigabyte():
    """A page on AWS egress: (5,120 − 100) GB at $0.09 in N. Virginia."""
    told = case("D-egress-5tb")
    cost = stack_cost({}, load_catalogue("us-east-1"), transfer_gb=dec(told["inputs"]["gb"]))

    usd = cost.lines[-1].monthly_usd

    assert agrees({"egress": told["expected"]["egress"]}, {"egress": usd}, told["tolerance"])
