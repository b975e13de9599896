"""EC2's lists of types and of reservations, on offer and held. Source: EC2 API reference of the three operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from staging.aws.service import Service
from staging.aws.world import AwsFault, AwsWorld, Entry, page

FILTERS = {"scope": "Scope", "instance-type": "InstanceType", "product-description": "ProductDescription", "marketplace": "Marketplace"}
"""Of the filters that the API knows, those that the stand-in does."""
PARAMETERS = ("InstanceType", "ProductDescription", "InstanceTenancy", "OfferingClass", "OfferingType")
EXPIRED = "InvalidNextToken"


def describe_instance_types(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    names = asked.get("InstanceType", [])
    found = [item for item in world.instance_types if not names or item["InstanceType"] in names]
    return _page(world, found, asked, "InstanceTypes", 100)


def describe_reserved_instances_offerings(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [f["Name"] for f in asked.get("Filter", []) if f["Name"] not in FILTERS]
    if unknown:
        raise AwsFault("InvalidParameterValue", f"The filter '{unknown[0]}' is invalid")
    wanted = {FILTERS[f["Name"]]: f["Value"] for f in asked.get("Filter", [])} | {n: [asked[n]] for n in PARAMETERS if n in asked}
    found = [item for item in world.reservations if all(item.get(name) in values for name, values in wanted.items())]
    resold = asked.get("IncludeMarketplace") != "false"
    return _page(world, [i for i in found if resold or not i.get("Marketplace")], asked, "ReservedInstancesOfferings", 1000)


def describe_reserved_instances(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is held; AWS gives it in one piece."""
    states = [state for f in asked.get("Filter", []) if f["Name"] == "state" for state in f["Value"]]
    held = world.lists.get("DescribeReservedInstances", [])
    return {"ReservedInstances": [item for item in held if not states or item["State"] in states]}


def _page(world: AwsWorld, found: list[Entry], asked: Mapping[str, Any], key: str, most: int) -> dict[str, Any]:
    count = int(asked["MaxResults"]) if "MaxResults" in asked else None
    items, token = page(world, found, asked.get("NextToken"), count, most, EXPIRED)
    return {key: items} | ({"NextToken": token} if token else {})


SERVICE = Service(
    {
        "DescribeInstanceTypes": describe_instance_types,
        "DescribeReservedInstances": describe_reserved_instances,
        "DescribeReservedInstancesOfferings": describe_reserved_instances_offerings,
    }
)
