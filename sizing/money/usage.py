"""The small charges by use: what leaves for the internet, what crosses zones, what monitoring reads, what surplus credits cost.

Sources: EC2 on-demand pricing (data transfer: 100 GB a month free to the internet, between zones both directions count),
CloudWatch pricing (GetMetricData by the metric, however many a call holds), EC2 User Guide "Unlimited mode" (surplus credits).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sizing.money.units import tiered_usd

FREE_TRANSFER_GB = Decimal(100)
"""Leaves for the internet free each month, over all services and regions of an account."""
CREDITS_A_VCPU_H = Decimal(60)


def egress_usd(gb: Decimal, tiers: Mapping[Decimal, Decimal], free_gb: Decimal = FREE_TRANSFER_GB) -> Decimal:
    """Price a month's GB to the internet by {where a tier begins: price}, after the free ones."""
    return tiered_usd(max(gb - free_gb, Decimal(0)), tiers)


def between_zones_usd(gb: Decimal, gb_usd: Decimal) -> Decimal:
    """Price GB that go from one zone to another: the sender and the receiver both pay."""
    return 2 * gb * gb_usd


def metric_data_usd(metrics: int, polls: int, thousand_usd: Decimal) -> Decimal:
    """Price reading `metrics` metrics `polls` times: batching or longer periods change nothing."""
    return Decimal(metrics * polls) / 1000 * thousand_usd


@dataclass(frozen=True, slots=True)
class SurplusCharge:
    """What unlimited mode charges for surplus credits.

    Attributes
    ----------
    running_usd : Decimal
        While the instance runs: what was spent beyond a day's earnings.
    ended_usd : Decimal
        When it is stopped, terminated or switched to standard: the borrowed credits too.
    """

    running_usd: Decimal
    ended_usd: Decimal


def surplus_charge(*, charged_credits: Decimal, surplus_credits: Decimal, vcpu_h_usd: Decimal) -> SurplusCharge:
    """Price surplus credits: those charged so far, and the balance that is still borrowed."""
    return SurplusCharge(credits_usd(charged_credits, vcpu_h_usd), credits_usd(charged_credits + surplus_credits, vcpu_h_usd))


def credits_usd(credits: Decimal, vcpu_h_usd: Decimal) -> Decimal:
    """Price credits at the family's price of a vCPU-hour, which is 60 of them."""
    return credits / CREDITS_A_VCPU_H * vcpu_h_usd
