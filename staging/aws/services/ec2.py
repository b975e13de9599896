"""EC2's lists of types and of reservations on offer. Source: EC2 API reference of the two operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from staging.aws.service import Service
from staging.aws.world import AwsWorld, Entry, page

FIELDS = {
    "product-description": "ProductDescription",
    "instance-tenancy": "InstanceTenancy",
    "scope": "Scope",
    "instance-type": "InstanceType",
}
EXPIRED = "InvalidNextToken"


def describe_instance_types(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    names = asked.get("InstanceType", [])
    found = [item for item in world.instance_types if not names or item["InstanceType"] in names]
    return _page(world, found, asked, "InstanceTypes", 100)


def describe_reserved_instances_offerings(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {FIELDS[f["Name"]]: f["Value"] for f in asked.get("Filter", [])}
    found = [item for item in world.reservations if all(item.get(name) in values for name, values in wanted.items())]
    resold = asked.get("IncludeMarketplace") != "false"
    return _page(world, [i for i in found if resold or not i.get("Marketplace")], asked, "ReservedInstancesOfferings", 1000)


def _page(world: AwsWorld, found: list[Entry], asked: Mapping[str, Any], key: str, most: int) -> dict[str, Any]:
    count = int(asked["MaxResults"]) if "MaxResults" in asked else None
    items, token = page(world, found, asked.get("NextToken"), count, most, EXPIRED)
    return {key: items} | ({"NextToken": token} if token else {})


SERVICE = Service(
    {
        "DescribeInstanceTypes": describe_instance_types,
        "DescribeReservedInstancesOfferings": describe_reserved_instances_offerings,
    }
)
