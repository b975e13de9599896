"""Accounts and regions that lack something, or whose clock isn't ours: a result without that part, or one sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from collectors import AwsSession
from collectors.aws import AwsError
from staging.aws import Trouble

OF_THE_STACK = ("init", "collect", "doctor")


@pytest.fixture
def settings(account):
    text = f'[target.staging]\nalb = "{account.load_balancer}"\n[class.api]\ntarget_group = "moco-api"\n'
    Path("sizeup.toml").write_text(text)


def asked(sizeup, command):
    """Run one of the account's commands so that it answers within seconds."""
    more = {"init": ("--config", "new.toml"), "collect": ("--since", "1h"), "doctor": ("staging",)}
    name = ("staging",) if command == "collect" else ()
    return sizeup(command, *name, *more[command])


@pytest.mark.parametrize("command", OF_THE_STACK)
@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(gone={"elasticache", "codedeploy"}),
        Trouble(unlisted={"elasticache": "OptInRequired", "rds": "SubscriptionRequiredException", "savingsplans": "OptInRequired"}),
    ],
    ids=["no endpoint", "not signed up"],
)
def test_a_region_without_a_service_gives_a_result_without_that_part(sizeup, settings, stand_in, command, trouble):
    stand_in.world.trouble = trouble

    code, out, err = asked(sizeup, command)

    assert code == 0, err
    assert "elasticache:DescribeCacheClusters" in out + err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", OF_THE_STACK)
@pytest.mark.parametrize("service", ["elasticloadbalancing", "ec2"])
def test_an_account_that_may_not_use_what_all_rests_on_is_one_sentence(sizeup, settings, stand_in, command, service):
    """The load balancer and its instances are what there is to look at; the doctor says so among its warnings."""
    stand_in.world.trouble = Trouble(unlisted={service: "OptInRequired"})

    code, _, err = asked(sizeup, command)

    assert code == (0 if command == "doctor" else 2), err
    assert f"this account has no {service} in this region (OptInRequired at {service}:" in err.splitlines()[-1]


@pytest.mark.parametrize("command", OF_THE_STACK)
def test_a_region_that_is_not_enabled_is_one_sentence(sizeup, settings, stand_in, command):
    """Account management guide, "Enable or disable AWS Regions": its endpoints don't know the token."""
    stand_in.world.trouble = Trouble(unlisted={"elasticloadbalancing": "InvalidClientTokenId", "cloudwatch": "UnrecognizedClientException"})

    code, out, err = asked(sizeup, command)

    assert (code, out) == (2, "")
    assert "the credentials are not accepted at elasticloadbalancing:" in err.splitlines()[-1]
    assert "enable the region" in err.splitlines()[-1]


@pytest.mark.parametrize("command", OF_THE_STACK)
def test_an_account_without_a_load_balancer_is_said(sizeup, account, command):
    """us-east-1 of the same account, where nothing stands."""
    Path("sizeup.toml").write_text(f'[project]\nregion = "us-east-1"\n[target.staging]\nalb = "{account.load_balancer}"\n')
    more = ("--region", "us-east-1")
    name = () if command == "init" else ("staging",)

    code, _, err = sizeup(*more, command, *name, *(("--config", "new.toml") if command == "init" else ()))

    told = {"init": "us-east-1 has no application load balancer", "collect": "us-east-1 has none of that name, nor any other"}
    assert code == (0 if command == "doctor" else 2), err
    assert told.get(command, told["collect"]) in err.splitlines()[-1]
    assert not Path("new.toml").exists()


def test_a_log_that_can_not_be_reached_is_a_warning_while_cloudwatch_answers(sizeup, settings, stand_in):
    """S3 is gone: the collection is whole without it; with the network gone it is resumed."""
    stand_in.world.trouble = Trouble(gone={"s3"})

    code, out, _ = sizeup("collect", "staging", "--since", "1h", "--json")

    found = json.loads(out)
    assert (code, found["status"]) == (0, "complete")
    assert "access_logs_missing" in {warning["code"] for warning in found["warnings"]}


@pytest.mark.parametrize(("skew_s", "word"), [(620.0, "behind"), (-3600.0, "ahead of"), (1000.0, "behind")])
def test_a_clock_that_is_off_is_one_sentence_of_collect_and_a_row_of_the_doctors(sizeup, settings, stand_in, skew_s, word):
    """Signature expired, not yet current; EC2 and S3 have words of their own, and let a quarter of an hour pass."""
    stand_in.world.trouble = Trouble(skew_s=skew_s)

    refused, examined, text = sizeup("collect", "staging", "--since", "1h"), sizeup("doctor", "--json"), sizeup("doctor")

    assert (refused[0], refused[1]) == (2, "")
    told = re.search(rf"this machine's clock is (\d+) s {word} AWS's at elasticloadbalancing:", refused[2].splitlines()[-1])
    assert told is not None
    assert abs(int(told[1]) - abs(skew_s)) <= 5
    assert "set it (timedatectl set-ntp true)" in refused[2]
    document = json.loads(examined[1])
    (clock,) = document["clocks"]
    assert (examined[0], document["ok"], document["permissions"]) == (1, False, [])
    assert (clock["ok"], abs(clock["offset_s"] - skew_s) <= 5) == (False, True)
    assert "; too far off, set this machine's or its clock" in text[1]
    assert text[1].splitlines()[-1] == "next: set the clock that is off (timedatectl set-ntp true), then sizeup doctor again"
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("service", "operation"), [("ec2", "describe_addresses"), ("s3", "list_buckets"), ("cloudwatch", "describe_alarms")]
)
def test_each_services_words_for_a_clock_that_is_off_are_told_from_expired_credentials(stand_in, service, operation):
    """EC2's RequestExpired is also what expired credentials get: the answer's Date tells which."""
    session = AwsSession("ap-northeast-2", stand_in.url)
    stand_in.world.trouble = Trouble(skew_s=1200.0)

    with pytest.raises(AwsError, match=r"this machine's clock is 1[12]\d\d s behind AWS's") as refused:
        session.call(service, operation)

    assert refused.value.kind == "clock"
    stand_in.world.trouble = Trouble(expire_after=0)
    with pytest.raises(AwsError, match="the credentials have expired"):
        session.call(service, operation)
