"""Databases that are reserved. Source: RDS API reference, DescribeReservedDBInstances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from staging.aws.service import Service
from staging.aws.world import AwsWorld, page


def describe_reserved_db_instances(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    most = int(asked["MaxRecords"]) if "MaxRecords" in asked else None
    items, marker = page(world, world.lists.get("DescribeReservedDBInstances", []), asked.get("Marker"), most, 100, "InvalidParameterValue")
    return {"ReservedDBInstances": items} | ({"Marker": marker} if marker else {})


SERVICE = Service({"DescribeReservedDBInstances": describe_reserved_db_instances})
