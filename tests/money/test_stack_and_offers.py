"""The month of a stack, and a host on demand beside one reserved."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import load_catalogue
from evidence import SizeupError
from sizing.money import compare_offers, stack_cost
from sizing.money.free_tier import free_months_left
from sizing.money.units import cents, dollars, rate

SEOUL = load_catalogue("ap-northeast-2")


def moco(addresses=5):
    """The stack of two friends: two hosts, one load balancer, a database with a public address, a cache."""
    owners = [("elb", True), ("elb", True), ("ec2", True), ("ec2", True), ("rds", False)]
    return {
        "load_balancer": {"name": "app/moco/1"},
        "instances": [
            {"id": f"i-{name}", "class": name, "type": "t3.small", "volumes": [{"type": "gp3", "gib": 30}]} for name in ("frontend", "api")
        ],
        "addresses": [
            {"ip": f"198.51.100.{n}", "owner": f"{service}-{n}", "service": service, "needed": needed}
            for n, (service, needed) in enumerate(owners[5 - addresses :])
        ],
        "rds": [{"id": "moco", "class": "db.t3.micro", "engine": "postgres", "multi_az": False, "public": True}],
        "cache": [{"id": "moco", "class": "cache.t3.micro", "engine": "redis", "nodes": 1}],
    }


@pytest.mark.parametrize(("count", "hours", "usd"), [(4, 720, "14.40"), (5, 720, "18.00"), (5, 730, "18.25")])
def test_public_addresses_cost_half_a_cent_an_hour_each(count, hours, usd):
    """Moco's four addresses $14.40 for 720 h, five $18."""
    cost = stack_cost({"addresses": moco(count)["addresses"]}, SEOUL, hours=Decimal(hours))

    assert cents(cost.total_usd) == usd


def test_a_month_of_the_stack_adds_its_lines_each_with_source_and_date():
    """Seoul, 730 hours: hosts 0.026, ALB 0.0225, address 0.005, db.t3.micro 0.028, cache.t3.micro 0.025, gp3 0.0912 a GB."""
    cost = stack_cost(moco(), SEOUL)

    by_hour = 2 * Decimal("0.026") + Decimal("0.0225") + 5 * Decimal("0.005") + Decimal("0.028") + Decimal("0.025")
    assert cost.total_usd == 730 * by_hour + 60 * Decimal("0.0912")
    assert all(line.source and line.as_of for line in cost.lines if line.monthly_usd is not None)


def test_what_is_not_known_is_null_and_says_what_lifts_it():
    """docs/reference: unknown = null plus an entry in unknowns."""
    cost = stack_cost(moco(), SEOUL)

    unknown = {cost.lines[int(entry["path"].split("[")[1].split("]")[0])].what for entry in cost.unknowns}
    assert unknown == {"capacity units", "moco storage", "out to internet"}
    assert all(entry["lift"] and entry["why"] for entry in cost.unknowns)
    assert all(line["monthly_usd"] is None for line in cost.as_json()["lines"] if line["quantity"] is None)


def test_known_traffic_prices_the_load_balancer_and_the_transfer():
    """Seoul: an LCU 0.008 an hour; 0.126 a GB to 10 TB after 100 free, 0.122 beyond."""
    cost = stack_cost(moco(), SEOUL, lcu=Decimal("0.5"), transfer_gb=Decimal(11_340))
    by_what = {line.what: line.monthly_usd for line in cost.lines}

    assert by_what["capacity units"] == Decimal("0.5") * 730 * Decimal("0.008")
    assert by_what["out to internet"] == pytest.approx(10_240 * Decimal("0.126") + 1_000 * Decimal("0.122"))


def test_a_databases_public_address_can_go_and_saves_its_price():
    """Section 1 of the design: five addresses at $0.005 an hour, one removed."""
    (address,) = stack_cost(moco(), SEOUL).removable

    assert address.as_json() == {"ip": "198.51.100.4", "owner": "rds-4", "service": "rds", "saves_monthly_usd": "3.65"}


def test_a_type_without_a_price_is_null_and_never_guessed():
    """Ours."""
    cost = stack_cost({"instances": [{"id": "i", "class": "api", "type": "t9.huge", "volumes": []}]}, SEOUL)

    assert cost.as_json()["lines"][0]["monthly_usd"] is None
    assert cost.unknowns[0]["path"] == "lines[0].monthly_usd"


@given(st.lists(st.sampled_from(["t2.micro", "t3.small", "t4g.small", "m5.large"]), max_size=6), st.integers(1, 744))
def test_a_stack_costs_what_its_parts_cost_apart(types, hours):
    """Additivity, to the last digit."""
    hosts = [{"id": f"i-{n}", "class": "api", "type": name, "volumes": []} for n, name in enumerate(types)]

    together = stack_cost({"instances": hosts}, SEOUL, hours=Decimal(hours)).total_usd

    assert together == sum((stack_cost({"instances": [h]}, SEOUL, hours=Decimal(hours)).total_usd for h in hosts), Decimal(0))


def test_a_host_on_demand_stands_beside_its_three_payments():
    """Seoul, t3.small: 227.76 a year on demand, 137.53, 131.70 and 128 reserved."""
    rows = {row.payment: row for row in compare_offers(SEOUL, "t3.small")}

    assert [cents(row.effective_hourly_usd * 8760) for row in rows.values()] == ["227.76", "137.53", "131.70", "128.00"]
    assert [cents(row.monthly_usd) for row in rows.values()] == ["18.98", "11.46", "10.97", "10.67"]
    assert (rows["all_upfront"].upfront_usd, rows["partial_upfront"].upfront_usd) == (Decimal(128), None)


def test_a_reservation_breaks_even_in_the_month_that_on_demand_has_cost_as_much():
    """128 / (0.026 × 730) = 6.74 months; on demand has none."""
    rows = {row.payment: row for row in compare_offers(SEOUL, "t3.small")}

    assert rows["on_demand"].break_even_month is None
    month = Decimal(128) / (Decimal("0.026") * 730)
    assert (rows["all_upfront"].break_even_month, rows["all_upfront"].payback_month) == (pytest.approx(month), pytest.approx(month))
    assert rows["no_upfront"].payback_month == 0
    assert rows["no_upfront"].break_even_month > 7


def test_an_estimated_offer_says_so():
    """Seoul's list lacks t3a.2xlarge all upfront."""
    rows = {row.payment: row.estimated for row in compare_offers(SEOUL, "t3a.2xlarge")}

    assert rows == {"on_demand": False, "no_upfront": False, "partial_upfront": True, "all_upfront": True}


def test_an_unknown_type_is_refused():
    """Ours."""
    with pytest.raises(SizeupError, match="unknown instance type"):
        compare_offers(SEOUL, "t3.smal")


@pytest.mark.parametrize(
    ("name", "free_tier", "ends_at", "months"),
    [
        ("t3.small", "none", None, 0), ("t3.small", "legacy", date(2027, 1, 1), 0), ("t2.micro", "legacy", None, None),
        ("t3.small", "unknown", None, None),
        ("t2.micro", "legacy", date(2026, 11, 1), 0), ("t3.small", "credits", date(2027, 11, 24), 12),
    ],
)  # fmt: skip
def test_the_free_tier_pays_for_what_its_kind_covers(name, free_tier, ends_at, months):
    """AWS Free Tier: before 2025-07-15 a t2.micro for twelve months; later accounts credits."""
    left = free_months_left(name, free_tier, ends_at, date(2026, 11, 24), SEOUL)

    assert left == (None if months is None else pytest.approx(months))


def test_amounts_are_written_for_people_and_for_programs():
    """docs/reference: money as decimal strings; CONTRIBUTING.md: $64, $3.83."""
    assert [dollars(Decimal(x)) for x in ("64", "3.826", "-1.2", "1234.5")] == ["$64", "$3.83", "−$1.20", "$1,234.50"]
    assert [cents(Decimal("3.825")), cents(None), rate(Decimal("0.0157000")), rate(Decimal(0))] == ["3.83", None, "0.0157", "0"]
