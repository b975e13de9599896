"""Published tables against the catalogue: credits, size units, MemTotal."""

from __future__ import annotations

import fnmatch

import pytest
from truth_cases import agrees, case, of_kind

from catalogue import load_catalogue, size_units

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def cat():
    return load_catalogue("ap-northeast-2")


@pytest.mark.parametrize("name", ["A-table-t2", "A-table-t4g"])
def test_credits_an_hour_and_the_cap_follow_from_vcpus_and_baseline(cat, name):
    """EC2 User Guide, "CPU credits and baseline utilization", its table."""
    told = case(name)
    types = [cat.types[row["type"]] for row in told["inputs"]["rows"]]

    found = {"credits_per_hour": [t.burst.credits_per_h for t in types], "max_earned": [t.burst.cap_credits for t in types]}

    assert agrees(told["expected"], found, told["tolerance"])
    assert [t.vcpus for t in types] == [row["vcpus"] for row in told["inputs"]["rows"]]
    assert [t.burst.baseline_ratio_per_vcpu * 100 for t in types] == pytest.approx(
        [row["baseline_pct_per_vcpu"] for row in told["inputs"]["rows"]]
    )


def test_the_baseline_is_the_credits_an_hour_over_vcpus_and_sixty(cat):
    """EC2 User Guide: (number of credits earned / number of vCPUs) / 60 minutes."""
    told = case("A-baseline-formula")
    names = {"t3nano": "t3.nano", "t3xlarge": "t3.xlarge"}

    found = {f"{key}_pct": cat.types[name].burst.baseline_ratio_per_vcpu * 100 for key, name in names.items()}

    assert agrees(told["expected"], found, told["tolerance"])
    assert {key: cat.types[name].burst.credits_per_h for key, name in names.items()} == {k: v["earn"] for k, v in told["inputs"].items()}


def test_a_stopped_t2_starts_with_launch_credits_and_a_t3_with_what_it_had(cat):
    """EC2 User Guide, "Key concepts for standard mode"."""
    told = case("A-t2micro-restart")
    before = told["inputs"]["balance_before"]

    def after(name):
        rule = cat.types[name].burst
        return (before if rule.credits_kept_after_stop_d else 0) + rule.launch_credits

    found = {"after_restart_t2": after("t2.micro"), "after_restart_t3_within_7_days": after("t3.micro")}

    assert agrees(told["expected"], found, told["tolerance"])


@pytest.mark.parametrize(
    ("name", "system", "family"), [("A-t2-unlimited-ex2-linux", "Linux", "t2"), ("A-t2-unlimited-ex2-windows", "Windows", "t2")]
)
def test_surplus_credits_cost_what_the_user_guide_charges(cat, name, system, family):
    """EC2 User Guide, "Unlimited mode examples", example 2."""
    from catalogue import read_rows

    told = case(name)
    prices = {row["operating_system"]: float(row["usd"]) for row in read_rows("surplus_credits") if row["family"] == family}

    usd = told["inputs"]["surplus_credits_charged"] / 60 * prices[system]

    assert prices == {"Linux": told["inputs"]["rate_linux"], "Windows": told["inputs"]["rate_windows"]}
    assert float(cat.surplus_credit_usd_per_vcpu_h(family).usd) == prices["Linux"]
    assert agrees(
        {k: v for k, v in told["expected"].items() if k.startswith("usd")}, {"usd": usd, "usd_rounded": round(usd, 2)}, told["tolerance"]
    )


def test_every_size_has_the_factor_that_aws_gives_it():
    """EC2 User Guide, "How Reserved Instances are applied": the size table and that of bare metal."""
    told = case("B-nf-table")["expected"]

    by_size = {size: float(size_units(size)) for size in told["factors"]}
    by_family = {family: float(size_units(f"{family}.metal")) for family in told["metal"]}

    assert by_size == told["factors"]
    assert by_family == told["metal"]


def test_units_of_a_type_are_those_of_its_size_in_every_service():
    """The same page; RDS and ElastiCache use the same factors."""
    told = case("B-nf-table")["expected"]["factors"]

    for size, factor in told.items():
        assert {float(size_units(f"{prefix}.{size}")) for prefix in ("t3", "db.r6g", "cache.m5")} == {factor}


def test_a_family_of_bare_metal_counts_as_its_largest_virtual_size(cat):
    """EC2 User Guide: an i3.metal has the factor of an i3.16xlarge."""
    assert size_units("i3.metal") == size_units("i3.16xlarge") == 128
    assert size_units("c5.metal") == size_units("c5.24xlarge")
    assert cat.types["m6g.metal"].size_units == size_units("m6g.16xlarge")


@pytest.mark.parametrize("told", of_kind("memtotal"), ids=lambda c: c["id"])
def test_memory_that_was_measured_is_offered_as_it_was_measured(cat, told):
    """Spare Cores inspector data, 2024-11: MemTotal as PassMark printed it."""
    types = {name: cat.types[name] for name in told["expected"]["memtotal_mib"]}

    found = {"memtotal_mib": {name: t.usable_bytes / MIB for name, t in types.items()}, "below_nominal": True}

    assert agrees(told["expected"], found, told["tolerance"])
    assert {name: t.memory_bytes / MIB for name, t in types.items()} == told["inputs"]["nominal_mib"]
    assert all(t.usable_basis == "measured" and t.usable_bytes < t.memory_bytes for t in types.values())


def test_a_stated_type_that_its_memory_belies_is_told_apart(cat):
    """A repository's note: 983 then 3,942 MiB cannot be a t3.micro and a t3.small."""
    told = case("G-memtotal-inconsistent")["expected"]

    def fits(name, mib):
        return abs(cat.types[name].usable_bytes - mib * MIB) <= cat.types[name].usable_error_bytes

    assert not all(fits(name, mib) for name, mib in zip(told["claimed"], told["shown_mib"], strict=True))
    assert fits("t2.micro", told["shown_mib"][0])
    assert fits("t2.medium", told["shown_mib"][1])


def test_patterns_of_bare_metal_never_hide_a_stated_type():
    """The newer copy of the page gives u-18tb1 and u-24tb1 448, where the older gave all of u-* 896."""
    assert fnmatch.fnmatchcase("u-18tb1.metal", "u-*.metal")
    assert size_units("u-18tb1.metal") == 448
    assert size_units("u-6tb1.metal") == 896
