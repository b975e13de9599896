"""What is asked of AWS for a region's prices: which calls, with which filters, at which endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PRODUCTS: Sequence[tuple[str, str, Mapping[str, str]]] = (
    ("hosts", "AmazonEC2", {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}),
    ("volumes", "AmazonEC2", {"productFamily": "Storage"}), ("volume-iops", "AmazonEC2", {"productFamily": "System Operation"}),
    ("volume-throughput", "AmazonEC2", {"productFamily": "Provisioned Throughput"}),
    ("snapshots", "AmazonEC2", {"productFamily": "Storage Snapshot"}), ("nat", "AmazonEC2", {"productFamily": "NAT Gateway"}),
    ("credits", "AmazonEC2", {"productFamily": "CPU Credits"}), ("databases", "AmazonRDS", {}), ("caches", "AmazonElastiCache", {}),
    ("load-balancers", "AWSELB", {}), ("addresses", "AmazonVPC", {}), ("monitoring", "AmazonCloudWatch", {}),
    ("containers", "AmazonECS", {}), ("functions", "AWSLambda", {}),
)  # fmt: skip
"""What is asked of the Price List API: a name, the service's code, and filters beside the region."""


@dataclass(frozen=True, slots=True)
class PriceQuestion:
    """One call with all its pages.

    Attributes
    ----------
    token : (str, str)
        Where the next page's token goes in, and where it comes out.
    items : str
        What the answer calls its list.
    """

    name: str
    endpoint: str
    service: str
    operation: str
    arguments: Mapping[str, Any]
    token: tuple[str, str]
    items: str


def price_questions(region: str) -> list[PriceQuestion]:
    """List all that a refresh asks, in the order in which later rows replace earlier ones of the same key."""
    return [
        _ec2("types", region, "describe_instance_types", {"MaxResults": 100}, "InstanceTypes"),
        *[_products(name, region, code, {"regionCode": region, **filters}) for name, code, filters in PRODUCTS],
        _products("transfer", region, "AWSDataTransfer", {"fromRegionCode": region}),
        _ec2("reservations", region, "describe_reserved_instances_offerings", _REGIONAL_LINUX, "ReservedInstancesOfferings"),
        _rates(region),
    ]


_REGIONAL_LINUX: Mapping[str, Any] = {
    "MaxResults": 100, "IncludeMarketplace": False, "ProductDescription": "Linux/UNIX", "InstanceTenancy": "default",
    "Filters": [{"Name": "scope", "Values": ["Region"]}],
}  # fmt: skip


def _ec2(name: str, region: str, operation: str, arguments: Mapping[str, Any], items: str) -> PriceQuestion:
    return PriceQuestion(name, region, "ec2", operation, arguments, ("NextToken", "NextToken"), items)


def _products(name: str, region: str, code: str, filters: Mapping[str, str]) -> PriceQuestion:
    matches = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters.items()]
    arguments = {"ServiceCode": code, "FormatVersion": "aws_v1", "Filters": matches, "MaxResults": 100}
    return PriceQuestion(name, _price_list_region(region), "pricing", "get_products", arguments, ("NextToken", "NextToken"), "PriceList")


def _rates(region: str) -> PriceQuestion:
    wanted = {"region": region, "tenancy": "shared", "productDescription": "Linux/UNIX"}
    filters = [{"name": name, "values": [value]} for name, value in wanted.items()]
    arguments = {"maxResults": 1000, "serviceCodes": ["AmazonEC2"], "products": ["EC2"], "filters": filters}
    token = ("nextToken", "nextToken")
    return PriceQuestion(
        "savings-plans", "us-east-1", "savingsplans", "describe_savings_plans_offering_rates", arguments, token, "searchResults"
    )


def _price_list_region(region: str) -> str:
    """The Price List API answers in three regions only (Billing user guide, "Using the AWS Price List Query API")."""
    return {"ap": "ap-south-1", "eu": "eu-central-1"}.get(region.split("-")[0], "us-east-1")
