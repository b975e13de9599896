"""The embedded rows are the collected ones, each with its source; the checks that were run on them still hold."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from decimal import Decimal
from statistics import median

import pytest

from catalogue import load_catalogue, read_rows, regions, size_units, units_or_none
from catalogue.prices import FILL, HOURS_A_YEAR
from catalogue.tables import DATA

COLLECTED = {
    "burst_rules": (28, "14ee7b5f9fbdc70c2b911622c67144648e313d7ec5a5319b33dbc4706986ab28"),
    "ec2_types": (1263, "41d947755355f1226e8ba87b56fddce3fda3aa0695aabd736057d0669040539e"),
    "ec2_on_demand": (1926, "f40e63ae0c67432b965b8bb17704e0890a0e9b5978e53be7dc089d712e3d9456"),
    "ec2_reserved": (7215, "14b2e7244518b5590d6d719780b9c89e1db28a70aaf3e858dd12e03326b18024"),
    "elasticache": (2120, "35996d6614c92623d6ab35ce79daee36cb2e51ecb5ee3e8def5b0ac5cad3746b"),
    "rds": (4260, "fe65aced3252c676f63b33524014c700cdd0f8559475f371194633b28ef38237"),
    "core_speed": (1132, "9c02f7b6ae600affe8141719b99869097e3d7e27333a5ef568dee29a44982b62"),
    "size_units": (20, "67688842055294a46835d7664c235987ee66aae400c50f42b0956d86f65359e5"),
    "savings_plan_rates": (12, "c83ede908870e5c81750dd73775a69aa3a28887be334ab6798fd4e066eb9dc93"),
    "services": (103, "ef3fb224be91a630e029343694d6858d6245e557f79b1601b7958c3a10ce7324"),
}
"""Rows, and SHA-256 of the collected table: each row's columns but source and how_sure joined by U+001F, lines sorted."""

COLUMNS = {
    "burst_rules": "region,instance_type,vcpus,baseline_pct_per_vcpu,credits_per_hour,max_accrued_credits,launch_credits,default_mode,"
    "credits_kept_after_stop_days,unit,seen_on",
    "ec2_types": "instance_type,vcpus,threads_per_core,memory_mib,architectures,sustained_clock_ghz,processor_manufacturer,burstable,"
    "current_generation,free_tier_eligible,bare_metal,hypervisor,network_performance,network_baseline_gbps,ebs_baseline_mbps,has_gpu",
    "ec2_on_demand": "region,instance_type,unit,usd,seen_on",
    "ec2_reserved": "region,instance_type,offering_class,term_years,payment,unit,usd,upfront_usd,recurring_usd_per_hour,seen_on",
    "elasticache": "region,engine,node_type,kind,term_years,payment,unit,usd,upfront_usd,recurring_usd_per_hour,seen_on",
    "rds": "region,engine,item,deployment,kind,term_years,payment,unit,usd,upfront_usd,recurring_usd_per_hour,seen_on",
    "core_speed": "region,instance_type,vcpus,cpu,benchmark,scope,unit,value,value_per_vcpu_or_thread,relative_to_m5,relative_to_t3_small,"
    "seen_on",
    "size_units": "region,instance_size,unit,normalization_factor,seen_on",
    "savings_plan_rates": "region,plan,instance_type,operating_system,tenancy,term_years,payment,unit,usd,seen_on",
    "services": "service,item,region,unit,usd,tier_from,tier_to,seen_on",
}
FOLDERS = sorted(path.name for path in DATA.iterdir() if path.is_dir())


def everywhere(table):
    return [row for folder in FOLDERS for row in read_rows(table, folder)]


def reserved():
    """Effective price of every published EC2 reservation by region, type, class, years and payment."""
    rows = everywhere("ec2_reserved")
    return {(r["region"], r["instance_type"], r["offering_class"], r["term_years"], r["payment"]): Decimal(r["usd"]) for r in rows}


@pytest.mark.parametrize("table", sorted(COLLECTED))
def test_every_collected_row_is_embedded_as_it_was(table):
    """The collected tables of 2026-11-24, by their digests."""
    lines = sorted("\x1f".join(row[column] for column in COLUMNS[table].split(",")) for row in everywhere(table))

    assert (len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()) == COLLECTED[table]


@pytest.mark.parametrize("table", sorted(set(COLLECTED) - {"ec2_types"}))
def test_every_row_says_where_it_is_from_and_how_it_was_checked(table):
    """A figure without a source is not shipped."""
    for row in everywhere(table):
        assert row["source"]
        assert row["seen_on"]
        assert row["how_sure"]
        assert row["quoted"] in ("0", "1")


def test_no_source_is_the_number_of_a_document():
    """Such a number means nothing to a reader: the list is named instead, and the row marked as quoted."""
    for path in DATA.glob("*/sources.csv"):
        assert not re.search(r"\d{9,}|document id|code file", path.read_text(encoding="utf-8"))

    lcu = load_catalogue("ap-northeast-2").service("alb", "LCU hour")[0]
    address = load_catalogue("ap-northeast-2").service("vpc", "public IPv4 address, in use")[0]
    assert (lcu.source, lcu.quoted) == ("AWS Price List AWSELB of 2026-08-31", True)
    assert (address.source, address.quoted) == ("AWS Price List AmazonVPC of 2026-08-31", True)


def test_all_upfront_costs_no_more_than_partial_and_partial_no_more_than_none():
    """Check of the collected data: 0 violations."""
    prices = reserved()

    for key, usd in prices.items():
        for cheaper, dearer in (("all", "partial"), ("partial", "no"), ("all", "no")):
            other = prices.get((*key[:4], dearer))
            assert key[4] != cheaper or other is None or usd <= other, key


def test_standard_costs_no_more_than_convertible_and_three_years_no_more_than_one():
    """Check of the collected data: 0 violations."""
    prices = reserved()

    for (region, name, offering, years, payment), usd in prices.items():
        convertible = prices.get((region, name, "convertible", years, payment), usd)
        one_year = prices.get((region, name, offering, "1", payment), usd)
        assert offering != "standard" or usd <= convertible
        assert years != "3" or usd <= one_year


def test_no_upfront_costs_no_more_than_on_demand_but_for_three_types_whose_price_was_cut():
    """Check of the collected data: us-east-1 p4d, p4de, p5 convertible, of 2025-04 against 2026-07."""
    on_demand = {(r["region"], r["instance_type"]): Decimal(r["usd"]) for r in everywhere("ec2_on_demand")}

    dearer = {key[1].split(".")[0] for key, usd in reserved().items() if key[4] == "no" and usd > on_demand[key[:2]]}

    assert dearer == {"p4d", "p4de", "p5"}


def test_an_all_upfront_price_is_a_whole_number_of_dollars():
    """Check of the collected data: every row; AWS charges whole dollars at once."""
    rows = [r for r in everywhere("ec2_reserved") if r["payment"] == "all"]

    for row in rows:
        upfront = Decimal(row["upfront_usd"])
        assert upfront == upfront.to_integral_value()
        assert abs(upfront / (HOURS_A_YEAR * int(row["term_years"])) - Decimal(row["usd"])) <= Decimal("0.0000005")


def test_within_a_burstable_family_on_demand_goes_with_the_size():
    """Check of the collected data: proportional but for GPU, inference and HPC families."""
    for region in regions():
        by_family = defaultdict(set)
        for row in read_rows("ec2_on_demand", region):
            family, _, size = row["instance_type"].partition(".")
            if family in ("t2", "t3", "t3a", "t4g", "m5", "m6g", "r5", "c5"):
                by_family[family].add(
                    (Decimal(row["usd"]) / (units_or_none(row["instance_type"]) or size_units(size))).quantize(Decimal("0.0001"))
                )

        assert all(max(prices) - min(prices) <= Decimal("0.0008") for prices in by_family.values()), by_family


@pytest.mark.parametrize(("offering", "years", "payment"), sorted(FILL))
def test_a_filling_rule_meets_the_published_prices_of_seoul(offering, years, payment):
    """Check of the collected data: median error under 0.07 %, 95 % within 1 %, worst 2.7 %."""
    prices = {key: usd for key, usd in reserved().items() if key[0] == "ap-northeast-2"}
    chosen = [
        (usd, prices[(*key[:4], "no")])
        for key, usd in prices.items()
        if key[2:] == (offering, str(years), payment) and (*key[:4], "no") in prices
    ]

    errors = sorted(abs(base * FILL[offering, years, payment] / usd - 1) for usd, base in chosen)

    assert errors
    assert median(errors) < Decimal("0.002")
    assert errors[int(0.95 * (len(errors) - 1))] <= Decimal("0.012")
    assert errors[-1] <= Decimal("0.028")
