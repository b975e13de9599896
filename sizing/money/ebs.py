"""What does a volume cost? Storage, IOPS and throughput beyond what is included, by the second of the month.

Source: Amazon EBS pricing, its examples: gp3 includes 3,000 IOPS and 125 MB/s; io2's IOPS are tiered, each volume by itself;
fast snapshot restore is billed a snapshot and zone, by the minute, an hour at least.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sizing.money.units import tiered_usd

GP3_FREE_IOPS, GP3_FREE_MBPS = Decimal(3000), Decimal(125)
IO2_TIERS_FROM = (Decimal(0), Decimal(32_000), Decimal(64_000))
"""Where io2's three prices of an IOPS begin."""
MIB_A_GIB = Decimal(1024)


@dataclass(frozen=True, slots=True)
class VolumeCost:
    """A volume's charges over its share of a month."""

    storage_usd: Decimal
    iops_usd: Decimal = Decimal(0)
    throughput_usd: Decimal = Decimal(0)

    @property
    def total_usd(self) -> Decimal:
        return self.storage_usd + self.iops_usd + self.throughput_usd


def gp3_usd(
    *, gb: Decimal, iops: Decimal = GP3_FREE_IOPS, mbps: Decimal = GP3_FREE_MBPS, month_ratio: Decimal = Decimal(1),
    gb_usd: Decimal, iops_usd: Decimal, mbps_usd: Decimal,
) -> VolumeCost:  # fmt: skip
    """Price a gp3 volume; `mbps_usd` a MB/s-month (a list by GiB/s divides by 1,024), `month_ratio` the share of the month."""
    return VolumeCost(
        gb * gb_usd * month_ratio, max(iops - GP3_FREE_IOPS, Decimal(0)) * iops_usd * month_ratio,
        max(mbps - GP3_FREE_MBPS, Decimal(0)) * mbps_usd * month_ratio,
    )  # fmt: skip


def io2_usd(
    *, gb: Decimal, iops: Decimal, month_ratio: Decimal = Decimal(1), gb_usd: Decimal, iops_usd: tuple[Decimal, ...], volumes: int = 1
) -> VolumeCost:
    """Price `volumes` io2 volumes alike; `iops_usd` by tier, and every volume begins at the first one."""
    tiers: Mapping[Decimal, Decimal] = dict(zip(IO2_TIERS_FROM, iops_usd, strict=False))
    return VolumeCost(volumes * gb * gb_usd * month_ratio, volumes * tiered_usd(iops, tiers) * month_ratio)


def plain_volume_usd(*, gb: Decimal, month_ratio: Decimal = Decimal(1), gb_usd: Decimal, iops: Decimal = Decimal(0),
                     iops_usd: Decimal = Decimal(0)) -> VolumeCost:  # fmt: skip
    """Price a gp2, st1, sc1 or magnetic volume by its storage, an io1 by its IOPS too."""
    return VolumeCost(gb * gb_usd * month_ratio, iops * iops_usd * month_ratio)


def fast_restore_usd(*, snapshots: int, zones: int, hours: Decimal, dsu_hour_usd: Decimal) -> Decimal:
    """Price fast snapshot restore: whole minutes, an hour at least, each snapshot in each zone."""
    billed = max((hours * 60).to_integral_value(rounding="ROUND_CEILING") / 60, Decimal(1))
    return snapshots * zones * billed * dsu_hour_usd
