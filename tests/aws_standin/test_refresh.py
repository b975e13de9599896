"""A region's prices read anew: paging, trouble, a kill in the middle, what nobody knew yet. Nothing lost, nothing invented."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from made_world import SEOUL, dimension, host, instance_type, on_demand, product, reserved, service

from catalogue import fetch_pages, load_catalogue, price_questions, read_offer_files, store_pages
from catalogue.refresh import only_refresh
from collectors import AwsSession
from evidence import SizeupError
from staging.aws import Trouble

TODAY = datetime(2026, 11, 24, 12, tzinfo=UTC)


@cache
def session(url, region):
    return AwsSession(region, url)


def asking(stand_in, attempts=5):
    """The question that `sizeup prices refresh` asks, by boto3."""

    def ask(region, service, operation, arguments):
        return session(stand_in.url, region).call(service, operation, attempts=attempts, **arguments)

    return ask


def refreshed(stand_in, folder, now=TODAY):
    fetch_pages(SEOUL, asking(stand_in), folder, now)
    return store_pages(SEOUL, folder, now)


def pages(folder):
    return sorted((folder / "prices" / SEOUL / ".pages").glob("*.json"))


def snapshots(folder):
    return sorted((folder / "prices" / SEOUL).glob("[0-9]*Z"))


def test_what_aws_says_counts_before_what_is_embedded(aws, tmp_path):
    """Each call's figures arrive to the cent, with their source and day."""
    refreshed(aws, tmp_path)

    cat = load_catalogue(SEOUL, tmp_path)

    assert cat.on_demand("t3.small").usd == Decimal("0.027")
    assert (cat.on_demand("t3.small").as_of, cat.on_demand("t3.small").source) == (TODAY.date(), f"pricing:GetProducts, {SEOUL}")
    found = cat.reserved("t3.small", term_years=1, payment="all_upfront")
    assert (found.upfront_usd, found.hourly_usd, found.estimated) == (Decimal(131), Decimal(0), False)
    split = cat.reserved("t3.small", term_years=1, payment="partial_upfront")
    assert (split.upfront_usd, split.hourly_usd) == (Decimal(67), Decimal("0.0077"))
    assert cat.savings_plan("t3.small", plan="ec2", term_years=1, payment="all_upfront").usd == Decimal("0.0149")
    assert cat.rds("db.t3.micro", "postgres").usd == Decimal("0.03")
    assert cat.cache_node("cache.t3.micro", "redis").usd == Decimal("0.026")
    assert cat.service("alb", "load balancer hour")[0].usd == Decimal("0.023")
    assert cat.service("cloudwatch", "GetMetricData")[0].usd == Decimal("0.01")
    assert [(t.usd, t.tier_from) for t in cat.service("transfer", "out to internet")] == [
        (Decimal("0.127"), Decimal(0)), (Decimal("0.123"), Decimal(10240))
    ]  # fmt: skip
    assert cat.refreshed_on == TODAY.date()


def test_what_a_refresh_does_not_name_stays_with_its_date(aws, tmp_path):
    """Nothing lost: three-year prices of 2026-08 and every other type."""
    embedded = load_catalogue(SEOUL)
    refreshed(aws, tmp_path)

    cat = load_catalogue(SEOUL, tmp_path)

    three_years = {"term_years": 3, "payment": "all_upfront"}
    assert cat.reserved("t3.small", **three_years) == embedded.reserved("t3.small", **three_years)
    assert cat.on_demand("m5.large") == embedded.on_demand("m5.large")
    assert set(embedded.types) <= set(cat.types)


def test_other_regions_products_and_platforms_are_no_rows_of_ours(aws, tmp_path):
    """Windows, dedicated hosts, another region, a resale and a network load balancer lie in the same lists."""
    found = refreshed(aws, tmp_path)

    assert found.rows["ec2_on_demand"] == 3
    assert found.rows["ec2_reserved"] == 3
    assert {row.split(",")[2] for row in (found.path / "ec2_on_demand.csv").read_text().splitlines()[1:]} == {"0.027", "0.12345", "0.025"}
    assert "0.099" not in (found.path / "services.csv").read_text()
    assert load_catalogue("us-east-1", tmp_path).refreshed_on is None


def test_tiers_stand_in_their_order_and_windows_credits_are_not_linuxs(world, aws, tmp_path):
    """The list names tiers in any order; CPU credits have one usage type for Linux and Windows."""
    tiers = [dimension("0.0000133334", "s", "15000000000", "Inf"), dimension("0.0000166667", "s", "0", "6000000000")]
    world.products.append(service("AWSLambda", "Serverless", "Lambda-GB-Second", *tiers))
    for system, usd in (("Linux", "0.0500000000"), ("Windows", "0.0960000000")):
        world.products.append(service("AmazonEC2", "CPU Credits", "CPUCredits:t3", dimension(usd), operatingSystem=system))

    refreshed(aws, tmp_path)

    cat = load_catalogue(SEOUL, tmp_path)
    assert [tier.usd for tier in cat.service("lambda", "compute x86, tier 1")] == [Decimal("0.0000166667"), Decimal("0.0000133334")]
    assert cat.surplus_credit_usd_per_vcpu_h("t3").usd == Decimal("0.05")


def test_an_unknown_field_and_a_new_type_are_taken_as_they_come(aws, tmp_path):
    """m9i.large came with a field that nobody knows; it has a price and no reservation, and gets no estimate of one."""
    found = refreshed(aws, tmp_path)

    cat = load_catalogue(SEOUL, tmp_path)

    assert found.new_types == ["m9i.large", "t5.small"]
    assert (cat.types["m9i.large"].vcpus, cat.types["m9i.large"].threads_per_core, cat.types["m9i.large"].burst) == (2, 2, None)
    assert cat.on_demand("m9i.large").usd == Decimal("0.12345")
    assert all(cat.reserved("m9i.large", term_years=y, payment=p) is None for y in (1, 3) for p in ("all_upfront", "no_upfront"))
    assert cat.speed("m9i.large", "t3.small").basis == "none"


def test_a_burstable_type_without_known_credit_rules_is_offered_to_nobody(aws, tmp_path):
    """A t5.small taken for one that never tires would be advised wrongly; its price stays known."""
    found = refreshed(aws, tmp_path)

    cat = load_catalogue(SEOUL, tmp_path)

    assert found.left_out == ["t5.small"]
    assert "t5.small" not in cat.types
    assert cat.on_demand("t5.small").usd == Decimal("0.025")


@pytest.mark.parametrize("size", [1, 2, 100])
def test_every_page_is_read_whatever_its_size(aws, world, tmp_path, size):
    """AWS cuts a list where it likes: the tables are the same."""
    whole = refreshed(aws, tmp_path / "whole")
    world.page_size = size

    cut = refreshed(aws, tmp_path / "cut")

    assert {f.name: f.read_bytes() for f in cut.path.iterdir()} == {f.name: f.read_bytes() for f in whole.path.iterdir()}


def test_throttling_and_failures_of_aws_are_waited_out(aws, world, tmp_path):
    """Every ninth call is throttled, every thirteenth fails with a 500: boto3's adaptive retries go on."""
    plain = rows_of_a_whole_refresh(aws, tmp_path)
    world.trouble = Trouble(throttle_every=9, fail_every=13)

    found = refreshed(aws, tmp_path)

    assert found.rows == plain
    assert len(aws.calls) > 2 * len(price_questions(SEOUL))


def rows_of_a_whole_refresh(stand_in, tmp_path):
    return refreshed(stand_in, tmp_path / "whole").rows


def test_each_service_is_asked_where_it_answers(aws, tmp_path):
    """The Price List API answers in ap-south-1 for Asia, savings plans in us-east-1, EC2 in the region itself."""
    refreshed(aws, tmp_path)

    asked = set(zip(aws.calls, aws.regions, strict=True))
    assert asked == {
        ("ec2:DescribeInstanceTypes", SEOUL), ("pricing:GetProducts", "ap-south-1"), ("ec2:DescribeReservedInstancesOfferings", SEOUL),
        ("savingsplans:DescribeSavingsPlansOfferingRates", "us-east-1"),
    }  # fmt: skip


def test_a_network_that_goes_leaves_what_was_read_and_the_next_refresh_goes_on(aws, world, tmp_path):
    """No page is asked for twice, and nothing shows before all is there."""
    world.page_size = 1
    plain = rows_of_a_whole_refresh(aws, tmp_path)
    calls = len(aws.calls)
    world.trouble.answers = calls + 4
    with pytest.raises(SizeupError, match="goes on from there"):
        fetch_pages(SEOUL, asking(aws, attempts=1), tmp_path, TODAY)
    assert (len(pages(tmp_path)), snapshots(tmp_path)) == (4, [])

    before, world.trouble.answers = len(aws.calls), None
    found = refreshed(aws, tmp_path)

    assert len(aws.calls) - before == calls - 4
    assert found.rows == plain


def test_a_kill_in_the_middle_loses_nothing(aws, world, environ, tmp_path):
    """kill -9 while AWS keeps it waiting: the catalogue answers as before, and the next refresh is whole."""
    plain = rows_of_a_whole_refresh(aws, tmp_path)
    world.page_size, world.trouble.answers = 1, len(aws.calls) + 9
    cache = Path(environ["SIZEUP_CACHE"])
    command = [sys.executable, "-m", "sizeup", "prices", "refresh", "--region", SEOUL]
    running = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(pages(cache)) < 9 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(running.pid, 9)
    running.wait(timeout=10)
    assert len(pages(cache)) == 9
    assert load_catalogue(SEOUL, cache).refreshed_on is None

    world.trouble.answers = None
    found = refreshed(aws, cache)

    assert found.rows == plain
    assert pages(cache) == []


def test_a_token_that_aws_no_longer_takes_begins_that_question_anew(aws, world, tmp_path):
    """Tokens expire while a refresh lies interrupted."""
    plain = rows_of_a_whole_refresh(aws, tmp_path)
    world.page_size, world.trouble.answers = 1, len(aws.calls) + 2
    with pytest.raises(SizeupError):
        fetch_pages(SEOUL, asking(aws, attempts=1), tmp_path, TODAY)

    world.generation, world.trouble.answers = 1, None
    found = refreshed(aws, tmp_path)

    assert found.rows == plain


@pytest.mark.parametrize("name", ["types", "savings-plans"])
def test_a_kept_page_that_broke_or_aged_begins_its_question_anew(aws, world, tmp_path, name):
    """A page cut off on disk, and the token of a page that AWS has forgotten: both are read again, from their beginning."""
    plain = rows_of_a_whole_refresh(aws, tmp_path)
    world.page_size = 1
    fetch_pages(SEOUL, asking(aws), tmp_path, TODAY)
    first, last = (f for n, f in enumerate(f for f in pages(tmp_path) if f.name.startswith(f"{name}.")) if n in (0, 1))
    if name == "types":
        first.write_text('{"token": "x", "ite')
    else:
        last.unlink()
        world.generation = 1

    found = refreshed(aws, tmp_path)

    assert found.rows == plain


def test_products_that_lack_what_ours_have_are_left_out(world, aws, tmp_path):
    """A database without a class, a host without terms, an instance type without memory."""
    world.products.append(product("AmazonRDS", "odd", "Database Instance", {"databaseEngine": "PostgreSQL"}, {}))
    odd = host("x9.large", "0.1")
    del odd["terms"]
    world.products.append(odd)
    world.instance_types.append({"InstanceType": "x9.large", "VCpuInfo": {"DefaultVCpus": 2}})

    found = refreshed(aws, tmp_path)

    assert found.rows == rows_of_a_whole_refresh(aws, tmp_path)
    assert "x9.large" not in load_catalogue(SEOUL, tmp_path).types


def test_pages_of_another_day_are_not_mixed_in(aws, world, tmp_path):
    """They could be of another price list."""
    world.trouble.answers = 3
    with pytest.raises(SizeupError):
        fetch_pages(SEOUL, asking(aws, attempts=1), tmp_path, TODAY)
    world.trouble.answers, world.products[0] = None, host("t3.small", "0.0280000000")

    refreshed(aws, tmp_path, datetime.now(UTC) + timedelta(days=2))

    assert load_catalogue(SEOUL, tmp_path).on_demand("t3.small").usd == Decimal("0.028")


def test_what_the_credentials_may_not_read_is_said_and_the_rest_is_kept(refresh, world, aws, environ):
    """A role without savingsplans: the rates that an earlier refresh read stay."""
    refresh()
    world.trouble.denied = {"savingsplans:DescribeSavingsPlansOfferingRates"}
    time.sleep(1.1)  # a refresh's folder is named by the second

    done = refresh("--json")

    document = json.loads(done.stdout)
    assert [w["code"] for w in document["warnings"]] == ["refresh_partial", "burst_rules_missing"]
    assert "savingsplans:DescribeSavingsPlansOfferingRates" in document["warnings"][0]["message"]
    assert "savings_plan_rates" not in document["rows"]
    cat = load_catalogue(SEOUL, Path(environ["SIZEUP_CACHE"]))
    assert cat.savings_plan("t3.small", plan="ec2", term_years=1, payment="all_upfront").usd == Decimal("0.0149")


def test_an_older_list_never_replaces_a_newer_price(aws, tmp_path):
    """An offer file of March after a refresh of November: its own types come in, t3.small stays at November's."""
    refreshed(aws, tmp_path)
    file = offer_file(tmp_path, {"t3.small": "0.0240", "c3.large": "0.1230"}, day="2026-03-01")

    read_offer_files(SEOUL, [file], tmp_path, TODAY + timedelta(seconds=5))

    cat = load_catalogue(SEOUL, tmp_path)
    assert (cat.on_demand("t3.small").usd, cat.on_demand("c3.large").usd) == (Decimal("0.027"), Decimal("0.123"))
    assert cat.savings_plan("t3.small", plan="ec2", term_years=1, payment="all_upfront") is not None


def offer_file(folder, hosts, *, day="2026-11-20", region=SEOUL, pack=False):
    """An offer file as AWS publishes it: products by SKU, terms by kind and SKU."""
    products, demand, committed = {}, {}, {}
    for number, (name, usd) in enumerate(hosts.items()):
        sku = f"SKU{number:05d}"
        products[sku] = host(name, usd, sku=sku, region=region)["product"]
        demand[sku] = on_demand(sku, dimension(usd))
        committed[sku] = reserved(sku, upfront="100", hourly="0.0010000000", payment="Partial Upfront")
    offer = {
        "formatVersion": "v1.0", "disclaimer": "…", "offerCode": "AmazonEC2", "version": "20261120", "publicationDate": f"{day}T00:00:00Z",
        "products": products, "terms": {"OnDemand": demand, "Reserved": committed},
    }  # fmt: skip
    file = folder / ("index.json.gz" if pack else "index.json")
    raw = json.dumps(offer).encode()
    file.write_bytes(gzip.compress(raw) if pack else raw)
    return file


@pytest.mark.parametrize("pack", [False, True])
def test_a_published_offer_file_is_read_without_an_account(refresh, aws, environ, tmp_path, pack):
    """Price List bulk API: a service's index.json of one region; its prices have the file's date."""
    file = offer_file(tmp_path, {"t3.small": "0.0265000000"}, pack=pack)

    refresh("--from-file", str(file))

    cat = load_catalogue(SEOUL, Path(environ["SIZEUP_CACHE"]))
    assert (cat.on_demand("t3.small").usd, str(cat.on_demand("t3.small").as_of)) == (Decimal("0.0265"), "2026-11-20")
    found = cat.reserved("t3.small", term_years=1, payment="partial_upfront")
    assert (found.upfront_usd, found.hourly_usd) == (Decimal(100), Decimal("0.001"))
    assert aws.calls == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "isn't JSON"),
        (b'{"products": {}}', "isn't an offer file"),
        (b"\x1f\x8b broken", "isn't JSON"),
        (None, "can't be read"),
    ],
)
def test_a_file_that_is_no_offer_file_is_refused(refresh, tmp_path, content, said):
    """Ours."""
    file = tmp_path / "offer.json"
    if content is not None:
        file.write_bytes(content)

    done = refresh("--from-file", str(file), expect=2)

    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_of_another_region_is_refused(refresh, tmp_path):
    """Nothing of Ireland is taken for Seoul."""
    done = refresh("--from-file", str(offer_file(tmp_path, {"t3.small": "0.0228"}, region="eu-west-1")), expect=2)

    assert f"no price of {SEOUL}" in done.stderr


def test_a_region_that_nobody_embedded_answers_after_a_refresh(sizeup, tmp_path, environ):
    """eu-west-1 from its offer file alone."""
    file = offer_file(tmp_path, {"t3.small": "0.0228000000"}, region="eu-west-1")
    refused = sizeup("prices", "show", "t3.small", "--region", "eu-west-1", expect=2)
    assert "sizeup prices refresh --region eu-west-1" in refused.stderr

    sizeup("prices", "refresh", "--region", "eu-west-1", "--from-file", str(file))

    shown = json.loads(sizeup("prices", "show", "t3.small", "--region", "eu-west-1", "--json").stdout)
    assert {"item": "t3.small on demand", "usd": "0.0228", "as_of": "2026-11-20"}.items() <= shown["prices"][0].items()


def test_a_second_refresh_waits_for_the_first(tmp_path):
    """Two of them would take each other's pages away."""
    with only_refresh(tmp_path, SEOUL), pytest.raises(SizeupError, match="being refreshed already"), only_refresh(tmp_path, SEOUL):
        pass


def test_a_list_in_another_currency_gives_no_price(world, aws, tmp_path):
    """China's list is in CNY: a figure that isn't in dollars is none."""
    item = host("m8i.large", "0.2000000000")
    for term in item["terms"]["OnDemand"].values():
        for price in term["priceDimensions"].values():
            price["pricePerUnit"] = {"CNY": "0.2000000000"}
    world.products.append(item)
    world.instance_types.append(instance_type("m8i.large", burstable=False))

    refreshed(aws, tmp_path)

    assert load_catalogue(SEOUL, tmp_path).on_demand("m8i.large") == load_catalogue(SEOUL).on_demand("m8i.large")


def test_prices_keep_every_digit_that_aws_wrote(world, aws, tmp_path):
    """No float on the way: 0.0000166667 and 0.1234500001 stay."""
    world.products.append(host("c9x.large", "0.1234500001"))
    world.instance_types.append(instance_type("c9x.large", burstable=False))

    refreshed(aws, tmp_path)

    assert load_catalogue(SEOUL, tmp_path).on_demand("c9x.large").usd == Decimal("0.1234500001")
