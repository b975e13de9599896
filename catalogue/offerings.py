"""What do the other calls say, in rows of our tables: instance types, reservations on offer, savings-plan rates?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from catalogue.price_list import PAYMENTS, Named, plain, reserved_columns
from catalogue.tables import Source

YEAR_S = 365 * 24 * 3600
PLANS = {"Compute": "compute", "EC2Instance": "ec2"}


def type_rows(item: Mapping[str, Any], source: Source) -> list[Named]:
    """Turn an entry of DescribeInstanceTypes into a row; none where it lacks what a type must have."""
    cpu, processor = item.get("VCpuInfo", {}), item.get("ProcessorInfo", {})
    if "DefaultVCpus" not in cpu or "SizeInMiB" not in item.get("MemoryInfo", {}):
        return []
    network, storage = item.get("NetworkInfo", {}), item.get("EbsInfo", {}).get("EbsOptimizedInfo", {})
    cards = network.get("NetworkCards", [])
    return [("ec2_types", {
        "instance_type": item["InstanceType"], "vcpus": str(cpu["DefaultVCpus"]), "threads_per_core": str(_threads(cpu)),
        "memory_mib": str(item["MemoryInfo"]["SizeInMiB"]),
        "architectures": "|".join(sorted(processor.get("SupportedArchitectures", []))),
        "sustained_clock_ghz": str(processor.get("SustainedClockSpeedInGhz", "")),
        "processor_manufacturer": processor.get("Manufacturer", ""),
        "burstable": _flag(item.get("BurstablePerformanceSupported")), "current_generation": _flag(item.get("CurrentGeneration")),
        "free_tier_eligible": _flag(item.get("FreeTierEligible")), "bare_metal": _flag(item.get("BareMetal")),
        "hypervisor": item.get("Hypervisor", ""), "network_performance": network.get("NetworkPerformance", ""),
        "network_baseline_gbps": str(_sum(cards, "BaselineBandwidthInGbps")),
        "ebs_baseline_mbps": str(storage.get("BaselineBandwidthInMbps", "")),
        "has_gpu": _flag("GpuInfo" in item), "source": source,
    })]  # fmt: skip


def reservation_rows(item: Mapping[str, Any], source: Source) -> list[Named]:
    """Turn an entry of DescribeReservedInstancesOfferings into a row; none for a zonal one, a resale or another platform."""
    years, payment = _years(item.get("Duration")), PAYMENTS.get(item.get("OfferingType", ""))
    regional_linux = item.get("Scope", "Region") == "Region" and str(item.get("ProductDescription", "")).startswith("Linux/UNIX")
    shared = item.get("InstanceTenancy", "default") == "default"
    if years is None or payment is None or item.get("Marketplace") or not (regional_linux and shared):
        return []
    hourly = sum((Decimal(str(c["Amount"])) for c in item.get("RecurringCharges", [])), Decimal(str(item.get("UsagePrice", 0))))
    columns = reserved_columns(years, payment, Decimal(str(item.get("FixedPrice", 0))), hourly)
    return [("ec2_reserved", {
        "instance_type": item["InstanceType"], "offering_class": item.get("OfferingClass", "standard"), **columns, "source": source,
    })]  # fmt: skip


def plan_rows(item: Mapping[str, Any], region: str, source: Source) -> list[Named]:
    """Turn an entry of DescribeSavingsPlansOfferingRates into a row; none for another region, platform or currency."""
    offer, told = item.get("savingsPlanOffering", {}), {p["name"]: p["value"] for p in item.get("properties", [])}
    years, payment = _years(offer.get("durationSeconds")), PAYMENTS.get(offer.get("paymentOption", ""))
    plan, name = PLANS.get(offer.get("planType", "")), told.get("instanceType")
    ours = told.get("region", region) == region and offer.get("currency", "USD") == "USD" and item.get("unit", "Hrs") == "Hrs"
    plain_linux = str(told.get("productDescription", "")).startswith("Linux/UNIX") and told.get("tenancy", "shared") == "shared"
    if not (ours and plain_linux and years and payment and plan and name and "BoxUsage" in str(item.get("usageType", "BoxUsage"))):
        return []
    return [("savings_plan_rates", {
        "plan": plan, "instance_type": name, "operating_system": "Linux", "tenancy": "shared", "term_years": years, "payment": payment,
        "unit": "hour", "usd": plain(Decimal(str(item["rate"]))), "source": source,
    })]  # fmt: skip


def _years(seconds: int | None) -> str | None:
    """AWS counts a year of 365 days, three years of 1,095 or 1,096."""
    years = round((seconds or 0) / YEAR_S)
    return str(years) if years in (1, 3) else None


def _threads(cpu: Mapping[str, Any]) -> int:
    cores = cpu.get("DefaultCores") or cpu["DefaultVCpus"]
    return int(cpu.get("DefaultThreadsPerCore") or cpu["DefaultVCpus"] // cores)


def _sum(cards: Sequence[Mapping[str, Any]], name: str) -> float | str:
    found = [card[name] for card in cards if name in card]
    return sum(found) if found else ""


def _flag(value: object) -> str:
    return "1" if value else "0"
