"""What the catalogue answers: types, prices, estimates, speeds, memory; and what its loading costs."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import load_catalogue, regions, size_units
from catalogue.memory import fit_memory, points
from catalogue.tables import first_day
from evidence import SizeupError

MIB = 1024 * 1024
SEOUL = load_catalogue("ap-northeast-2")
BURSTABLE = sorted(name for name, t in SEOUL.types.items() if t.burst)
types = st.sampled_from(BURSTABLE)

PROBE = """
import sys
def peak_mb():  # ru_maxrss would be the parent's, which survives an exec
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
before_mb, modules = peak_mb(), set(sys.modules)
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from catalogue import load_catalogue
catalogue = load_catalogue(sys.argv[1])
catalogue.reserved("t3.small", term_years=1, payment="all_upfront"), catalogue.sha256, catalogue.rds("db.t3.micro", "postgres")
catalogue.speed("t2.micro", "t3.small"), catalogue.service("alb", "LCU hour"), catalogue.rows_used(["t3.small"])
used_mb = peak_mb() - before_mb
data = sorted({path.split("/data/")[1] for path in opened if "catalogue/data/" in path})
outside = sorted({name.split(".")[0] for name in set(sys.modules) - modules} - set(sys.stdlib_module_names) - {"catalogue", "evidence"})
import json
print(json.dumps({"mb": used_mb, "data": data, "outside": outside}))
"""


def probe(region):
    """Load a catalogue in an interpreter of its own; return what that cost and touched."""
    done = subprocess.run([sys.executable, "-c", PROBE, region], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_loading_takes_under_40_mb_with_the_standard_library_alone():
    """Over a bare interpreter; what it takes in time stands in benchmarks/start.py."""
    run = probe("ap-northeast-2")

    assert run["mb"] < 40
    assert run["outside"] == []


def test_importing_the_faces_reads_no_figure():
    """CONTRIBUTING.md: importing is free and harmless."""
    script = (
        "import sys; opened = []; sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "import catalogue, sizing.money, catalogue.load\nprint([path for path in opened if '/data/' in path])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("region", ["ap-northeast-2", "us-east-1"])
def test_a_region_is_answered_from_its_own_files(region):
    """Loading one region touches no other."""
    touched = {path.split("/")[0] for path in probe(region)["data"]}

    assert touched == {"all", region}


def test_a_region_without_prices_is_refused_with_those_that_have_them():
    """Ours."""
    with pytest.raises(SizeupError, match=r'no prices for region "eu-west-2".*ap-northeast-2, us-east-1'):
        load_catalogue("eu-west-2")

    assert regions() == ["ap-northeast-2", "us-east-1"]


def test_a_mistyped_type_is_refused_with_the_nearest_name():
    """Ours."""
    with pytest.raises(SizeupError, match=r'unknown instance type "t3.smal".*did you mean "t3.small"\?'):
        SEOUL.require("t3.smal")

    assert SEOUL.require("t3.small").name == "t3.small"


def test_the_reservation_that_two_friends_bought_cost_128_dollars():
    """AWS list of 2026-08-18, the same in 2019: t3.small, Seoul, 1 year, all upfront."""
    found = SEOUL.reserved("t3.small", term_years=1, payment="all_upfront")

    assert (found.upfront_usd, found.hourly_usd, found.effective_hourly_usd) == (Decimal(128), Decimal(0), Decimal("0.014612"))
    assert (found.as_of, found.estimated) == (date(2026, 8, 18), False)
    assert SEOUL.on_demand("t3.small").usd == Decimal("0.026")


def test_a_published_partial_upfront_price_has_no_invented_split():
    """The list gives only the effective price of partial upfront."""
    found = SEOUL.reserved("t3.small", term_years=1, payment="partial_upfront")

    assert (found.upfront_usd, found.hourly_usd, found.effective_hourly_usd) == (None, None, Decimal("0.015034"))


def test_a_missing_price_is_estimated_and_marked_and_a_published_one_never():
    """The filling rules: all upfront is 0.9333 of no upfront, in whole dollars."""
    filled = SEOUL.reserved("t3a.2xlarge", term_years=1, payment="all_upfront")
    base = SEOUL.reserved("t3a.2xlarge", term_years=1, payment="no_upfront")

    assert (filled.estimated, base.estimated) == (True, False)
    assert filled.upfront_usd == filled.upfront_usd.to_integral_value()
    assert filled.effective_hourly_usd / base.effective_hourly_usd == pytest.approx(Decimal("0.9333"), rel=Decimal("0.001"))
    assert SEOUL.reserved("t3a.2xlarge", term_years=1, payment="partial_upfront").upfront_usd is None


def test_what_has_neither_price_nor_rule_is_none():
    """No rule is stated for three years convertible, partial upfront; nothing is guessed."""
    assert SEOUL.reserved("m7g.large", term_years=3, payment="partial_upfront", offering="convertible") is None
    assert SEOUL.on_demand("t9.huge") is None
    assert SEOUL.service("cloudwatch", "GetMetricData") == ()


def test_burstable_types_are_there_even_where_they_have_no_price():
    """Brief of the catalogue: candidates are the T families."""
    families = {t.family for t in SEOUL.types.values() if t.burst}

    assert families == {"t2", "t3", "t3a", "t4g"}
    assert len(BURSTABLE) == 28


def test_the_next_smaller_size_goes_by_units_within_the_family():
    """Ours."""
    assert SEOUL.next_smaller("t3.small").name == "t3.micro"
    assert SEOUL.next_smaller("t3.nano") is None
    assert SEOUL.next_smaller("t4g.xlarge").name == "t4g.large"


@pytest.mark.parametrize(("family", "usd"), [("t2", "0.05"), ("t3", "0.05"), ("t3a", "0.05"), ("t4g", "0.04")])
@pytest.mark.parametrize("region", ["ap-northeast-2", "us-east-1"])
def test_surplus_credits_cost_the_same_everywhere(region, family, usd):
    """EC2 on-demand pricing page, unlimited mode: the same for all sizes and across all regions."""
    found = load_catalogue(region).surplus_credit_usd_per_vcpu_h(family)

    assert found.usd == Decimal(usd)
    assert found.source


def test_families_that_do_not_burst_have_no_surplus_credits():
    """Ours."""
    assert SEOUL.surplus_credit_usd_per_vcpu_h("m5") is None


def test_databases_and_caches_are_priced_by_the_names_their_apis_use():
    """AWS list of 2026-08-18: db.t3.micro PostgreSQL in Seoul, one and two zones; cache.t3.micro of 2025-04."""
    assert SEOUL.rds("db.t3.micro", "postgres").usd == Decimal("0.028")
    assert SEOUL.rds("db.t3.micro", "PostgreSQL", multi_az=True).usd == Decimal("0.056")
    assert SEOUL.cache_node("cache.t3.micro", "redis").usd == Decimal("0.025")
    assert SEOUL.rds("db.t3.micro", "oracle-ee") is None


def test_a_graviton_core_is_slower_or_faster_by_the_benchmark():
    """Spare Cores, 2024: t4g.small is 0.8 (PassMark), 1.05 (web server) or 1.6 (stress-ng) of a t3.small."""
    found = SEOUL.speed("t4g.small", "t3.small")

    assert (found.lo, found.mid, found.hi) == pytest.approx((0.805, 1.047, 1.592), abs=0.002)
    assert found.basis == "benchmark"
    assert len(found.sources) == 6


def test_sizes_of_a_family_run_on_the_same_cores():
    """The same processors: the middle is 1, single runs only give the width."""
    found = SEOUL.speed("t3.micro", "t3.small")

    assert found.mid == 1
    assert found.lo <= 1 <= found.hi < 1.2


def test_without_a_shared_benchmark_no_speed_is_stated():
    """No X1 was run in any of the tests."""
    found = SEOUL.speed("x1.16xlarge", "t3.small")

    assert (found.basis, found.lo, found.mid, found.hi) == ("none", None, None, None)


@given(types, types)
def test_speed_the_other_way_round_is_the_inverse(name, other):
    """A ratio and its inverse."""
    there, back = SEOUL.speed(name, other), SEOUL.speed(other, name)

    assert there.lo <= there.mid <= there.hi
    assert (there.lo * back.hi, there.mid * back.mid, there.hi * back.lo) == pytest.approx((1, 1, 1))


@pytest.mark.parametrize("left_out", points(), ids=lambda p: p.type)
def test_the_memory_model_meets_a_point_that_it_has_not_seen(left_out):
    """Spare Cores, 2024-11: MemTotal within 30 MiB, as kernels and distributions differ by that."""
    model = fit_memory([point for point in points() if point.type != left_out.type])

    predicted = model.memtotal_mib(left_out.type, left_out.label_mib, left_out.kind)

    assert abs(predicted - left_out.memtotal_mib) <= 30


def test_usable_memory_is_below_the_label_and_says_what_it_is():
    """Definition of usable memory: MemTotal, never the label."""
    for t in SEOUL.types.values():
        assert 0 < t.usable_bytes < t.memory_bytes
        assert t.usable_source
        assert t.usable_basis == "measured" or "line through" in t.usable_source
    assert SEOUL.types["t3.small"].usable_bytes == 1910 * MIB


@pytest.mark.parametrize(
    ("label", "small", "large"), [("xen", "t2.nano", "t2.2xlarge"), ("nitro", "t3.nano", "t3.2xlarge"), ("arm", "t4g.nano", "t4g.2xlarge")]
)
def test_more_memory_on_the_label_is_more_memory(label, small, large):
    """Monotone within a family, measured and modelled points together."""
    family = [t for t in SEOUL.types.values() if t.family == small.split(".")[0]]
    ordered = sorted(family, key=lambda t: t.memory_bytes)

    assert [ordered[0].name, ordered[-1].name] == [small, large]
    assert all(a.usable_bytes < b.usable_bytes for a, b in pairwise(ordered)), label


def test_what_a_run_keeps_can_be_written_and_names_every_source():
    """A decision can be replayed from a run: docs/reference/run-folder.md, catalogue.json."""
    kept = json.loads(json.dumps(SEOUL.rows_used(["t3.small", "t2.micro", "no.such"])))

    assert [t["type"] for t in kept["types"]] == ["t3.small", "t2.micro"]
    assert kept["types"][0]["burst"]["credits_per_h"] == 24
    assert {row["benchmark"] for row in kept["types"][0]["core_speed"]} >= {"passmark 11 cpu single thread", "stress-ng cpu, one worker"}
    assert (kept["as_of"], kept["sha256"]) == (SEOUL.as_of.isoformat(), SEOUL.sha256)
    assert all(row["source"] and set(row) == {"service", "item", "region", "unit", "usd", "as_of", "source"} for row in kept["prices"])
    assert {"service": "ec2", "item": "t3.small on demand", "usd": "0.026"}.items() <= kept["prices"][0].items()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-08-18", date(2026, 8, 18)),
        ("2026-09", date(2026, 9, 1)),
        ("2026", date(2026, 1, 1)),
        ("2026-01 to 2026-07", date(2026, 1, 1)),
        ("undated", None),
    ],
)
def test_a_vague_date_is_taken_as_its_first_day(text, day):
    """A price must never look younger than it is."""
    assert first_day(text) == day


@given(
    st.sampled_from(["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge"]),
    st.sampled_from(["t3", "db.r6g", "cache.m5"]),
)
def test_units_double_with_each_size_and_ignore_the_family(size, family):
    """EC2 User Guide: 0.25 for a nano, doubled up to 2xlarge, then by the number before xlarge."""
    order = ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge"]

    assert size_units(f"{family}.{size}") == Decimal("0.25") * 2 ** order.index(size)
