"""Published price examples against sizing.money: volumes, containers, functions, transfer, addresses, monitoring, credits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from truth_cases import agrees, case

from catalogue import load_catalogue
from sizing.money import (
    FargateRates,
    FreeTier,
    TaskSize,
    alb_lcu,
    between_zones_usd,
    credits_usd,
    egress_usd,
    ephemeral_storage_usd,
    fargate_usd,
    fast_restore_usd,
    function_usd,
    gp3_usd,
    io2_usd,
    is_task_size,
    metric_data_usd,
    plain_volume_usd,
    provisioned_usd,
    sizes_that_hold,
    snap_start_usd,
    stack_cost,
    surplus_charge,
    tenant_isolation_usd,
)
from sizing.money.fargate import FREE_EPHEMERAL_GB, GB_BYTES, SIZES
from sizing.money.functions import gb_seconds
from sizing.money.units import MONTH_H

TWELVE_HOURS = Decimal(12) / (24 * 30)
IO2_USD = (Decimal("0.065"), Decimal("0.0455"), Decimal("0.03185"))


def dec(value):
    return Decimal(str(value))


def cent(usd):
    return usd.quantize(Decimal("0.01"))


def test_a_gp3_volume_is_billed_beyond_what_it_includes():
    """Amazon EBS pricing, example 1: 2,000 GB, 10,000 IOPS, 500 MB/s for twelve hours of a 30-day month."""
    told = case("D-ebs-gp3")
    gb, iops, mbps = (dec(told["inputs"][key]) for key in ("gb", "iops", "mbps"))

    cost = gp3_usd(
        gb=gb, iops=iops, mbps=mbps, month_ratio=TWELVE_HOURS, gb_usd=dec("0.08"), iops_usd=dec("0.005"), mbps_usd=dec("0.06")
    )

    found = {"storage": cost.storage_usd, "iops_usd": cost.iops_usd, "tput": cost.throughput_usd, "total": cost.total_usd}
    assert agrees(told["expected"], found, told["tolerance"])


def test_a_gp3_volume_within_what_it_includes_costs_its_storage():
    """The same page: 3,000 IOPS and 125 MB/s are free, and fewer are no rebate."""
    cost = gp3_usd(gb=dec(30), iops=dec(1000), mbps=dec(50), gb_usd=dec("0.0912"), iops_usd=dec("0.0057"), mbps_usd=dec("0.0456"))

    assert cost.total_usd == dec("2.736")


@pytest.mark.parametrize(("name", "volumes"), [("D-ebs-io2-1", 1), ("D-ebs-io2-ten", 10)])
def test_io2_is_tiered_each_volume_by_itself(name, volumes):
    """Amazon EBS pricing, example 3: ten volumes of 1,000 IOPS cost ten times one of them."""
    told = case(name)

    cost = io2_usd(gb=dec(2000), iops=dec(1000), month_ratio=TWELVE_HOURS, gb_usd=dec("0.125"), iops_usd=IO2_USD, volumes=volumes)

    found = {"storage": cost.storage_usd, "iops": cost.iops_usd, "cumulative_iops": volumes * 1000}
    assert agrees(told["expected"], found, told["tolerance"])


def test_io2_beyond_its_first_tier_is_cheaper():
    """The same example: 60,000 IOPS at 0.065 and 0.046 are $56.133."""
    cost = io2_usd(
        gb=dec(2000), iops=dec(60_000), month_ratio=TWELVE_HOURS, gb_usd=dec("0.125"), iops_usd=(dec("0.065"), dec("0.046"), dec("0.032"))
    )

    assert round(cost.iops_usd, 3) == dec("56.133")


@pytest.mark.parametrize(("gb_usd", "usd"), [("0.10", "3.33"), ("0.045", "1.50"), ("0.015", "0.50")])
def test_other_volumes_cost_their_storage(gb_usd, usd):
    """Examples 2, 5 and 6: 2,000 GB of gp2, st1, sc1 for twelve hours."""
    assert cent(plain_volume_usd(gb=dec(2000), month_ratio=TWELVE_HOURS, gb_usd=dec(gb_usd)).total_usd) == dec(usd)


def test_an_io1_volume_costs_its_iops_too():
    """Example 4: 2,000 GB and 1,000 IOPS for twelve hours are $5.25."""
    cost = plain_volume_usd(gb=dec(2000), month_ratio=TWELVE_HOURS, gb_usd=dec("0.125"), iops=dec(1000), iops_usd=dec("0.065"))

    assert cent(cost.total_usd) == dec("5.25")


def test_fast_snapshot_restore_is_billed_an_hour_at_least():
    """Amazon EBS pricing, example 8: 90 minutes in three zones, 45 minutes in one, 2.5 hours of three snapshots in two."""
    told = case("D-ebs-fsr")

    found = {
        "a": fast_restore_usd(snapshots=1, zones=3, hours=dec("1.5"), dsu_hour_usd=dec("0.75")),
        "b": fast_restore_usd(snapshots=1, zones=1, hours=dec("0.75"), dsu_hour_usd=dec("0.75")),
        "c": fast_restore_usd(snapshots=3, zones=2, hours=dec("2.5"), dsu_hour_usd=dec("0.75")),
    }

    assert agrees(told["expected"], found, told["tolerance"])


def test_fargate_offers_these_sizes_and_no_others():
    """AWS Fargate pricing, its table of configurations."""
    told = case("D-fargate-config")["expected"]
    listed = {key: value for key, value in told.items() if key not in ("gb_bytes", "free_ephemeral_gb")}

    for vcpus, steps in listed.items():
        wanted = steps if isinstance(steps, list) else range(steps["min"], steps["max"] + 1, steps["step"])
        assert [float(gb) for gb in SIZES[dec(vcpus)]] == [float(gb) for gb in wanted]
    assert set(SIZES) == {dec(key) for key in listed}
    assert (told["gb_bytes"], told["free_ephemeral_gb"]) == (GB_BYTES, FREE_EPHEMERAL_GB)
    assert is_task_size(dec("0.25"), dec(2))
    assert not is_task_size(dec("0.25"), dec(3))
    assert not is_task_size(dec(8), dec(17))


def test_the_least_memory_of_each_count_of_vcpus_is_offered():
    """The same table: 0.3 vCPU and 5 GB need one vCPU, which goes up to 8 GB; 300 GB fit nowhere."""
    found = sizes_that_hold(dec("0.3"), dec(5))

    assert found[0] == TaskSize(dec(1), dec(5))
    assert found[-1] == TaskSize(dec(32), dec(60))
    assert sizes_that_hold(dec(1), dec(300)) == []


@pytest.mark.parametrize("name", ["D-fargate-ex2-arm", "D-fargate-ex4-windows"])
def test_fargate_tasks_cost_by_the_second(name):
    """AWS Fargate pricing, examples 2 and 4."""
    told = case(name)
    asked = {key: dec(value) for key, value in told["inputs"].items()}
    rates = FargateRates(asked["cpu_rate"], asked["mem_rate"], asked["eph_rate"], asked["os_rate"])

    cost = fargate_usd(
        rates, TaskSize(asked["vcpu"], asked["gb"]), tasks=int(asked["n"]), seconds=asked["secs"] * asked["days"],
        storage_gb=20 + asked["extra_gb"],
    )  # fmt: skip

    parts = {"cpu": cost.cpu_usd, "mem": cost.memory_usd, "eph": cost.storage_usd, "os": cost.os_usd}
    found = {**parts, "total": cost.total_usd, "total_of_rounded": sum(cent(usd) for usd in parts.values())}
    assert agrees(told["expected"], found, told["tolerance"])


def test_a_function_is_free_up_to_its_million_requests():
    """AWS Lambda pricing, example 1: three million requests of 120 ms at 1,536 MB."""
    told = case("D-lambda-ex1")
    asked = {key: dec(value) for key, value in told["inputs"].items()}

    cost = function_usd(
        requests=asked["req"], duration_s=asked["ms"] / 1000, memory_mb=asked["mb"], gb_s_usd=asked["rate"], million_usd=dec("0.2")
    )

    gbs = gb_seconds(asked["req"], asked["ms"] / 1000, asked["mb"])
    found = {"gbs": gbs, "compute": cost.compute_usd, "requests": cost.requests_usd, "total": cost.total_usd}
    assert agrees(told["expected"], found, told["tolerance"])


def test_a_function_without_free_tier_costs_every_request_and_second():
    """AWS Lambda pricing, example 2: 7.44 million requests of two seconds at 1 GB are $1.49 and $248.00."""
    cost = function_usd(
        requests=dec(7_440_000), duration_s=dec(2), memory_mb=dec(1024), gb_s_usd=dec("0.0000166667"), million_usd=dec("0.2"),
        free_requests=dec(0), free_gb_s=dec(0),
    )  # fmt: skip

    assert (cent(cost.requests_usd), cent(cost.compute_usd)) == (dec("1.49"), dec("248.00"))


def test_ephemeral_storage_is_billed_beyond_half_a_gigabyte():
    """AWS Lambda pricing, example 3: six million requests of 280 ms at 4 GB with 2,048 MB of storage are $106.41."""
    load = {"requests": dec(6_000_000), "duration_s": dec("0.28")}

    cost = function_usd(**load, memory_mb=dec(4096), gb_s_usd=dec("0.0000166667"), million_usd=dec("0.2"))
    storage = ephemeral_storage_usd(**load, storage_mb=dec(2048), gb_s_usd=dec("0.0000000309"))

    assert [cent(usd) for usd in (cost.compute_usd, cost.requests_usd, storage)] == [dec("105.33"), dec("1.00"), dec("0.08")]
    assert cent(cost.total_usd + storage) == dec("106.41")
    assert ephemeral_storage_usd(**load, storage_mb=dec(512), gb_s_usd=dec(1)) == 0


def test_provisioned_concurrency_is_paid_whether_it_is_used_or_not():
    """AWS Lambda pricing, provisioned concurrency, example 1: 100 of 1,536 MB for eight hours."""
    told = case("D-lambda-pc1")
    pc_rate, pc_duration, rate = (dec(told["inputs"][key]) for key in ("pc_rate", "pc_dur", "rate"))

    pc = provisioned_usd(concurrency=100, memory_mb=dec(1536), seconds=dec(8 * 3600), gb_s_usd=pc_rate)
    on = function_usd(
        requests=dec(500_000), duration_s=dec("0.1"), memory_mb=dec(1536), gb_s_usd=pc_duration, million_usd=dec("0.2"),
        free_requests=dec(0), free_gb_s=dec(0),
    )  # fmt: skip
    off = function_usd(requests=dec(2_500_000), duration_s=dec("0.12"), memory_mb=dec(1536), gb_s_usd=rate, million_usd=dec("0.2"))

    requests = on.requests_usd + off.requests_usd
    found = {"pc": pc, "requests": requests, "on": on.compute_usd, "off": off.compute_usd}
    assert agrees(told["expected"], found | {"total": sum(found.values())}, told["tolerance"])


def test_provisioned_concurrency_has_no_free_tier():
    """AWS Lambda pricing, provisioned concurrency, example 2: seven of 4 GB for a day, two million requests of 280 ms."""
    told = case("D-lambda-pc2")
    pc_rate, pc_duration = (dec(told["inputs"][key]) for key in ("pc_rate", "pc_dur"))

    pc = provisioned_usd(concurrency=7, memory_mb=dec(4096), seconds=dec(86_400), gb_s_usd=pc_rate)
    on = function_usd(
        requests=dec(2_000_000), duration_s=dec("0.28"), memory_mb=dec(4096), gb_s_usd=pc_duration, million_usd=dec("0.2"),
        free_requests=dec(0), free_gb_s=dec(0),
    )  # fmt: skip

    found = {"pc": pc, "on": on.compute_usd, "requests": on.requests_usd, "total": pc + on.total_usd}
    assert agrees(told["expected"], found, told["tolerance"])


def test_snap_start_is_billed_for_its_cache_and_each_restore():
    """AWS Lambda pricing, SnapStart: 1 GB for 31 days, 74,400 restores."""
    told = case("D-lambda-snapstart")

    cost = snap_start_usd(
        memory_mb=dec(1024), seconds=dec(2_678_400), restores=dec(74_400), cache_gb_s_usd=dec("0.0000015046"),
        restore_gb_usd=dec("0.0001397998"),
    )  # fmt: skip

    assert agrees(told["expected"], {"cache": cost.compute_usd, "restore": cost.requests_usd}, told["tolerance"])


def test_tenant_isolation_is_billed_for_each_environment():
    """AWS Lambda pricing, tenant isolation: ten million requests of two seconds, 200,000 environments of 1 GB."""
    told = case("D-lambda-tenant")

    cost = function_usd(
        requests=dec(10_000_000), duration_s=dec(2), memory_mb=dec(1024), gb_s_usd=dec(told["inputs"]["rate"]), million_usd=dec("0.2"),
        free_requests=dec(0), free_gb_s=dec(0),
    )  # fmt: skip
    tenant = tenant_isolation_usd(environments=dec(200_000), memory_mb=dec(1024), gb_usd=dec("0.000167"))

    found = {"requests": cost.requests_usd, "compute": cost.compute_usd, "tenant": tenant, "total": cost.total_usd + tenant}
    assert agrees(told["expected"], found, told["tolerance"])


def test_five_terabytes_leave_beyond_the_free_hundred_gigabytes():
    """CloudPriceBook: (5,120 − 100) GB at 0.09, and 500 GB between zones in both directions at 0.01."""
    told = case("D-egress-5tb")
    asked = {key: dec(value) for key, value in told["inputs"].items()}

    egress = egress_usd(asked["gb"], {dec(0): asked["rate"]}, asked["free"])
    zones = between_zones_usd(asked["az_gb"], asked["az_rate"])

    assert agrees(told["expected"], {"egress": egress, "az": zones, "total": egress + zones}, told["tolerance"])


def test_a_gigabyte_costs_by_its_region():
    """A page of 2020: Sydney's first GB at 0.114; 0.09 is no price of the world."""
    told = case("D-egress-sydney")
    asked = told["inputs"]

    assert agrees(told["expected"], {"usd": egress_usd(dec(asked["gb"]), {dec(0): dec(asked["rate"])}, dec(0))}, told["tolerance"])


def test_seouls_transfer_goes_down_its_tiers():
    """Seoul's list: 0.126 up to 10 TB, 0.122 up to 50 TB, each GB at its own tier."""
    tiers = {tier.tier_from: tier.usd for tier in load_catalogue("ap-northeast-2").service("transfer", "out to internet")}

    assert egress_usd(dec(12_388), tiers) == 10_240 * dec("0.126") + 2048 * dec("0.122")


def test_a_calculator_of_canada_adds_up():
    """AWS Pricing Calculator: load balancer 18.07, a quarter GB a month is 0.000342465 units, two t2.micro 18.69."""
    told = case("D-calc-alb-canada")
    asked = {key: dec(value) for key, value in told["inputs"].items()}

    gb = alb_lcu(new_per_s=dec(0), duration_s=dec(0), gb_per_h=asked["gb_month"] / asked["h"])
    found = {
        "alb_month": asked["alb"] * asked["h"], "gb_lcu": gb.units, "t2micro": asked["n"] * asked["inst"] * asked["h"],
        "ebs_at_010": 2 * plain_volume_usd(gb=dec(8), gb_usd=dec("0.10")).total_usd,
        "ebs_printed": 2 * plain_volume_usd(gb=dec(8), gb_usd=dec("0.11")).total_usd,
    }  # fmt: skip

    assert gb.binding == "gb"
    assert agrees(told["expected"], found, told["tolerance"])


def test_reading_metrics_costs_by_the_metric():
    """Site24x7: 20 metrics, 8,640 polls at 0.01 a thousand, batched or not."""
    told = case("D-getmetricdata-batch")
    metrics, polls, usd = told["inputs"]["metrics"], told["inputs"]["polls"], dec(told["inputs"]["per_thousand"])

    one_by_one = sum(metric_data_usd(1, polls, usd) for _ in range(metrics))

    found = {"usd_one_call_each": one_by_one, "usd_batched": metric_data_usd(metrics, polls, usd)}
    assert agrees(told["expected"], found, told["tolerance"])


def test_the_free_tier_pays_for_a_hosts_address_and_none_of_a_load_balancers():
    """AWS public IPv4: 750 hours a month of EC2's addresses; a load balancer's in three zones are billed."""
    told = case("D-ipv4-alb-azs")
    services = ["alb"] * told["inputs"]["azs"] + ["ec2"] * told["inputs"]["instances"]
    addresses = [{"ip": f"198.51.100.{n}", "owner": "x", "service": service} for n, service in enumerate(services)]

    cost = stack_cost(
        {"addresses": addresses}, load_catalogue("us-east-1"), hours=MONTH_H, free_tier=FreeTier("legacy"), day=date(2026, 11, 24)
    )

    found = {"addresses": len(addresses), "usd": cost.total_usd, "usd_with_ec2_free_tier": cost.free_tier_usd}
    assert agrees(told["expected"], found, told["tolerance"])


@pytest.mark.parametrize(("name", "rate"), [("A-t2-unlimited-ex2-linux", "rate_linux"), ("A-t2-unlimited-ex2-windows", "rate_windows")])
def test_surplus_credits_cost_by_the_vcpu_hour(name, rate):
    """EC2 User Guide, "Unlimited mode examples", example 2: 25 surplus credits."""
    told = case(name)
    credits = dec(told["inputs"]["surplus_credits_charged"])

    usd = credits_usd(credits, dec(told["inputs"][rate]))

    found = {"vcpu_hours": credits / 60, "usd": usd, "usd_rounded": cent(usd)}
    assert agrees(told["expected"], found, told["tolerance"])


def test_borrowed_credits_are_charged_when_an_instance_ends():
    """EC2 User Guide, "Unlimited mode": on stop, terminate and switch to standard; a t3.small at 40 % for 30 days."""
    told = case("A-t3small-40pct-30d")
    charged, borrowed = dec(told["expected"]["total_charged"]), dec(told["expected"]["surplus"][0])

    charge = surplus_charge(charged_credits=charged, surplus_credits=borrowed, vcpu_h_usd=dec(told["inputs"]["rate_per_vcpu_hour"]))

    found = {"charge_running_usd": charge.running_usd, "charge_if_terminated_usd": charge.ended_usd}
    assert agrees({key: told["expected"][key] for key in found}, found, told["tolerance"])
