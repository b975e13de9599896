"""The moco stack's topology.json, every field of it, as the account was built (staging/embedded/account.py)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from collectors import AwsSession, discover_topology

REGION = "ap-northeast-2"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
CLASSES = {"frontend": "moco-frontend", "api": "moco-api"}
HELD = ("id", "service", "type", "count", "scope", "payment", "ends_at")
TAGS = {"environment": "staging", "project": "moco"}


@pytest.fixture
def topology(account, stand_in) -> dict[str, Any]:
    stand_in.world.lists |= {
        "DescribeReservedInstances": [{
            "ReservedInstancesId": "r-1", "InstanceType": "t3.small", "InstanceCount": 1, "Scope": "Region", "State": "active",
            "OfferingType": "All Upfront", "OfferingClass": "standard", "ProductDescription": "Linux/UNIX (Amazon VPC)",
            "InstanceTenancy": "default", "End": "2027-02-01T00:00:00Z",
        }, {"ReservedInstancesId": "r-0", "State": "retired", "End": "2026-02-01T00:00:00Z"}],
        "DescribeReservedDBInstances": [{
            "ReservedDBInstanceId": "db-1", "DBInstanceClass": "db.t3.micro", "DBInstanceCount": 1, "State": "active",
            "OfferingType": "No Upfront", "StartTime": "2026-01-01T00:00:00Z", "Duration": 31_536_000,
        }],
        "DescribeSavingsPlans": [{
            "savingsPlanId": "sp-1", "savingsPlanType": "Compute", "commitment": "0.010", "end": "2027-06-01T00:00:00.000Z",
            "state": "active", "paymentOption": "No Upfront",
        }],
    }  # fmt: skip
    return discover_topology(
        AwsSession(REGION, stand_in.url), "moco-staging", classes=CLASSES, as_of=NOW, address_monthly_usd=Decimal("0.005") * 730
    )


def test_the_load_balancer_its_rules_and_targets(topology, account):
    """Two zones, one listener, the API by host, everything else to the frontend."""
    targets = {group["name"]: group for group in topology["target_groups"]}

    assert topology["load_balancer"] | {"dns_name": None} == {
        "name": account.load_balancer, "scheme": "internet-facing", "dns_name": None, "zones": [f"{REGION}a", f"{REGION}c"],
        "listeners": [{"port": 80, "protocol": "HTTP", "rules": [
            {"priority": 10, "hosts": ["api.example.run"], "paths": [], "target_group": "moco-api"},
            {"priority": None, "hosts": [], "paths": [], "target_group": "moco-frontend"},
        ]}],
        "access_logs": {"bucket": "alb-logs-123456789012", "prefix": ""}, "tags": TAGS,
    }  # fmt: skip
    for name, zone in (("frontend", "a"), ("api", "c")):
        (target,) = targets[CLASSES[name]]["targets"]
        assert target == {"instance": account.instances[name], "zone": f"{REGION}{zone}", "port": 8080, "health": target["health"]}
        assert (targets[CLASSES[name]]["class"], targets[CLASSES[name]]["kind"]) == (name, "instance")


@pytest.mark.parametrize(("name", "kind", "zone"), [("frontend", "t2.micro", "a"), ("api", "t3.small", "c")])
def test_the_instances(topology, account, name, kind, zone):
    """A t2.micro and a t3.small, basic monitoring, 8 GiB of gp3 each."""
    (instance,) = [each for each in topology["instances"] if each["class"] == name]

    (volume,) = instance.pop("volumes")
    assert (volume["type"], volume["gib"]) == ("gp3", 8)
    assert instance.pop("private_ip").startswith("10.0.")
    assert instance == {
        "id": account.instances[name], "class": name, "type": kind, "arch": "x86_64", "zone": f"{REGION}{zone}",
        "credit_mode": "standard", "platform": "Linux/UNIX", "tenancy": "default", "monitoring": "basic",
        "tags": {**TAGS, "Name": f"moco-{name}", "class": name},
    }  # fmt: skip


def test_the_stores_and_the_five_addresses(topology, account):
    """A public database whose address isn't needed; 0.005 USD an hour each."""
    addresses = topology["addresses"]

    assert topology["rds"] == [{
        "id": "moco", "class": "db.t3.micro", "engine": "postgres", "multi_az": False, "public": True, "storage_gib": 20,
        "storage_type": "gp2",
    }]  # fmt: skip
    assert topology["cache"] == [{"id": "moco", "class": "cache.t3.micro", "engine": "redis", "nodes": 1}]
    assert sorted((a["service"], a["owner"], a["needed"], a["monthly_usd"]) for a in addresses) == [
        *[("alb", account.load_balancer, True, "3.650")] * 2,
        *sorted(("ec2", instance, True, "3.650") for instance in account.instances.values()), ("rds", "moco", False, "3.650"),
    ]  # fmt: skip
    assert len({a["ip"] for a in addresses}) == 5


def test_what_is_held_and_what_was_deployed(topology):
    """Reservations that run, of whatever service; a plan; the API's deployment."""
    (deployment,) = topology["deployments"]

    told = [{name: row[name] for name in HELD} for row in topology["reservations"]]
    assert told == [
        dict(zip(HELD, ("r-1", "ec2", "t3.small", 1, "regional", "all_upfront", "2027-02-01T00:00:00Z"), strict=True)),
        dict(zip(HELD, ("db-1", "rds", "db.t3.micro", 1, "regional", "no_upfront", "2027-01-01T00:00:00Z"), strict=True)),
    ]
    (plan,) = topology["savings_plans"]
    assert (plan["id"], plan["kind"], plan["usd_per_h"], plan["ends_at"][:10]) == ("sp-1", "Compute", "0.010", "2027-06-01")
    assert (deployment["class"], deployment["ended_at"], topology["auto_scaling"], topology["warnings"]) == ("api", None, [], [])
    assert (topology["schema"], topology["account"], topology["region"], topology["as_of"]) == (
        "1", "123456789012", REGION, "2026-11-24T03:00:00Z",
    )  # fmt: skip
