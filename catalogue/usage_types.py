"""Which item of ours is a usage type of the price list? What stands here is priced by a refresh, all else is left out.

A usage type begins with its region's short name ("APN2-", in N. Virginia none or "USE1-"), so the rest names the item.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

_PREFIX = re.compile(r"^(?:[A-Z]{2,4}[0-9]+|EU)-")
"""A region's short name ends in a digit, but Ireland's; "TS-LoadBalancerUsage" is a trust store's."""


class Item(NamedTuple):
    """An item of services.csv; `factor` is how many of the list's units make one of ours."""

    service: str
    name: str
    unit: str
    factor: Decimal = Decimal(1)


_THOUSAND, _MILLION = Decimal(1000), Decimal(1_000_000)
ITEMS: dict[tuple[str, str], Item] = {
    ("AWSELB", "LoadBalancerUsage"): Item("alb", "load balancer hour", "hour"),
    ("AWSELB", "LCUUsage"): Item("alb", "LCU hour", "LCU-hour"),
    ("AmazonVPC", "PublicIPv4:InUseAddress"): Item("vpc", "public IPv4 address, in use", "hour"),
    ("AmazonVPC", "PublicIPv4:IdleAddress"): Item("vpc", "public IPv4 address, idle", "hour"),
    ("AmazonEC2", "NatGateway-Hours"): Item("nat", "NAT gateway hour", "hour"),
    ("AmazonEC2", "NatGateway-Bytes"): Item("nat", "data processed", "GB"),
    ("AmazonEC2", "EBS:VolumeUsage"): Item("ebs", "magnetic storage", "GB-month"),
    ("AmazonEC2", "EBS:VolumeUsage.gp2"): Item("ebs", "gp2 storage", "GB-month"),
    ("AmazonEC2", "EBS:VolumeUsage.gp3"): Item("ebs", "gp3 storage", "GB-month"),
    ("AmazonEC2", "EBS:VolumeP-IOPS.gp3"): Item("ebs", "gp3 IOPS above 3000", "IOPS-month"),
    ("AmazonEC2", "EBS:VolumeP-Throughput.gp3"): Item("ebs", "gp3 throughput", "GiBps-month"),
    ("AmazonEC2", "EBS:VolumeUsage.piops"): Item("ebs", "io1 storage", "GB-month"),
    ("AmazonEC2", "EBS:VolumeP-IOPS.piops"): Item("ebs", "io1 IOPS", "IOPS-month"),
    ("AmazonEC2", "EBS:VolumeUsage.io2"): Item("ebs", "io2 storage", "GB-month"),
    ("AmazonEC2", "EBS:VolumeP-IOPS.io2"): Item("ebs", "io2 IOPS, first tier", "IOPS-month"),
    ("AmazonEC2", "EBS:VolumeP-IOPS.io2.tier2"): Item("ebs", "io2 IOPS, second tier", "IOPS-month"),
    ("AmazonEC2", "EBS:VolumeP-IOPS.io2.tier3"): Item("ebs", "io2 IOPS, third tier", "IOPS-month"),
    ("AmazonEC2", "EBS:VolumeUsage.st1"): Item("ebs", "st1 storage", "GB-month"),
    ("AmazonEC2", "EBS:VolumeUsage.sc1"): Item("ebs", "sc1 storage", "GB-month"),
    ("AmazonEC2", "EBS:SnapshotUsage"): Item("ebs", "snapshot", "GB-month"),
    ("AmazonEC2", "EBS:FastSnapshotRestore"): Item("ebs", "fast snapshot restore", "DSU-hour"),
    ("AmazonEC2", "CPUCredits:t2"): Item("ec2", "surplus CPU credits T2, Linux", "vCPU-hour"),
    ("AmazonEC2", "CPUCredits:t3"): Item("ec2", "surplus CPU credits T3, Linux", "vCPU-hour"),
    ("AmazonEC2", "CPUCredits:t3a"): Item("ec2", "surplus CPU credits T3a, Linux", "vCPU-hour"),
    ("AmazonEC2", "CPUCredits:t4g"): Item("ec2", "surplus CPU credits T4g, Linux", "vCPU-hour"),
    ("AWSDataTransfer", "DataTransfer-Out-Bytes"): Item("transfer", "out to internet", "GB"),
    ("AWSDataTransfer", "DataTransfer-Regional-Bytes"): Item("transfer", "between zones, each direction", "GB"),
    ("AmazonCloudWatch", "CW:GMD-Metrics"): Item("cloudwatch", "GetMetricData", "1000 metrics", _THOUSAND),
    ("AmazonCloudWatch", "CW:AlarmMonitorUsage"): Item("cloudwatch", "standard alarm", "alarm-month"),
    ("AmazonECS", "Fargate-vCPU-Hours:perCPU"): Item("fargate", "vCPU x86", "vCPU-hour"),
    ("AmazonECS", "Fargate-GB-Hours"): Item("fargate", "memory x86", "GB-hour"),
    ("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"): Item("fargate", "vCPU arm64", "vCPU-hour"),
    ("AmazonECS", "Fargate-ARM-GB-Hours"): Item("fargate", "memory arm64", "GB-hour"),
    ("AWSLambda", "Lambda-GB-Second"): Item("lambda", "compute x86, tier 1", "GB-second"),
    ("AWSLambda", "Lambda-GB-Second-ARM"): Item("lambda", "compute arm64, tier 1", "GB-second"),
    ("AWSLambda", "Request"): Item("lambda", "requests", "million requests", _MILLION),
    ("AWSLambda", "Lambda-Provisioned-Concurrency"): Item("lambda", "provisioned concurrency x86", "GB-second"),
}
FAMILIES = {"AWSELB": "Load Balancer-Application"}
"""Where usage types of several products are called alike: the family that is meant."""


def item_of(service: str, family: str, usage_type: str) -> Item | None:
    """Return the item that a usage type prices; None for what this project has no use for."""
    if FAMILIES.get(service, family) != family:
        return None
    return ITEMS.get((service, _PREFIX.sub("", usage_type)))
