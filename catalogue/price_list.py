"""What does a product of AWS's price list say, in rows of our tables? GetProducts' items, and the published offer files.

A product has attributes and terms: OnDemand, and Reserved with its length, class and payment. What isn't one of ours (Windows,
dedicated hosts, unused capacity, another region) gives no row; an attribute that nobody knew yet is ignored.

Source: AWS Price List API, "Understanding the price list files": products by SKU, `terms` by kind and SKU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from catalogue.prices import HOURS_A_YEAR
from catalogue.snapshot import Row
from catalogue.tables import Source
from catalogue.usage_types import item_of

Product = Mapping[str, Any]
"""One product: {"product": {"productFamily", "attributes"}, "serviceCode", "terms": {"OnDemand", "Reserved"}}."""
Named = tuple[str, Row]
"""A row with its table's name."""

LINUX = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}
"""What an EC2 product must say to be a plain Linux host."""
ENGINES = ("PostgreSQL", "MySQL", "MariaDB")
PAYMENTS = {"No Upfront": "no", "Partial Upfront": "partial", "All Upfront": "all"}
YEARS = {"1yr": "1", "3yr": "3", "1 yr": "1", "3 yr": "3"}


def product_rows(item: Product, region: str, source: Source) -> list[Named]:
    """Turn a product into rows; none for what isn't ours."""
    product = item["product"]
    attributes, family = product.get("attributes", {}), product.get("productFamily", "")
    if attributes.get("regionCode", region) != region:
        return []
    service = item.get("serviceCode") or attributes.get("servicecode", "")
    if family.startswith("Compute Instance"):
        return list(_hosts(item, attributes, source)) if LINUX.items() <= attributes.items() else []
    if service == "AmazonRDS":
        return list(_databases(item, attributes, family, source))
    if service == "AmazonElastiCache":
        return list(_cache_nodes(item, attributes, family, source))
    return list(_services(item, service, family, attributes, source))


def offer_products(file: Mapping[str, Any]) -> Iterator[Product]:
    """Yield the products of an offer file as GetProducts answers them, each with its own terms."""
    for sku, product in file["products"].items():
        terms = {kind: by_sku[sku] for kind, by_sku in file["terms"].items() if sku in by_sku}
        yield {"product": product, "serviceCode": file["offerCode"], "terms": terms}


def _hosts(item: Product, attributes: Mapping[str, str], source: Source) -> Iterator[Named]:
    name = attributes.get("instanceType", "")
    if not name or attributes.get("operation", "RunInstances") != "RunInstances":
        return
    for usd in _hourly(item):
        yield "ec2_on_demand", {"instance_type": name, "unit": "hour", "usd": usd, "source": source}
    for offering, years, payment, amounts in _reserved(item):
        columns = reserved_columns(years, payment, *amounts)
        yield "ec2_reserved", {"instance_type": name, "offering_class": offering, **columns, "source": source}


def _databases(item: Product, attributes: Mapping[str, str], family: str, source: Source) -> Iterator[Named]:
    engine, deployment = attributes.get("databaseEngine", "Any"), attributes.get("deploymentOption", "-")
    if family == "Database Instance" and engine in ENGINES and "instanceType" in attributes:
        yield from _managed("rds", {"engine": engine, "item": attributes["instanceType"], "deployment": deployment}, item, source)
    elif family == "Database Storage" and engine in ("Any", *ENGINES):
        name = f"Database Storage: {attributes.get('volumeType', '')} ({attributes.get('volumeName', attributes.get('usagetype', ''))})"
        for usd in _hourly(item):
            columns = {"kind": "storage", "term_years": "", "payment": "", "unit": "GB-Mo", "usd": usd, "upfront_usd": ""}
            head = {"engine": engine, "item": name, "deployment": deployment}
            yield "rds", {**head, **columns, "recurring_usd_per_hour": "", "source": source}


def _cache_nodes(item: Product, attributes: Mapping[str, str], family: str, source: Source) -> Iterator[Named]:
    if family == "Cache Instance" and {"cacheEngine", "instanceType"} <= attributes.keys():
        yield from _managed("elasticache", {"engine": attributes["cacheEngine"], "node_type": attributes["instanceType"]}, item, source)


def _managed(table: str, head: Mapping[str, str], item: Product, source: Source) -> Iterator[Named]:
    """Rows of a database class or a cache node: on demand, and each reservation."""
    for usd in _hourly(item):
        columns = {"kind": "on-demand", "term_years": "", "payment": "", "unit": "hour", "usd": usd, "upfront_usd": ""}
        yield table, {**head, **columns, "recurring_usd_per_hour": "", "source": source}
    for _, years, payment, amounts in _reserved(item):
        yield table, {**head, "kind": "reserved", **reserved_columns(years, payment, *amounts), "source": source}


def _services(item: Product, service: str, family: str, attributes: Mapping[str, str], source: Source) -> Iterator[Named]:
    found = item_of(service, family, attributes.get("usagetype", ""))
    if found is None or attributes.get("operatingSystem", "Linux") != "Linux":
        return
    for dimension in sorted(_dimensions(item.get("terms", {}).get("OnDemand", {})), key=_begins_at):
        usd = _usd(dimension)
        if usd is not None and not _is_free_first_tier(dimension, usd):
            yield "services", {
                "service": found.service, "item": found.name, "unit": found.unit, "usd": plain(usd * found.factor),
                "tier_from": _tier(dimension.get("beginRange"), dimension), "tier_to": _tier(dimension.get("endRange"), dimension),
                "source": source,
            }  # fmt: skip


def _begins_at(dimension: Mapping[str, Any]) -> Decimal:
    return Decimal(str(dimension.get("beginRange") or 0))


def _is_free_first_tier(dimension: Mapping[str, Any], usd: Decimal) -> bool:
    """The list begins transfer with the free GB at 0; they are an account's over all regions, not a region's tier."""
    return usd == 0 and dimension.get("endRange") != "Inf"


def _tier(bound: str | None, dimension: Mapping[str, Any]) -> str:
    """Where a tier begins or ends; empty where there is only one."""
    only = dimension.get("beginRange") in (None, "0") and dimension.get("endRange") in (None, "Inf")
    return "" if only or bound in (None, "Inf") else str(bound)


def _hourly(item: Product) -> list[str]:
    """The price of each on-demand term that isn't 0 (0 is a hidden or a reserved-only one)."""
    found = [_usd(dimension) for dimension in _dimensions(item.get("terms", {}).get("OnDemand", {}))]
    return [plain(usd) for usd in found if usd][:1]


def _reserved(item: Product) -> Iterator[tuple[str, str, str, tuple[Decimal, Decimal]]]:
    """Each reservation of a product: class, years, payment, and (upfront, hourly)."""
    for term in item.get("terms", {}).get("Reserved", {}).values():
        told = term.get("termAttributes", {})
        payment, years = PAYMENTS.get(told.get("PurchaseOption", "")), YEARS.get(told.get("LeaseContractLength", ""))
        if payment is None or years is None:
            continue
        by_unit = {d.get("unit"): _usd(d) or Decimal(0) for d in term.get("priceDimensions", {}).values()}
        yield told.get("OfferingClass", "standard"), years, payment, (by_unit.get("Quantity", Decimal(0)), by_unit.get("Hrs", Decimal(0)))


def reserved_columns(years: str, payment: str, upfront: Decimal, hourly: Decimal) -> dict[str, str]:
    """The columns that every table of reservations has; `usd` is the effective hour, six decimals as published."""
    effective = (upfront / (HOURS_A_YEAR * int(years)) + hourly).quantize(Decimal("0.000001"))
    return {
        "term_years": years, "payment": payment, "unit": "hour", "usd": plain(effective), "upfront_usd": plain(upfront),
        "recurring_usd_per_hour": plain(hourly),
    }  # fmt: skip


def _dimensions(terms: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [dimension for term in terms.values() for dimension in term.get("priceDimensions", {}).values()]


def _usd(dimension: Mapping[str, Any]) -> Decimal | None:
    """A dimension's price in dollars; None where it has none (a list in another currency) or it isn't a number."""
    try:
        found = Decimal(str(dimension.get("pricePerUnit", {})["USD"]))
    except (KeyError, InvalidOperation):
        return None
    return found if found.is_finite() and found >= 0 else None


def plain(usd: Decimal) -> str:
    """Write a price without trailing zeros and without an exponent: 0.026, 128."""
    return f"{usd.normalize():f}"
