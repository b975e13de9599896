"""What does the whole stack cost a month, line by line, and what of it could go? From its topology and the price list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from catalogue import Catalogue, Price, ServicePrice
from evidence import Unknown
from sizing.money.units import MONTH_H, cents, rate, tiered_usd

FREE_TRANSFER_GB = Decimal(100)
"""Leaves for the internet free each month, over all services and regions of an account (EC2 on-demand pricing page)."""
IPV4 = ("vpc", "public IPv4 address, in use")
Topology = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StackLine:
    """One thing that is billed.

    Attributes
    ----------
    quantity : Decimal
        Units a month: hours, GB-months, LCU-hours.
    monthly_usd : Decimal or None
        None where its price or its quantity isn't known; `unknown` then says why and what lifts it.
    """

    service: str
    what: str
    quantity: Decimal | None
    unit: str
    unit_usd: Decimal | None
    as_of: date | None
    source: str | None
    unknown: Unknown | None = None

    @property
    def monthly_usd(self) -> Decimal | None:
        return None if self.quantity is None or self.unit_usd is None else self.quantity * self.unit_usd

    def as_json(self) -> dict[str, Any]:
        quantity = None if self.quantity is None else float(self.quantity)
        return {
            "service": self.service, "what": self.what, "quantity": quantity, "unit": self.unit,
            "unit_usd": rate(self.unit_usd), "monthly_usd": cents(self.monthly_usd),
            "as_of": None if self.as_of is None else self.as_of.isoformat(), "source": self.source,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Removable:
    """A public address that nothing needs, and what its removal saves."""

    ip: str
    owner: str
    service: str
    monthly_usd: Decimal | None

    def as_json(self) -> dict[str, Any]:
        return {"ip": self.ip, "owner": self.owner, "service": self.service, "saves_monthly_usd": cents(self.monthly_usd)}


@dataclass(frozen=True, slots=True)
class StackCost:
    """A month of the stack; `total_usd` adds what is known, so it is the least where `unknowns` isn't empty."""

    hours: Decimal
    lines: Sequence[StackLine]
    removable: Sequence[Removable]

    @property
    def total_usd(self) -> Decimal:
        return sum((line.monthly_usd for line in self.lines if line.monthly_usd is not None), Decimal(0))

    @property
    def unknowns(self) -> list[dict[str, str]]:
        return [line.unknown.entry(f"lines[{index}].monthly_usd") for index, line in enumerate(self.lines) if line.unknown is not None]

    def as_json(self) -> dict[str, Any]:
        return {
            "hours": float(self.hours), "total_usd": cents(self.total_usd), "lines": [line.as_json() for line in self.lines],
            "removable": [address.as_json() for address in self.removable],
        }  # fmt: skip


def stack_cost(
    topology: Topology, catalogue: Catalogue, *, hours: Decimal = MONTH_H, lcu: Decimal | None = None, transfer_gb: Decimal | None = None
) -> StackCost:
    """Price a month of a stack.

    Parameters
    ----------
    topology : mapping
        topology.json of a run.
    hours : Decimal
        Of the month: 730 on average, 720 in one of thirty days.
    lcu : Decimal, optional
        Capacity units that the load balancer uses on average (sizing.money.lcu); None where its traffic isn't known.
    transfer_gb : Decimal, optional
        GB a month that leave for the internet; None where nobody measured it.
    """
    lines = [*_hosts(topology, catalogue, hours), *_volumes(topology, catalogue), *_addresses(topology, catalogue, hours)]
    lines += [*_balancer(topology, catalogue, hours, lcu), *_databases(topology, catalogue, hours), *_caches(topology, catalogue, hours)]
    lines.append(_transfer(catalogue, transfer_gb))
    return StackCost(hours, lines, _removable(topology, catalogue, hours))


def address_usd(catalogue: Catalogue, hours: Decimal = MONTH_H) -> Decimal | None:
    """What one public IPv4 address costs a month, in use or idle."""
    price = _first(catalogue, *IPV4)
    return None if price is None else price.usd * hours


def _hosts(topology: Topology, catalogue: Catalogue, hours: Decimal) -> list[StackLine]:
    hosts = topology.get("instances", ())
    return [_line("ec2", f"{host['class']} {host['id']} {host['type']}", hours, catalogue.on_demand(host["type"])) for host in hosts]


def _volumes(topology: Topology, catalogue: Catalogue) -> list[StackLine]:
    volumes = [(host["id"], volume) for host in topology.get("instances", ()) for volume in host.get("volumes") or ()]
    return [
        _line("ebs", f"{owner} {volume['type']}", Decimal(str(volume["gib"])), _first(catalogue, "ebs", f"{volume['type']} storage"))
        for owner, volume in volumes
    ]


def _addresses(topology: Topology, catalogue: Catalogue, hours: Decimal) -> list[StackLine]:
    price = _first(catalogue, *IPV4)
    return [_line("vpc", f"public IPv4 {address['ip']} of {address['owner']}", hours, price) for address in topology.get("addresses", ())]


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
        lines.append(_unmeasured("rds", f"{name} storage", "GB-month", "its size isn't in the topology", "read it off the RDS console"))
    return lines


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
    billed = max(gb - FREE_TRANSFER_GB, Decimal(0))
    line = _line("transfer", "out to internet", billed, tiers[0] if tiers else None)
    usd = tiered_usd(billed, {tier.tier_from or Decimal(0): tier.usd for tier in tiers})
    return replace(line, unit_usd=usd / billed) if tiers and billed else line


def _removable(topology: Topology, catalogue: Catalogue, hours: Decimal) -> list[Removable]:
    """Addresses marked as not needed: a database's public one above all, since its hosts reach it by the private one."""
    return [
        Removable(str(address["ip"]), str(address["owner"]), str(address["service"]), address_usd(catalogue, hours))
        for address in topology.get("addresses", ())
        if address.get("needed") is False
    ]


def _first(catalogue: Catalogue, service: str, item: str) -> ServicePrice | None:
    tiers = catalogue.service(service, item)
    return tiers[0] if tiers else None


def _line(service: str, what: str, quantity: Decimal, price: Price | ServicePrice | None) -> StackLine:
    if price is None:
        unknown = Unknown(f"no price of {what} in this region", "read it off the service's price list")
        return StackLine(service, what, quantity, "", None, None, None, unknown)
    return StackLine(service, what, quantity, price.unit, price.usd, price.as_of, price.source)


def _unmeasured(service: str, what: str, unit: str, why: str, lift: str) -> StackLine:
    return StackLine(service, what, None, unit, None, None, None, Unknown(why, lift))
