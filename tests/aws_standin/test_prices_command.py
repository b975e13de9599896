"""`sizeup prices` as a person runs it: tables with their source last, JSON after its schema, sentences for what is wrong."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from made_world import SEOUL

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "prices.json").read_text())


@pytest.mark.parametrize("name", ["t3.small", "db.t3.micro", "cache.t3.micro", "ebs", "alb"])
def test_every_price_stands_with_its_source_in_the_last_column(sizeup, name):
    """docs/schema/prices.json; the same rows as text, CSV and Markdown."""
    shown = json.loads(sizeup("prices", "show", name, "--region", SEOUL, "--json").stdout)
    rows = list(csv.reader(StringIO(sizeup("prices", "show", name, "--region", SEOUL, "--format", "csv").stdout)))

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(shown)
    assert rows[0][-1] == "source"
    assert [row[-1] for row in rows[1:]] == [price["source"] for price in shown["prices"]]
    assert all(price["source"] for price in shown["prices"])
    assert any(w["code"] == "price_old" for w in shown["warnings"]) or name == "alb"


def test_the_text_ends_each_line_in_its_source_and_says_what_is_missing(sizeup):
    """t3.small, Seoul: $128 at once; savings-plan rates are not to be had, with the command that gets them."""
    text = sizeup("prices", "show", "t3.small", "--region", SEOUL).stdout

    line = next(line for line in text.splitlines() if line.startswith("t3.small standard, 1 y, all-upfront"))
    assert line.split()[5:9] == ["0.014612", "hour", "128", "2026-08-18"] or "128" in line
    assert line.rstrip().endswith("(AWS Price List Bulk API)")
    assert f"missing: no savings-plan rate of t3.small in {SEOUL} is known here; sizeup prices refresh --region {SEOUL}" in text
    assert text.splitlines()[-1] == "next: sizeup gate --buy t3.small:1:1y:all-upfront"


def test_after_a_refresh_its_day_and_source_are_shown(refresh, sizeup):
    """What is newer counts; no savings-plan rate is missing then."""
    refresh()

    shown = json.loads(sizeup("prices", "show", "t3.small", "--region", SEOUL, "--json").stdout)

    assert shown["refreshed_on"] is not None
    assert {"usd": "0.027", "source": f"pricing:GetProducts, {SEOUL}", "as_of": shown["refreshed_on"]}.items() <= shown["prices"][0].items()
    assert shown["unknowns"] == []
    assert shown["catalogue"]["as_of"] == shown["refreshed_on"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("t3.smal", 'did you mean "t3.small"?'),
        ("ebx", 'did you mean "ebs"?'),
        ("db.t9.huge", "no price of"),
        ("quantum", "name a type"),
    ],
)
def test_an_unknown_name_is_one_sentence(sizeup, name, said):
    """Exit 2, where and mend."""
    done = sizeup("prices", "show", name, "--region", SEOUL, expect=2)

    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_refresh_says_what_it_read_and_where_it_lies(refresh):
    """Text and JSON; new types by name."""
    text = refresh().stdout

    assert "new types: m9i.large, t5.small" in text
    assert text.splitlines()[-1] == f"next: sizeup prices show t3.small --region {SEOUL}"


def test_a_cache_folder_that_cannot_be_written_is_one_sentence(refresh, environ, tmp_path):
    """SIZEUP_CACHE names a file."""
    (tmp_path / "file").write_text("")
    environ["SIZEUP_CACHE"] = str(tmp_path / "file")

    done = refresh(expect=2)

    assert "name another folder with SIZEUP_CACHE" in done.stderr


def test_aws_that_does_not_answer_is_one_sentence(refresh, world):
    """Refused credentials: exit 2, the action named, no trace."""
    world.trouble.denied = {"ec2:DescribeInstanceTypes", "pricing:GetProducts", "ec2:DescribeReservedInstancesOfferings",
                            "savingsplans:DescribeSavingsPlansOfferingRates"}  # fmt: skip

    done = refresh(expect=2)

    assert f"no price of {SEOUL}" in done.stderr
    assert "Traceback" not in done.stderr
