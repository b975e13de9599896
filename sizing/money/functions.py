"""What would the service cost on Lambda? Requests and GB-seconds, and what keeping functions warm adds.

Source: AWS Lambda pricing and its examples: memory of 128 to 10,240 MB in steps of 1 MB, duration by the millisecond; each
account has a million requests and 400,000 GB-seconds a month free, none of them with provisioned concurrency. A function of
1,769 MB has one vCPU (Lambda developer guide, "Configure Lambda function memory").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from sizing.money.units import tiered_usd

FREE_REQUESTS, FREE_GB_S = Decimal(1_000_000), Decimal(400_000)
LEAST_MB, MOST_MB, MB_A_VCPU = 128, 10_240, 1769
MB_A_GB = Decimal(1024)
MILLION = Decimal(1_000_000)
PROVISIONED_STEP_S, SNAPSHOT_LEAST_S = Decimal(300), Decimal(3 * 3600)
FREE_STORAGE_MB = 512


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """The charges of a function's month."""

    requests_usd: Decimal
    compute_usd: Decimal

    @property
    def total_usd(self) -> Decimal:
        return self.requests_usd + self.compute_usd


def gb_seconds(requests: Decimal, duration_s: Decimal, memory_mb: Decimal) -> Decimal:
    """Billed duration times memory: each request's milliseconds count as begun."""
    billed_s = (duration_s * 1000).to_integral_value(rounding=ROUND_CEILING) / 1000
    return requests * billed_s * memory_mb / MB_A_GB


def function_usd(
    *, requests: Decimal, duration_s: Decimal, memory_mb: Decimal, gb_s_usd: Decimal | Mapping[Decimal, Decimal], million_usd: Decimal,
    free_requests: Decimal = FREE_REQUESTS, free_gb_s: Decimal = FREE_GB_S,
) -> FunctionCost:  # fmt: skip
    """Price a month of a function; `gb_s_usd` as one price, or {where a tier begins: price}."""
    billed_gb_s = max(gb_seconds(requests, duration_s, memory_mb) - free_gb_s, Decimal(0))
    tiers = gb_s_usd if isinstance(gb_s_usd, Mapping) else {Decimal(0): gb_s_usd}
    return FunctionCost(max(requests - free_requests, Decimal(0)) / MILLION * million_usd, tiered_usd(billed_gb_s, tiers))


def provisioned_usd(*, concurrency: int, memory_mb: Decimal, seconds: Decimal, gb_s_usd: Decimal) -> Decimal:
    """Price keeping functions initialised: from on to off, in steps of five minutes begun."""
    billed_s = (seconds / PROVISIONED_STEP_S).to_integral_value(rounding=ROUND_CEILING) * PROVISIONED_STEP_S
    return concurrency * memory_mb / MB_A_GB * billed_s * gb_s_usd


def snap_start_usd(
    *, memory_mb: Decimal, seconds: Decimal, restores: Decimal, cache_gb_s_usd: Decimal, restore_gb_usd: Decimal
) -> FunctionCost:
    """Price SnapStart: the snapshot's cache while the version stands (`compute_usd`; three hours at least), and each restore
    (`requests_usd`). Java's managed runtimes have it free."""
    gb = memory_mb / MB_A_GB
    return FunctionCost(restores * gb * restore_gb_usd, gb * max(seconds, SNAPSHOT_LEAST_S) * cache_gb_s_usd)


def ephemeral_storage_usd(*, requests: Decimal, duration_s: Decimal, storage_mb: Decimal, gb_s_usd: Decimal) -> Decimal:
    """Price a function's /tmp beyond the 512 MB that are included."""
    return gb_seconds(requests, duration_s, max(storage_mb - FREE_STORAGE_MB, Decimal(0))) * gb_s_usd


def tenant_isolation_usd(*, environments: Decimal, memory_mb: Decimal, gb_usd: Decimal) -> Decimal:
    """Price tenant isolation: each execution environment that is created for a tenant."""
    return environments * memory_mb / MB_A_GB * gb_usd


def memory_for(memory_bytes: float, vcpus: float) -> int | None:
    """Return the MB that hold so much memory and bring so many vCPUs; None where no function is that large."""
    needed = max(LEAST_MB, -(-int(memory_bytes) // 1024**2), int(Decimal(str(vcpus * MB_A_VCPU)).to_integral_value(ROUND_CEILING)))
    return needed if needed <= MOST_MB else None
