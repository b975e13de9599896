"""Cache nodes that are reserved. Source: ElastiCache API reference, DescribeReservedCacheNodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from staging.aws.service import Service
from staging.aws.world import AwsWorld, page


def describe_reserved_cache_nodes(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    most = int(asked["MaxRecords"]) if "MaxRecords" in asked else None
    items, marker = page(world, world.lists.get("DescribeReservedCacheNodes", []), asked.get("Marker"), most, 100, "InvalidParameterValue")
    return {"ReservedCacheNodes": items} | ({"Marker": marker} if marker else {})


SERVICE = Service({"DescribeReservedCacheNodes": describe_reserved_cache_nodes})
