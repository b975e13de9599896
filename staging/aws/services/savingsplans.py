"""Rates of savings plans on offer, and the plans that are held. Source: Savings Plans API reference of the two operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from staging.aws.service import Service
from staging.aws.world import AwsWorld, Entry, page


def describe_savings_plans_offering_rates(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {f["name"]: f["values"] for f in asked.get("filters", [])}
    found = [rate for rate in world.rates if _matches(rate, wanted)]
    items, token = page(world, found, asked.get("nextToken"), asked.get("maxResults"), 1000, "ValidationException")
    return {"searchResults": items} | ({"nextToken": token} if token else {})


def describe_savings_plans(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    held = [plan for plan in world.lists.get("DescribeSavingsPlans", []) if plan["state"] in asked.get("states", [plan["state"]])]
    items, token = page(world, held, asked.get("nextToken"), asked.get("maxResults"), 1000, "ValidationException")
    return {"savingsPlans": items} | ({"nextToken": token} if token else {})


def _matches(rate: Entry, wanted: Mapping[str, list[str]]) -> bool:
    told = {p["name"]: p["value"] for p in rate["properties"]}
    return all(told.get(name) in values for name, values in wanted.items())


SERVICE = Service(
    {
        "DescribeSavingsPlans": describe_savings_plans,
        "DescribeSavingsPlansOfferingRates": describe_savings_plans_offering_rates,
    }
)
