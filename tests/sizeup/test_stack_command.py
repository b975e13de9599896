"""`sizeup stack` as a person runs it, on a small run."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from decimal import Decimal
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from sample_run import write_sample_run

from staging.aws import AwsWorld, Trouble, start_aws

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "stack.json").read_text())


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stack")
    write_sample_run(folder)
    return folder


def stack(results, *args, expect=0, settings="", endpoint=None):
    config = results / "sizeup.toml"
    config.write_text('[project]\nregion = "ap-northeast-2"\n' + settings)
    command = [sys.executable, "-m", "sizeup", "stack", "--results", str(results), "--config", str(config), *args]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | {"SIZEUP_CACHE": str(results / "cache")}
    environ |= {"AWS_ENDPOINT_URL": endpoint} if endpoint else {}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environ)
    assert done.returncode == expect, done.stderr
    return done


def test_the_answer_follows_its_schema_and_adds_up(results):
    """docs/schema/stack.json; the sum is that of the lines, to the cent of each."""
    found = json.loads(stack(results, "--json").stdout)

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    lines = [Decimal(line["monthly_usd"]) for line in found["lines"] if line["monthly_usd"]]
    assert abs(sum(lines) - Decimal(found["monthly_usd"])) <= Decimal("0.01") * len(lines)
    assert all(line["source"] and line["as_of"] for line in found["lines"] if line["monthly_usd"])
    assert {entry["path"] for entry in found["unknowns"]} == {
        f"lines[{n}].monthly_usd" for n, line in enumerate(found["lines"]) if line["monthly_usd"] is None
    }


def test_capacity_units_come_from_the_runs_access_log(results):
    """The sample run has one: its load balancer's units are no unknown."""
    found = json.loads(stack(results, "--json").stdout)

    units = next(line for line in found["lines"] if line["what"] == "capacity units")
    assert units["unit"] == "LCU-hour"
    assert units["quantity"] > 0


def test_each_class_is_priced_on_fargate_and_on_lambda(results):
    """With what that would change."""
    found = json.loads(stack(results, "--json").stdout)

    assert {(way["class"], way["service"]) for way in found["alternatives"]} == {
        (name, service) for name in ("frontend", "api") for service in ("fargate", "lambda")
    }
    assert all(way["changes"] and way["source"] and Decimal(way["monthly_usd"]) >= 0 for way in found["alternatives"])


def test_recommend_says_the_same_month(results):
    """One function prices both."""
    command = [sys.executable, "-m", "sizeup", "recommend", "--results", str(results), "--config", str(results / "sizeup.toml"), "--json"]
    found = json.loads(stack(results, "--json").stdout)
    environ = dict(os.environ, SIZEUP_CACHE=str(results / "cache"))

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=environ)

    told = json.loads(done.stdout)["stack"]
    assert {key: found[key] for key in told} == told


def test_the_table_ends_in_the_source_and_the_last_line_in_what_to_do_next(results):
    """CONTRIBUTING.md; the same lines as CSV and Markdown."""
    text, rows = stack(results).stdout, list(csv.reader(StringIO(stack(results, "--format", "csv").stdout)))

    head = next(line for line in text.splitlines() if line.startswith("what"))
    assert head.split()[-1] == "source"
    assert rows[0][-1] == "source"
    assert text.splitlines()[-1].startswith("next: sizeup recommend ")
    assert stack(results, "--format", "md").stdout.startswith("| service |")


def test_a_discount_and_a_currency_are_those_of_the_settings(results):
    """[pricing]; dollars stay the reckoning."""
    plain = json.loads(stack(results, "--json").stdout)
    rated = '[pricing]\ndiscount_ratio = 0.1\ncurrency = "KRW"\ncurrency_per_usd = 1400\ncurrency_as_of = 2026-11-20\n'

    found = json.loads(stack(results, "--json", settings=rated).stdout)

    assert abs(Decimal(found["monthly_usd"]) - Decimal("0.9") * Decimal(plain["monthly_usd"])) <= Decimal("0.01")
    assert found["currency"]["code"] == "KRW"
    assert abs(Decimal(found["currency"]["monthly"]) - 1400 * Decimal(found["monthly_usd"])) <= 8
    assert "at 1400 to the dollar (2026-11-20)" in stack(results, settings=rated).stdout


def test_a_currency_without_its_rate_is_refused(results):
    """A rate has a day."""
    done = stack(results, settings='[pricing]\ncurrency = "KRW"\n', expect=2)

    assert "currency_per_usd" in done.stderr


def test_the_free_tier_is_that_of_the_settings(results):
    """A legacy account with two t3.small: nothing of theirs is free, and the address is a database's."""
    found = json.loads(stack(results, "--json", settings='[account]\nfree_tier = "legacy"\n').stdout)

    assert found["free_tier"]["kind"] == "legacy"
    assert found["free_tier"]["monthly_usd"] == found["monthly_usd"]


def test_a_run_without_an_account_is_one_sentence(results, tmp_path):
    """No topology, no stack."""
    folder = write_sample_run(tmp_path)
    (folder / "topology.json").unlink()

    done = stack(tmp_path, expect=2)

    assert "no topology.json" in done.stderr


@pytest.mark.parametrize(
    ("plan", "kind", "months"),
    [
        ({"accountPlanStatus": "ACTIVE", "accountPlanRemainingCredits": {"amount": 87.5, "unit": "USD"}}, "credits", True),
        ({"accountPlanStatus": "EXPIRED", "accountPlanRemainingCredits": {"amount": 0.0, "unit": "USD"}}, "none", False),
        (None, "unknown", False),
    ],
)
def test_a_real_account_is_asked_which_free_tier_it_has(tmp_path, plan, kind, months):
    """freetier:GetAccountPlanState; an account of before 2025-07-15 has no plan, and the settings then say which tier it has."""
    write_sample_run(tmp_path, synthetic=False)
    state = None if plan is None else plan | {"accountId": "123456789012", "accountPlanType": "FREE",
                                              "accountPlanExpirationDate": "2027-01-15T00:00:00Z"}  # fmt: skip
    with start_aws(AwsWorld(plan_state=state)) as aws:
        found = json.loads(stack(tmp_path, "--json", endpoint=aws.url).stdout)

        assert aws.calls == ["freetier:GetAccountPlanState"]
    assert found["free_tier"]["kind"] == kind
    assert (found["free_tier"]["credit_months"] is not None) is months
    assert found["free_tier"]["monthly_usd"] == {"credits": "0.00", "none": found["monthly_usd"], "unknown": None}[kind]


def test_an_account_that_may_not_be_asked_is_a_warning(tmp_path):
    """The answer stands without it."""
    write_sample_run(tmp_path, synthetic=False)
    world = AwsWorld(trouble=Trouble(denied={"freetier:GetAccountPlanState"}))

    with start_aws(world) as aws:
        found = json.loads(stack(tmp_path, "--json", endpoint=aws.url).stdout)

    assert "free_tier_unknown" in {warning["code"] for warning in found["warnings"]}
    assert found["free_tier"]["monthly_usd"] is None
