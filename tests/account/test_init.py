"""`sizeup init` writes a settings file that works as it stands, but for what only a person can know."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sizeup.init import class_groups, environment_of, marks
from sizeup.settings import Settings, load_settings
from staging.aws import Trouble
from staging.embedded.account import Clients


def test_the_file_is_valid_and_names_the_stack(sizeup, account):
    """As built: two classes told by their target groups, the API's host by its rule."""
    code, out, _ = sizeup("init")

    settings = load_settings(Path("sizeup.toml"))
    target = settings.target["staging"]
    assert code == 0
    assert (target.alb, target.environment, target.hosts["api"]) == (account.load_balancer, "staging", "api.example.run")
    assert target.hosts["frontend"].endswith(".elb.amazonaws.com")
    assert {name: each.target_group for name, each in settings.class_.items()} == {"api": "moco-api", "frontend": "moco-frontend"}
    assert out.splitlines()[-1] == "next: sizeup doctor staging"


def test_every_key_of_the_settings_stands_in_it(sizeup):
    """docs/reference/settings.md: each table's keys, those that are off behind a #."""
    sizeup("init")

    text = Path("sizeup.toml").read_text()
    tables = ("project", "traffic", "objective", "policy", "gate", "account", "pricing", "held")
    keys = [key for table in tables for key in _model(table).model_fields]
    assert [key for key in keys if not re.search(rf"^(# )?{key} = ", text, re.MULTILINE)] == []


def _model(table: str) -> type:
    annotation = Settings.model_fields[table].annotation
    return annotation if hasattr(annotation, "model_fields") else annotation.__args__[0]


def test_with_it_a_load_is_planned_unedited(sizeup):
    """The address is the load balancer's own, asked of the account."""
    sizeup("init")

    code, _, err = sizeup("load", "staging", "--dry-run")

    assert code == 0
    assert re.search(r"target staging: http://moco-staging-\S+\.elb\.amazonaws\.com \(staging\); 5/s for 180 s", err)


def test_what_only_a_person_knows_is_marked_and_listed(sizeup):
    """The JSON document lists the marks by line; each line of the file that has one is among them."""
    _, out, _ = sizeup("init", "--json")

    found = json.loads(out)["marks"]
    lines = Path("sizeup.toml").read_text().splitlines()
    assert {mark["key"] for mark in found} >= {"timezone", "environment", "max_rate_per_s", "peak_per_s", "limit_s", "deploy", "address"}
    assert all("YOU:" in lines[mark["line"] - 1] for mark in found)
    assert found == marks("\n".join(lines))


def test_a_file_that_is_there_is_not_replaced_without_force(sizeup):
    Path("sizeup.toml").write_text("# mine\n")

    code, _, err = sizeup("init")

    assert code == 2
    assert "sizeup.toml: is there already, nothing was written" in err
    assert Path("sizeup.toml").read_text() == "# mine\n"
    assert sizeup("init", "--force")[0] == 0
    assert "[target.staging]" in Path("sizeup.toml").read_text()


def test_what_the_account_holds_is_told_and_its_plan_taken(sizeup, stand_in):
    """Billing API: an account with a plan has credits; its end is the account's word."""
    stand_in.world.lists["DescribeReservedInstances"] = [{
        "ReservedInstancesId": "r-1", "InstanceType": "t3.small", "InstanceCount": 1, "Scope": "Region", "OfferingType": "All Upfront",
        "State": "active", "End": "2027-02-01T00:00:00Z",
    }]  # fmt: skip
    stand_in.world.plan_state = {"accountPlanType": "FREE", "accountPlanExpirationDate": 1_798_675_200}

    code, _, _ = sizeup("init")

    account = load_settings(Path("sizeup.toml")).account
    assert code == 0
    assert "#   1 × t3.small (ec2, regional, until 2027-02-01)" in Path("sizeup.toml").read_text()
    assert (account.free_tier, account.ends_at) == ("credits", datetime.fromtimestamp(1_798_675_200, UTC).date())


@pytest.fixture
def london(stand_in):
    """Another region, where two load balancers stand, the second of them production's."""
    clients = Clients(stand_in.url, "eu-west-2")
    vpc = clients.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        clients.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-west-2{z}")["Subnet"]["SubnetId"]
        for n, z in enumerate("ab")
    ]
    made = [("one", "staging", "HTTP"), ("two", "Production", "HTTPS")]
    certificate = clients.other("acm").request_certificate(DomainName="example.run")["CertificateArn"]
    arns = []
    for name, tag, protocol in made:
        created = clients.elbv2.create_load_balancer(Name=name, Subnets=subnets, Tags=[{"Key": "Env", "Value": tag}])
        arns.append(created["LoadBalancers"][0]["LoadBalancerArn"])
        clients.elbv2.create_listener(
            LoadBalancerArn=arns[-1], Protocol=protocol, Port=8443,
            Certificates=[{"CertificateArn": certificate}] if protocol == "HTTPS" else [],
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
        )  # fmt: skip
    yield
    for arn in arns:
        clients.elbv2.delete_load_balancer(LoadBalancerArn=arn)


def test_of_several_load_balancers_one_must_be_named(sizeup, london):
    code, _, err = sizeup("init", "--region", "eu-west-2")

    assert code == 2
    assert re.search(r"eu-west-2 has 2 load balancers; name one with --alb: app/one/\w+, app/two/\w+\.", err)
    assert not Path("sizeup.toml").exists()


def test_production_is_written_to_be_read_and_is_not_loaded(sizeup, london):
    """A tag says so; until a person types production-ack nothing is sent."""
    assert sizeup("init", "--region", "eu-west-2", "--alb", "two")[0] == 0

    code, _, err = sizeup("load", "production", "--dry-run", "--region", "eu-west-2")

    assert code == 2
    assert re.search(r'target "production": app/two/\w+ is tagged Env=Production, nothing was sent; name a staging load balancer', err)
    text = Path("sizeup.toml").read_text()
    Path("sizeup.toml").write_text(text.replace('# environment = "production-ack"', 'environment = "production-ack"'))
    code, _, err = sizeup("load", "production", "--dry-run", "--region", "eu-west-2")
    assert code == 0
    assert re.search(r"target production: https://two-\S+\.elb\.amazonaws\.com:8443 \(production-ack\)", err)


def test_a_region_without_prices_is_looked_at_all_the_same(sizeup, london):
    """What something costs there isn't known, and is said so."""
    sizeup("init", "--region", "eu-west-2", "--alb", "one")

    code, out, _ = sizeup("doctor", "--region", "eu-west-2")

    assert code == 0
    assert re.search(r"better        access log of app/one/\w+, price not known", out)


def test_a_region_without_a_load_balancer_is_one_sentence(sizeup):
    code, out, err = sizeup("init", "--region", "ap-southeast-2")

    assert (code, out) == (2, "")
    assert err.startswith("sizeup: ap-southeast-2 has no application load balancer; name another region")


@pytest.mark.parametrize("trouble", [Trouble(denied={"elasticloadbalancing:DescribeLoadBalancers"}), Trouble(expire_after=5)])
def test_where_aws_refuses_nothing_is_written(sizeup, stand_in, trouble):
    """Refused at the first call, or the credentials expire on the way."""
    stand_in.world.trouble = trouble

    code, out, err = sizeup("init", "-q")

    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert not Path("sizeup.toml").exists()


@pytest.mark.parametrize(
    ("groups", "default", "expected"),
    [
        (["moco-api", "moco-frontend"], "moco-frontend", {"api": "moco-api", "frontend": "moco-frontend"}),
        (["tg-1", "tg-2"], "tg-2", {"api": "tg-1", "frontend": "tg-2"}),
        (["only"], "only", {"api": "only"}),
        (["web", "api-blue", "api-green"], "web", {"frontend": "web", "api": "api-blue", "api-green": "api-green"}),
        ([], None, {}),
    ],
)
def test_host_classes_are_told_by_names_and_rules(groups, default, expected):
    """api and frontend by words in the name; else the default rule's group is the frontend."""
    rules = [{"priority": None, "target_group": default, "hosts": []}]
    topology = {
        "target_groups": [{"name": name, "kind": "instance"} for name in groups], "load_balancer": {"listeners": [{"rules": rules}]},
    }  # fmt: skip

    assert class_groups(topology) == expected


@pytest.mark.parametrize(
    ("tags", "target", "environment"),
    [
        ({}, "staging", "staging"),
        ({"environment": "prod"}, "production", "production"),
        ({"Stage": "PreProd"}, "prelaunch", "prelaunch"),
        ({"env": "dev"}, "staging", "staging"),
        ({"name": "production"}, "staging", "staging"),
    ],
)
def test_the_environment_is_told_by_its_tag(tags, target, environment):
    assert environment_of(tags) == (target, environment)
