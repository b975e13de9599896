"""What a refresh keeps on disk: whole or absent, the newest two, as small to open as the embedded tables."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import Source, cache_folder, load_catalogue, read_rows
from catalogue.price_list import plain, reserved_columns
from catalogue.snapshot import newest_snapshot, refreshed_regions, write_snapshot
from catalogue.usage_types import ITEMS, item_of
from evidence import SizeupError

SEOUL = "ap-northeast-2"
TODAY = Source("made for a test", "2026-11-24", quoted=False, how_sure="made")

PROBE = """
import json, sys
from pathlib import Path
def peak_mb():  # ru_maxrss would be the parent's, which survives an exec
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
before_mb = peak_mb()
from catalogue import load_catalogue
catalogue = load_catalogue(sys.argv[1], Path(sys.argv[2]))
usd = str(catalogue.on_demand("t3.small").usd)
print(json.dumps({"mb": peak_mb() - before_mb, "usd": usd}))
"""


def row(name="t3.small", usd="0.1", source=TODAY):
    return {"instance_type": name, "unit": "hour", "usd": usd, "source": source}


def whole_region():
    """Every embedded price of Seoul, dearer by a thousandth of a cent and of today."""

    def told(table):
        return [
            {k: v for k, v in r.items() if k not in ("region", "seen_on", "quoted", "source", "how_sure")} | {"source": TODAY}
            for r in table
        ]

    hosts = [{**r, "usd": str(Decimal(r["usd"]) + Decimal("0.00001"))} for r in told(read_rows("ec2_on_demand", SEOUL))]
    return {"ec2_on_demand": hosts, "ec2_reserved": told(read_rows("ec2_reserved", SEOUL)), "ec2_types": told(read_rows("ec2_types"))}


def test_a_refreshed_region_opens_in_under_40_mb(tmp_path):
    """Over a bare interpreter; a whole region's types and prices beside the embedded ones."""
    write_snapshot(tmp_path, SEOUL, "20261124T120000Z", whole_region())

    done = subprocess.run([sys.executable, "-c", PROBE, SEOUL, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60)
    run = json.loads(done.stdout)

    assert run["usd"] == "0.02601"
    assert run["mb"] < 40


def test_the_newest_refresh_counts_and_one_older_stays_for_its_readers(tmp_path):
    """A reader that has it open must be able to go on."""
    for hour in range(4):
        write_snapshot(tmp_path, SEOUL, f"20261124T{hour:02d}0000Z", {"ec2_on_demand": [row(usd=f"0.{hour + 1}")]})

    kept = sorted(path.name for path in (tmp_path / "prices" / SEOUL).iterdir())

    assert kept == ["20261124T020000Z", "20261124T030000Z"]
    assert load_catalogue(SEOUL, tmp_path).on_demand("t3.small").usd == Decimal("0.4")


def test_a_half_written_refresh_is_none(tmp_path):
    """Killed while writing: the folder has another name."""
    (tmp_path / "prices" / SEOUL / ".20261124T120000Z.1.half").mkdir(parents=True)

    assert newest_snapshot(tmp_path, SEOUL) is None
    assert refreshed_regions(tmp_path) == []
    assert load_catalogue(SEOUL, tmp_path).refreshed_on is None


def test_a_row_without_a_source_is_never_written(tmp_path):
    """A figure without a source is not shipped."""
    with pytest.raises(TypeError, match="without its source"):
        write_snapshot(tmp_path, SEOUL, "20261124T120000Z", {"ec2_on_demand": [row(source="")]})

    assert newest_snapshot(tmp_path, SEOUL) is None


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    """Ours."""
    (tmp_path / "prices").write_text("a file")

    with pytest.raises(SizeupError, match="SIZEUP_CACHE"):
        write_snapshot(tmp_path, SEOUL, "20261124T120000Z", {"ec2_on_demand": [row()]})


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"SIZEUP_CACHE": "/a"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/h"}, "/b/sizeup"),
        ({"HOME": "/h"}, "/h/.cache/sizeup"),
        ({"SIZEUP_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
    ],
)
def test_the_cache_folder_is_the_users(environ, folder):
    """XDG Base Directory; SIZEUP_CACHE goes before it."""
    assert cache_folder(environ) == Path(folder)


def test_the_older_of_two_prices_never_counts(tmp_path):
    """An embedded price of August against a list of March."""
    march = Source("an old list", "2026-03-01", quoted=False, how_sure="made")
    write_snapshot(tmp_path, SEOUL, "20261124T120000Z", {"ec2_on_demand": [row(usd="9", source=march), row("c3.large", "9", march)]})

    cat = load_catalogue(SEOUL, tmp_path)

    assert cat.on_demand("t3.small").as_of == date(2026, 8, 18)
    assert cat.on_demand("c3.large").usd == 9


@pytest.mark.parametrize("prefix", ["", "APN2-", "USE1-", "EU-", "EUC1-", "UGW1-"])
def test_a_usage_type_is_told_whatever_its_region(prefix):
    """AWS billing: usage types begin with the region's short name, N. Virginia's mostly without one."""
    for service, usage in ITEMS:
        family = "Load Balancer-Application" if service == "AWSELB" else "any"
        assert item_of(service, family, prefix + usage) == ITEMS[service, usage]
    assert item_of("AWSELB", "Load Balancer-Network", f"{prefix}LCUUsage") is None
    assert item_of("AWSELB", "Load Balancer-Application", f"{prefix}TS-LoadBalancerUsage") is None
    assert item_of("AmazonEC2", "any", f"{prefix}DedicatedUsage:t3.small") is None


def test_what_a_refresh_prices_are_items_that_the_catalogue_asks_for():
    """The names are those of the embedded tables, so that one replaces the other."""
    known = {(r["service"], r["item"]) for region in (SEOUL, "us-east-1") for r in read_rows("services", region)}
    surplus = {("ec2", f"surplus CPU credits {family}, Linux") for family in ("T2", "T3a")}

    ours = {(item.service, item.name) for item in ITEMS.values()}

    assert ours - known - surplus == {("vpc", "public IPv4 address, idle")}


prices = st.decimals(0, 1000, places=10)


@given(prices, prices, st.sampled_from(["1", "3"]))
def test_a_reservations_parts_make_its_effective_hour(upfront, hourly, years):
    """Upfront over the term's hours, plus the hour; decimals throughout, six places as published."""
    columns = reserved_columns(years, "partial", upfront, hourly)

    exact = upfront / (8760 * int(years)) + hourly
    assert abs(Decimal(columns["usd"]) - exact) <= Decimal("0.0000005")
    assert (Decimal(columns["upfront_usd"]), Decimal(columns["recurring_usd_per_hour"])) == (upfront, hourly)


@given(prices)
def test_a_price_is_written_without_an_exponent_and_read_back_the_same(usd):
    """0.0000000001 stays itself."""
    assert "E" not in plain(usd)
    assert Decimal(plain(usd)) == usd
