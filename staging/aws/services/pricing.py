"""The Price List API: GetProducts, whose items are JSON in strings. Source: Price List API reference, GetProducts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from staging.aws.service import Service
from staging.aws.world import AwsFault, AwsWorld, Entry, page

MOST = 100


def get_products(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    if "ServiceCode" not in asked:
        raise AwsFault("InvalidParameterException", "ServiceCode is missing")
    wanted = [f for f in asked.get("Filters", []) if f["Type"] == "TERM_MATCH"]
    found = [item for item in world.products if item["serviceCode"] == asked["ServiceCode"] and _matches(item, wanted)]
    items, token = page(world, found, asked.get("NextToken"), asked.get("MaxResults"), MOST, "ExpiredNextTokenException")
    answer: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(item) for item in items]}
    return answer | ({"NextToken": token} if token else {})


def _matches(item: Entry, wanted: list[Mapping[str, str]]) -> bool:
    product = item["product"]
    known = {"productFamily": product.get("productFamily"), **product.get("attributes", {})}
    return all(known.get(f["Field"]) == f["Value"] for f in wanted)


SERVICE = Service({"GetProducts": get_products})
