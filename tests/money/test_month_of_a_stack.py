"""A month of a whole stack: what the traffic uses, the free tier, discounts; sums that add up whatever is in them."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import load_catalogue
from sizing.money import FreeTier, alb_lcu, between_zones_usd, egress_usd, free_tier_of, run_use, stack_cost
from sizing.money.month import units_of_log, units_of_metrics
from sizing.money.units import cents, tiered_usd

SEOUL, VIRGINIA = load_catalogue("ap-northeast-2"), load_catalogue("us-east-1")
START = datetime(2026, 11, 24, 3, tzinfo=UTC)
LOG = {"at": pl.Datetime("us", "UTC"), "client": pl.String, "received_bytes": pl.Int64, "sent_bytes": pl.Int64, "trace_run": pl.String}
DAY = date(2026, 11, 24)


def log(seconds=600, per_s=10, *, sent=2_000, requests_a_connection=5, own_share=0.0):
    """Lines of a steady load: every connection carries so many requests, so many of them are the servers' own."""
    count = seconds * per_s
    rows = [
        (
            START + timedelta(seconds=n / per_s),
            f"203.0.113.9:{n // requests_a_connection}",
            500,
            sent,
            None if n % 100 < own_share * 100 else "run",
        )
        for n in range(count + 1)
    ]
    return pl.DataFrame(rows, schema=LOG, orient="row")


def no_metrics():
    return pl.DataFrame([], schema={"namespace": pl.String, "metric": pl.String, "dimensions": pl.String, "statistic": pl.String,
                                    "period_s": pl.Int32, "value": pl.Float64})  # fmt: skip


def metrics(**per_minute):
    rows = [("AWS/ApplicationELB", name, "{}", "Sum", 60, float(value)) for name, values in per_minute.items() for value in values]
    return pl.DataFrame(rows, schema=no_metrics().schema, orient="row")


def hosts(*types):
    return {"instances": [{"id": f"i-{n}", "class": "api", "type": t} for n, t in enumerate(types)]}


def test_capacity_units_are_counted_from_the_access_log():
    """10 requests a second, five a connection: 2 new connections a second; 10 × 2,500 bytes a second; 2 rules."""
    used = units_of_log(log(), rules=2)

    assert float(used.by_dimension["new"]) == pytest.approx(2 / 25, rel=0.01)
    assert float(used.by_dimension["gb"]) == pytest.approx(10 * 2500 * 3600 / 1024**3, rel=0.01)
    assert float(used.by_dimension["active"]) == pytest.approx(120 / 3000, rel=0.1)
    assert used.by_dimension["rules"] == 0
    assert used.binding == "gb"


def test_rules_beyond_ten_are_evaluations():
    """Elastic Load Balancing pricing: the first ten are free; 10 requests a second by 15 rules are 50 evaluations."""
    used = units_of_log(log(), rules=15)

    assert float(used.by_dimension["rules"]) == pytest.approx(0.05, rel=0.01)


def test_what_the_load_balancer_counted_goes_before_the_log():
    """CloudWatch, a minute each: 1,500 new, 6,000 active, 1 GiB, 120,000 evaluations."""
    counted = metrics(NewConnectionCount=[1500], ActiveConnectionCount=[6000], ProcessedBytes=[1024**3], RuleEvaluations=[120_000])

    used = units_of_metrics(counted)

    assert {name: float(v) for name, v in used.by_dimension.items()} == {"new": 1, "active": 2, "gb": 60, "rules": 2}
    assert run_use(log(), counted, {}).lcu == used


def test_without_a_line_nothing_is_known_of_the_traffic():
    """Nothing is guessed."""
    use = run_use(log(0, 1), no_metrics(), {})

    assert (use.lcu, use.transfer_gb) == (None, None)
    assert units_of_metrics(metrics(NewConnectionCount=[1])) is None


def test_a_stated_mean_scales_what_the_run_used():
    """Half the run's rate from outside is half its units, and 5 × 2,000 bytes a second leave for the internet."""
    at_run, at_mean = run_use(log(), no_metrics(), {}), run_use(log(), no_metrics(), {}, mean_per_s=5.0)

    assert at_run.transfer_gb is None
    assert float(at_mean.lcu.units / at_run.lcu.units) == pytest.approx(0.5, rel=0.01)
    assert float(at_mean.transfer_gb) == pytest.approx(5 * 2000 * 730 * 3600 / 1024**3, rel=0.01)


def test_the_servers_own_calls_leave_for_no_internet():
    """A fifth of the lines are the frontend's calls to the API: they cross the load balancer and stay inside."""
    inside = run_use(log(own_share=0.2), no_metrics(), {}, mean_per_s=8.0)

    assert float(inside.transfer_gb) == pytest.approx(8 * 2000 * 730 * 3600 / 1024**3, rel=0.02)


def test_the_legacy_tier_pays_for_one_t2_micro_around_the_clock():
    """AWS Free Tier: 750 hours of t2.micro a month, two of them share it; a t3.micro gets none where t2.micro is offered."""
    cost = stack_cost(hosts("t2.micro", "t2.micro", "t3.micro"), SEOUL, free_tier=FreeTier("legacy"), day=DAY)

    assert [line.free_quantity for line in cost.lines[:3]] == [730, 20, 0]
    assert cost.free_tier_usd == cost.total_usd - 750 * SEOUL.on_demand("t2.micro").usd


def test_the_free_tier_ends():
    """Its last day is stated in the settings."""
    tier = FreeTier("legacy", ends_at=date(2026, 11, 1))

    assert stack_cost(hosts("t2.micro"), SEOUL, free_tier=tier, day=DAY).free_tier_usd == Decimal("10.512")
    assert stack_cost(hosts("t2.micro"), SEOUL, free_tier=tier, day=date(2026, 10, 31)).free_tier_usd == 0


def test_addresses_of_hosts_share_750_hours_and_a_databases_gets_none():
    """AWS public IPv4: EC2's own addresses alone."""
    addresses = [{"ip": f"198.51.100.{n}", "owner": "x", "service": s} for n, s in enumerate(("ec2", "ec2", "alb", "rds", "idle"))]

    cost = stack_cost({"addresses": addresses}, SEOUL, hours=Decimal(720), free_tier=FreeTier("legacy"), day=DAY)

    assert cents(cost.total_usd) == "18.00"
    assert cents(cost.free_tier_usd) == "14.25"


def test_credits_pay_for_everything_while_they_last():
    """AWS Free Tier since 2025-07-15: 100 dollars of credits, by what the account says."""
    tier = free_tier_of("unknown", None, {"accountPlanStatus": "ACTIVE", "accountPlanRemainingCredits": {"amount": 100.0, "unit": "USD"},
                                          "accountPlanExpirationDate": datetime(2027, 1, 15, tzinfo=UTC)})  # fmt: skip

    cost = stack_cost(hosts("t3.small"), SEOUL, free_tier=tier, day=DAY)

    assert (tier.kind, tier.ends_at, tier.source) == ("credits", date(2027, 1, 15), "freetier:GetAccountPlanState")
    assert cost.free_tier_usd == 0
    assert float(cost.credit_months) == pytest.approx(100 / (0.026 * 730))


def test_an_unknown_free_tier_is_no_figure():
    """Nothing is guessed."""
    assert stack_cost(hosts("t2.micro"), SEOUL).free_tier_usd is None
    assert free_tier_of("none", None, None).kind == "none"


def test_a_discount_is_off_every_line():
    """[pricing] discount_ratio; the removable address is worth less too."""
    topology = hosts("t3.small") | {"addresses": [{"ip": "1", "owner": "db", "service": "rds", "needed": False}]}

    cost = stack_cost(topology, SEOUL, discount_ratio=Decimal("0.1"))

    assert cost.total_usd == Decimal("0.9") * stack_cost(topology, SEOUL).total_usd
    assert cost.removable[0].monthly_usd == Decimal("3.285")


def test_provisioned_iops_and_a_databases_storage_are_lines():
    """Seoul: gp3 5,000 IOPS and 250 MB/s on a host, 20 GiB of gp2 under a database."""
    topology = hosts("t3.small") | {"rds": [{"id": "db", "class": "db.t3.micro", "engine": "postgres", "multi_az": False,
                                             "storage_gib": 20, "storage_type": "gp2"}]}  # fmt: skip
    topology["instances"][0]["volumes"] = [{"type": "gp3", "gib": 30, "iops": 5000, "mbps": 250}]

    lines = {line.what: line.monthly_usd for line in stack_cost(topology, SEOUL).lines}

    assert lines["i-0 gp3 IOPS"] == 2000 * Decimal("0.0057")
    assert lines["i-0 gp3 throughput"] == Decimal(125) / 1024 * Decimal("46.6944")
    assert lines["db storage gp2"] == 20 * Decimal("0.131")


def test_two_zones_of_storage_have_no_invented_price():
    """Seoul's list here has single-zone storage only."""
    database = {"id": "db", "class": "db.t3.micro", "engine": "postgres", "multi_az": True, "storage_gib": 20, "storage_type": "gp2"}

    cost = stack_cost({"rds": [database]}, SEOUL)

    assert cost.lines[1].monthly_usd is None
    assert "prices refresh" in cost.unknowns[0]["lift"]


def test_a_cdn_and_our_own_reading_are_lines_where_they_are_stated():
    """CloudFront's Asia group beyond its free TB; GetMetricData by the metric, whose Seoul price nobody here knows."""
    seoul = {line.service: line for line in stack_cost({}, SEOUL, cdn_gb=Decimal(1124), metrics_read=5000).lines}
    virginia = {line.service: line for line in stack_cost({}, VIRGINIA, metrics_read=5000).lines}

    assert seoul["cloudfront"].monthly_usd == 100 * Decimal("0.120")
    assert seoul["cloudwatch"].monthly_usd is None
    assert virginia["cloudwatch"].monthly_usd == Decimal("0.05")


amounts = st.decimals(0, 200_000, places=3)
names = st.lists(st.sampled_from(["t2.micro", "t3.small", "m5.large", "t4g.nano", "no.such"]), max_size=6)


@given(names, names)
def test_two_stacks_cost_what_each_costs(some, others):
    """Additivity: no line depends on another."""
    both = stack_cost(hosts(*some, *others), SEOUL, transfer_gb=Decimal(0)).total_usd

    assert (
        both
        == stack_cost(hosts(*some), SEOUL, transfer_gb=Decimal(0)).total_usd
        + stack_cost(hosts(*others), SEOUL, transfer_gb=Decimal(0)).total_usd
    )


@given(names, st.integers(1, 744), st.integers(1, 744))
def test_hours_add_up(types, first, more):
    """Additivity over time: no float drift, so equality and not nearness."""

    def usd(hours):
        return stack_cost(hosts(*types), SEOUL, hours=Decimal(hours), transfer_gb=Decimal(0)).total_usd

    assert usd(first + more) == usd(first) + usd(more)


@given(names)
def test_a_region_is_priced_by_its_own_list(types):
    """Region isolation: every figure of a line is that region's."""
    for cat in (SEOUL, VIRGINIA):
        for line, name in zip(stack_cost(hosts(*types), cat).lines, types, strict=False):
            price = cat.on_demand(name)
            assert line.unit_usd == (None if price is None else price.usd)
            assert line.source == (None if price is None else price.source)


@given(amounts, amounts)
def test_more_transfer_never_costs_less_and_tiers_have_no_gap(low, more):
    """Each GB at its own tier; the sum of the parts of a month is the month."""
    tiers = {tier.tier_from: tier.usd for tier in SEOUL.service("transfer", "out to internet")}

    assert egress_usd(low, tiers) <= egress_usd(low + more, tiers)
    assert tiered_usd(low + more, tiers) - tiered_usd(low, tiers) <= more * max(tiers.values())
    assert between_zones_usd(low + more, Decimal("0.01")) == between_zones_usd(low, Decimal("0.01")) + between_zones_usd(
        more, Decimal("0.01")
    )


@given(amounts, amounts, amounts, st.integers(0, 40))
def test_units_are_the_dearest_dimension_and_never_their_sum(new, gb, requests, rules):
    """Elastic Load Balancing pricing."""
    used = alb_lcu(new_per_s=new, duration_s=Decimal(60), gb_per_h=gb, requests_per_s=requests, rules=rules)

    assert used.units == max(used.by_dimension.values())
    assert used.units <= sum(used.by_dimension.values())


@given(st.sampled_from(sorted(set(SEOUL.types) & set(VIRGINIA.types))))
def test_a_price_is_a_decimal_as_it_was_published(name):
    """No float on the way: what is read is what is written."""
    for cat, years, payment in itertools.product((SEOUL, VIRGINIA), (1, 3), ("no_upfront", "all_upfront")):
        found = cat.reserved(name, term_years=years, payment=payment)
        assert found is None or (isinstance(found.effective_hourly_usd, Decimal) and found.effective_hourly_usd.as_tuple().exponent >= -6)
