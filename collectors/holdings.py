"""What does the account hold already: reservations of EC2, RDS and ElastiCache, and savings plans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from collectors.aws import Rows, SideCalls
from evidence import rfc3339


def reservations(side: SideCalls) -> Rows:
    """Return what is reserved and still runs, or is queued, of EC2, RDS and ElastiCache."""
    active = {"Filters": [{"Name": "state", "Values": ["active", "queued"]}]}
    rows = [_ec2_reservation(r) for r in side.call("ec2", "describe_reserved_instances", **active).get("ReservedInstances", [])]
    for service, operation, key, name, kind, count in (
        ("rds", "describe_reserved_db_instances", "ReservedDBInstances", "ReservedDBInstanceId", "DBInstanceClass", "DBInstanceCount"),
        ("elasticache", "describe_reserved_cache_nodes", "ReservedCacheNodes", "ReservedCacheNodeId", "CacheNodeType", "CacheNodeCount"),
    ):
        found = side.pages(service, operation, key)
        rows += [_other_reservation(r, service, r[name], r[kind], r[count]) for r in found if r.get("State", "active") == "active"]
    return rows


def _ec2_reservation(r: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": r["ReservedInstancesId"], "service": "ec2", "type": r["InstanceType"], "count": r["InstanceCount"],
        "scope": "regional" if r.get("Scope") == "Region" else "zonal", "payment": _payment(r.get("OfferingType")),
        "starts_at": rfc3339(r["Start"]) if r.get("Start") else None, "ends_at": rfc3339(r["End"]), "zone": r.get("AvailabilityZone"),
        "platform": r.get("ProductDescription"),
        "tenancy": r.get("InstanceTenancy"), "offering_class": r.get("OfferingClass"),
    }  # fmt: skip


def _other_reservation(r: Mapping[str, Any], service: str, name: str, kind: str, count: int) -> dict[str, Any]:
    return {
        "id": name, "service": service, "type": kind, "count": count, "scope": "regional", "payment": _payment(r.get("OfferingType")),
        "ends_at": rfc3339(r["StartTime"] + timedelta(seconds=r["Duration"])), "platform": r.get("ProductDescription"),
    }  # fmt: skip


def _payment(offering: str | None) -> str | None:
    return None if offering is None else offering.lower().replace(" ", "_")


def savings_plans(side: SideCalls) -> Rows:
    """Return the savings plans that run or are queued."""
    return [_plan(plan) for plan in _every_plan(side)]


def _every_plan(side: SideCalls) -> Rows:
    """Read all pages by hand: boto3 knows no paginator for them."""
    plans: Rows = []
    token: dict[str, str] = {}
    while True:
        answer = side.call("savingsplans", "describe_savings_plans", states=["active", "queued"], **token)
        plans += answer.get("savingsPlans", [])
        if not answer.get("nextToken"):
            return plans
        token = {"nextToken": answer["nextToken"]}


def _plan(p: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": p["savingsPlanId"], "kind": p["savingsPlanType"], "usd_per_h": p["commitment"], "starts_at": p.get("start"),
        "ends_at": p["end"],
        "family": p.get("ec2InstanceFamily") or None, "region": p.get("region") or None, "payment": _payment(p.get("paymentOption")),
    }  # fmt: skip
