"""`sizeup doctor` on an account that is whole, that lacks a permission, and that can't be asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collectors import AwsSession
from collectors.clocks import between
from collectors.permissions import probe, read_actions
from staging.aws import Trouble

REGION = "ap-northeast-2"
LOGS = {"bucket": "alb-logs-123456789012", "prefix": ""}


@pytest.fixture
def settings(sizeup, account):
    """What a person would write: the load balancer and the two classes."""
    Path("sizeup.toml").write_text(
        f'[target.staging]\nalb = "{account.load_balancer}"\n[class.api]\ntarget_group = "moco-api"\n'
        '[class.frontend]\ntarget_group = "moco-frontend"\n'
    )


@pytest.fixture(scope="module")
def aws(account):
    """Where the global services answer too, so that all clients are made once."""
    return AwsSession("us-east-1", account.stand_in.url)


def test_a_whole_account_has_every_permission(sizeup, settings):
    """Nothing is refused: exit 0; what isn't known is why the agents aren't."""
    code, out, _ = sizeup("doctor", "--json")

    document = json.loads(out)
    assert (code, document["ok"]) == (0, True)
    assert {row["action"]: row["ok"] for row in document["permissions"]} == dict.fromkeys(read_actions(), True)
    assert [entry["path"] for entry in document["unknowns"]] == ["agents[0].ok", "agents[1].ok"]


@pytest.mark.parametrize("action", read_actions())
def test_an_account_that_lacks_one_permission_is_told_that_one_and_its_statement(aws, stand_in, action):
    """Each in turn; what can't be told without it is not called missing."""
    stand_in.world.trouble = Trouble(denied={action})

    missing = [row.as_json("logs") for row in probe(aws, LOGS) if row.ok is False]

    told = {"s3:ListBucket": "arn:aws:s3:::logs", "s3:GetObject": "arn:aws:s3:::logs/*"}
    statement = {"Effect": "Allow", "Action": [action], "Resource": told.get(action, "*")}
    assert [(row["action"], row["statement"]) for row in missing] == [(action, statement)]


@pytest.mark.parametrize("action", ["elasticloadbalancing:DescribeLoadBalancers", "rds:DescribeDBInstances", "s3:GetObject"])
def test_the_command_names_exactly_the_missing_permission(sizeup, settings, stand_in, action):
    """One that the walk can't do without, one that it can, one of the log's: something is to be mended, so exit 1."""
    stand_in.world.trouble = Trouble(denied={action})

    code, out, _ = sizeup("doctor")

    assert code == 1
    assert [line.split()[1] for line in out.splitlines() if line.startswith("no ")] == [action]
    assert f'"Action": ["{action}"]' in out
    assert out.splitlines()[-1] == "next: attach the policy in docs/iam/read.json, then sizeup doctor again"


def test_five_addresses_are_told_with_their_price_and_the_databases_with_the_command_that_drops_it(sizeup, settings):
    """AWS's price list: 0.005 USD an hour, 3.60 in 720 hours, 3.65 in 730. RDS API: ModifyDBInstance, PubliclyAccessible."""
    _, out, _ = sizeup("doctor")

    told = [line for line in out.splitlines() if line.startswith("address")]
    assert len(told) == 5
    assert all("$3.60 to $3.65 a month" in line for line in told)
    assert [" of rds moco: not needed" in line for line in told] == [False] * 4 + [True]
    assert f"aws rds modify-db-instance --db-instance-identifier moco --no-publicly-accessible --region {REGION}" in out


def test_detailed_monitoring_is_offered_with_its_command_and_price(sizeup, settings, account):
    """CloudWatch pricing: seven metrics at 0.30 USD a month each. The log is on already, so it isn't offered."""
    _, out, _ = sizeup("doctor", "--json")

    found = json.loads(out)["improvements"]
    assert {(row["code"], row["usd"], row["per"]) for row in found} == {("detailed_monitoring", "2.10", "month")}
    assert {row["commands"][0] for row in found} == {
        f"aws ec2 monitor-instances --instance-ids {instance} --region {REGION}" for instance in account.instances.values()
    }  # fmt: skip


def test_credentials_that_expire_on_the_way_are_one_sentence(sizeup, settings, stand_in):
    """The 21st call is answered with ExpiredToken, in that service's words."""
    stand_in.world.trouble = Trouble(expire_after=20)

    code, out, err = sizeup("doctor", "-q")

    assert (code, out) == (2, "")
    assert "the credentials have expired at " in err
    assert len(err.splitlines()) == 1


def test_a_region_that_lacks_a_service_is_not_a_missing_permission(sizeup, settings, stand_in):
    """Nobody answers there, so nothing is known, and what needs it is none."""
    stand_in.world.trouble = Trouble(gone={"codedeploy", "elasticache"})

    code, out, err = sizeup("doctor")

    assert code == 0
    assert "unknown       codedeploy:ListDeployments: AWS " in out
    assert "elasticache:DescribeCacheClusters" in err


def test_a_host_is_asked_for_its_clock_and_its_agent(sizeup, account):
    """This machine as the host: its clock is ours."""
    Path("sizeup.toml").write_text(f'[target.staging]\nalb = "{account.load_balancer}"\n[class.api]\naddress = "localhost"\n')

    _, out, _ = sizeup("doctor", "--json")

    document = json.loads(out)
    aws_clock, here = document["clocks"]
    assert (aws_clock["host"], aws_clock["ok"], here["host"], here["ok"]) == ("aws", True, "localhost", True)
    assert abs(here["offset_s"]) <= here["error_s"] + 0.05
    assert [row["host"] for row in document["agents"]] == ["localhost"]


def test_without_settings_the_doctor_has_nothing_to_go_by(sizeup):
    code, _, err = sizeup("doctor")

    assert code == 2
    assert "sizeup.toml: no settings file here" in err


def test_of_several_targets_one_must_be_named(sizeup):
    Path("sizeup.toml").write_text('[target.a]\nurl = "http://a"\n[target.b]\nurl = "http://b"\n')

    code, _, err = sizeup("doctor")

    assert (code, err.strip()) == (2, "sizeup: sizeup.toml names several targets; say which: a, b.")


@pytest.mark.parametrize(("shown", "ok"), [(100.0, True), (101.1, True), (103.0, False), (97.0, False)])
def test_a_clock_is_off_where_even_the_error_does_not_excuse_it(shown, ok):
    """Asked from 100.0 to 100.2 by ours; a second is allowed."""
    found = between("host", 100.0, 100.2, shown, shown)

    assert found.error_s == pytest.approx(0.1)
    assert found.ok is ok
