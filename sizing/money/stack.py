"""What does the whole stack cost a month, line by line, and what of it could go? From its topology and the price list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from catalogue import Catalogue, Price, ServicePrice
from evidence import Unknown
from sizing.money.ebs import GP3_FREE_IOPS, GP3_FREE_MBPS, MIB_A_GIB
from sizing.money.free_tier import FreeTier, free_hours
from sizing.money.stack_lines import UNKNOWN_TIER, Removable, StackCost, StackLine
from sizing.money.units import MONTH_H, tiered_usd
from sizing.money.usage import FREE_TRANSFER_GB

CDN_FREE_GB = Decimal(1024)
"""CloudFront's free TB a month."""
CDN_OUT = "out to viewers in the "
IPV4 = ("vpc", "public IPv4 address, in use")
Topology = Mapping[str, Any]


def stack_cost(
    topology: Topology, catalogue: Catalogue, *, hours: Decimal = MONTH_H, lcu: Decimal | None = None, transfer_gb: Decimal | None = None,
    cdn_gb: Decimal | None = None, metrics_read: int | None = None, free_tier: FreeTier = UNKNOWN_TIER, day: date | None = None,
    discount_ratio: Decimal = Decimal(0), basis: str = "",
) -> StackCost:  # fmt: skip
    """Price a month of a stack.

    Parameters
    ----------
    topology : mapping
        topology.json of a run.
    hours : Decimal
        Of the month: 730 on average, 720 in one of thirty days.
    lcu : Decimal, optional
        Capacity units that the load balancer uses on average (sizing.money.lcu); None where its traffic isn't known.
    transfer_gb, cdn_gb : Decimal, optional
        GB a month that leave for the internet, and from CloudFront; None where nobody measured it.
    metrics_read : int, optional
        Metrics that our own collection reads in the month.
    day : date, optional
        The day that the free tier is asked for; without one it is taken to run.
    discount_ratio : Decimal
        What the account pays below the list, on every line.
    basis : str
        The traffic that `lcu` and `transfer_gb` are of.
    """
    lines = [*_hosts(topology, catalogue, hours), *_volumes(topology, catalogue), *_addresses(topology, catalogue, hours)]
    lines += [*_balancer(topology, catalogue, hours, lcu), *_databases(topology, catalogue, hours), *_caches(topology, catalogue, hours)]
    lines += [_transfer(catalogue, transfer_gb), *_cdn(catalogue, cdn_gb), *_monitoring(catalogue, metrics_read)]
    paid = [_discounted(line, discount_ratio) for line in lines]
    free = _with_free_hours(paid, free_tier, catalogue, day or date.min)
    return StackCost(hours, free, _removable(topology, catalogue, hours, discount_ratio), free_tier, basis)


def _discounted(line: StackLine, ratio: Decimal) -> StackLine:
    return line if not ratio or line.unit_usd is None else replace(line, unit_usd=line.unit_usd * (1 - ratio))


def _with_free_hours(lines: Sequence[StackLine], tier: FreeTier, catalogue: Catalogue, day: date) -> list[StackLine]:
    items = [(*(line.free or ("", "")), line.quantity or Decimal(0)) for line in lines]
    return [replace(line, free_quantity=free) for line, free in zip(lines, free_hours(items, tier, catalogue, day), strict=True)]


def address_usd(catalogue: Catalogue, hours: Decimal = MONTH_H) -> Decimal | None:
    """What one public IPv4 address costs a month, in use or idle."""
    price = _first(catalogue, *IPV4)
    return None if price is None else price.usd * hours


def _hosts(topology: Topology, catalogue: Catalogue, hours: Decimal) -> list[StackLine]:
    hosts = topology.get("instances", ())
    return [
        replace(_line("ec2", _host_words(host), hours, catalogue.on_demand(host["type"])), free=("host", host["type"])) for host in hosts
    ]


def _host_words(host: Mapping[str, Any]) -> str:
    return f"{host['class']} {host['id']} {host['type']}"


def _volumes(topology: Topology, catalogue: Catalogue) -> list[StackLine]:
    volumes = [(host["id"], volume) for host in topology.get("instances", ()) for volume in host.get("volumes") or ()]
    return [line for owner, volume in volumes for line in _volume(owner, volume, catalogue)]


def _volume(owner: str, volume: Mapping[str, Any], catalogue: Catalogue) -> list[StackLine]:
    """A volume's storage, and of a gp3 one what is provisioned beyond the included IOPS and throughput."""
    kind = volume["type"]
    lines = [_line("ebs", f"{owner} {kind}", Decimal(str(volume["gib"])), _first(catalogue, "ebs", f"{kind} storage"))]
    iops = Decimal(str(volume.get("iops") or 0)) - GP3_FREE_IOPS
    mbps = Decimal(str(volume.get("mbps") or 0)) - GP3_FREE_MBPS
    if kind == "gp3" and iops > 0:
        lines.append(_line("ebs", f"{owner} gp3 IOPS", iops, _first(catalogue, "ebs", "gp3 IOPS above 3000")))
    if kind == "gp3" and mbps > 0:
        lines.append(_line("ebs", f"{owner} gp3 throughput", mbps / MIB_A_GIB, _first(catalogue, "ebs", "gp3 throughput")))
    return lines


def _addresses(topology: Topology, catalogue: Catalogue, hours: Decimal) -> list[StackLine]:
    price = _first(catalogue, *IPV4)
    return [
        replace(_line("vpc", f"public IPv4 {address['ip']} of {address['owner']}", hours, price), free=("address", address["service"]))
        for address in topology.get("addresses", ())
    ]


def _balancer(topology: Topology, catalogue: Catalogue, hours: Decimal, lcu: Decimal | None) -> list[StackLine]:
    balancer = topology.get("load_balancer")
    if not balancer:
        return []
    units = (
        _unmeasured("alb", "capacity units", "LCU-hour", "the load balancer's traffic isn't known", "load or collect a run, then ask again")
        if lcu is None
        else _line("alb", "capacity units", lcu * hours, _first(catalogue, "alb", "LCU hour"))
    )
    return [_line("alb", str(balancer["name"]), hours, _first(catalogue, "alb", "load balancer hour")), units]


def _databases(topology: Topology, catalogue: Catalogue, hours: Decimal) -> list[StackLine]:
    lines: list[StackLine] = []
    for database in topology.get("rds", ()):
        name, kind, engine, two_zones = database["id"], database["class"], database["engine"], bool(database.get("multi_az"))
        price = catalogue.rds(kind, engine, multi_az=two_zones)
        lines.append(_line("rds", f"{name} {kind} {engine}{', two zones' if two_zones else ''}", hours, price))
        lines.append(_storage(database, catalogue, two_zones))
    return lines


def _storage(database: Mapping[str, Any], catalogue: Catalogue, two_zones: bool) -> StackLine:
    what, gib = f"{database['id']} storage", database.get("storage_gib")
    if gib is None:
        return _unmeasured("rds", what, "GB-month", "its size isn't in the topology", "read it off the RDS console")
    kind = str(database.get("storage_type") or "gp2")
    return _line("rds", f"{what} {kind}", Decimal(str(gib)), catalogue.rds_storage(kind, database["engine"], multi_az=two_zones))


def _caches(topology: Topology, catalogue: Catalogue, hours: Decimal) -> list[StackLine]:
    lines: list[StackLine] = []
    for node in topology.get("cache", ()):
        kind, engine, count = node["class"], node["engine"], int(node.get("nodes") or 1)
        lines.append(_line("elasticache", f"{node['id']} {count} × {kind} {engine}", hours * count, catalogue.cache_node(kind, engine)))
    return lines


def _transfer(catalogue: Catalogue, gb: Decimal | None) -> StackLine:
    """Traffic to the internet by its tiers, after the free GB of every account; the unit price shown is the mean one."""
    if gb is None:
        return _unmeasured("transfer", "out to internet", "GB", "a topology says nothing of traffic", "read the GB off the bill")
    tiers = catalogue.service("transfer", "out to internet")
    return _tiered("transfer", "out to internet", max(gb - FREE_TRANSFER_GB, Decimal(0)), tiers)


def _cdn(catalogue: Catalogue, gb: Decimal | None) -> list[StackLine]:
    """What CloudFront sends to viewers beyond its free TB; no line where nobody said that there is a CDN."""
    names = [key for key in catalogue.services if key[0] == "cloudfront" and key[1].startswith(CDN_OUT)]
    tiers = catalogue.services[names[0]] if names else ()
    return [] if gb is None else [_tiered("cloudfront", "out to viewers", max(gb - CDN_FREE_GB, Decimal(0)), tiers)]


def _monitoring(catalogue: Catalogue, metrics: int | None) -> list[StackLine]:
    """What our own collection reads: GetMetricData is billed by the metric, however many a call holds."""
    if metrics is None:
        return []
    price = _first(catalogue, "cloudwatch", "GetMetricData")
    return [_line("cloudwatch", f"our own reading of {metrics} metrics", Decimal(metrics) / 1000, price)]


def _tiered(service: str, what: str, quantity: Decimal, tiers: Sequence[ServicePrice]) -> StackLine:
    """A line of a price in tiers; the unit price shown is the mean one."""
    line = _line(service, what, quantity, tiers[0] if tiers else None)
    usd = tiered_usd(quantity, {tier.tier_from or Decimal(0): tier.usd for tier in tiers})
    return replace(line, unit_usd=usd / quantity) if tiers and quantity else line


def _removable(topology: Topology, catalogue: Catalogue, hours: Decimal, discount: Decimal) -> list[Removable]:
    """Addresses marked as not needed: a database's public one above all, since its hosts reach it by the private one."""
    usd = address_usd(catalogue, hours)
    return [
        Removable(str(address["ip"]), str(address["owner"]), str(address["service"]), None if usd is None else usd * (1 - discount))
        for address in topology.get("addresses", ())
        if address.get("needed") is False
    ]


def _first(catalogue: Catalogue, service: str, item: str) -> ServicePrice | None:
    tiers = catalogue.service(service, item)
    return tiers[0] if tiers else None


def _line(service: str, what: str, quantity: Decimal, price: Price | ServicePrice | None) -> StackLine:
    if price is None:
        unknown = Unknown(f"no price of {what} in this region is known here", "sizeup prices refresh reads it from AWS")
        return StackLine(service, what, quantity, "", None, None, None, unknown)
    return StackLine(service, what, quantity, price.unit, price.usd, price.as_of, price.source)


def _unmeasured(service: str, what: str, unit: str, why: str, lift: str) -> StackLine:
    return StackLine(service, what, None, unit, None, None, None, Unknown(why, lift))
