"""What does a region offer, and at what price? One object that answers from the embedded tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalogue.instances import InstanceType, TypeTable, all_types, family_of, known_types, units_or_none
from catalogue.prices import (
    Offering,
    Payment,
    Price,
    ReservedPrice,
    ServicePrice,
    make_price,
    price_of,
    published_price,
    read_reserved,
    read_services,
    reserved_price,
)
from catalogue.snapshot import newest_snapshot, refreshed_regions
from catalogue.tables import DATA, EVERYWHERE, Layered, Where, data_files, newest_rows, raw_rows, sources
from evidence import SizeupError

if TYPE_CHECKING:
    from catalogue.speed import SpeedRange

NEEDED_SERVICES = (
    ("vpc", "public IPv4 address, in use"), ("alb", "load balancer hour"), ("alb", "LCU hour"), ("ebs", "gp2 storage"),
    ("ebs", "gp3 storage"), ("cloudwatch", "GetMetricData"),
)  # fmt: skip
"""What the month of a small stack is priced with; kept in a run so that it can be priced again."""
ENGINES = {
    "postgres": "PostgreSQL", "postgresql": "PostgreSQL", "mysql": "MySQL", "redis": "Redis", "valkey": "Valkey", "memcached": "Memcached",
}  # fmt: skip
"""The price lists' names of engines by those that the services' own APIs answer with."""


def load_catalogue(region: str, refreshed: Path | None = None) -> Catalogue:
    """Open a region's catalogue; tables are read as they are asked for.

    Parameters
    ----------
    refreshed : Path, optional
        Folder of what `sizeup prices refresh` keeps; its rows count wherever they are newer than the embedded ones.

    Raises
    ------
    SizeupError
        For a region without prices, naming those that have them.
    """
    snapshot = None if refreshed is None else newest_snapshot(refreshed, region)
    if snapshot is None and region not in regions():
        raise SizeupError(
            f'no prices for region "{region}"; there are prices for {", ".join(regions(refreshed))}: name one of them with --region, or '
            f"run sizeup prices refresh --region {region}."
        )
    return _open(region, snapshot)


@cache
def _open(region: str, snapshot: Path | None) -> Catalogue:
    return Catalogue(region, snapshot)


def regions(refreshed: Path | None = None) -> list[str]:
    """List the regions with EC2 prices, embedded or refreshed."""
    own = {path.parent.name for path in DATA.glob("*/ec2_on_demand.csv")}
    return sorted(own | (set() if refreshed is None else set(refreshed_regions(refreshed))))


class Catalogue:
    """The types and prices of one region.

    Attributes
    ----------
    refreshed_on : date or None
        Day of what was read from AWS itself; None where only the embedded tables answer.
    """

    def __init__(self, region: str, snapshot: Path | None = None) -> None:
        self.region = region
        self._layers: tuple[Where, ...] = ((region,) if region in regions() else ()) + (() if snapshot is None else (snapshot,))
        self._on_demand = newest_rows("ec2_on_demand", self._layers, ("instance_type",))
        self._snapshot = snapshot
        self.types: Mapping[str, InstanceType] = TypeTable(known_types({name for (name,) in self._on_demand}, snapshot))

    @cached_property
    def as_of(self) -> date:
        """Date of the region's newest price."""
        return max(source.as_of for where in self._layers for source in sources(where).values() if source.as_of)

    @cached_property
    def refreshed_on(self) -> date | None:
        days = [source.as_of for source in sources(self._snapshot).values() if source.as_of] if self._snapshot else []
        return max(days, default=None)

    @cached_property
    def sha256(self) -> str:
        """Digest over every file that this region's answers come from."""
        import hashlib

        digest = hashlib.sha256()
        for path in data_files(self._layers):
            digest.update(f"{path.parent.name}/{path.name}\n".encode() + path.read_bytes())
        return digest.hexdigest()

    def require(self, name: str) -> InstanceType:
        """Return a type by name.

        Raises
        ------
        SizeupError
            Where the region hasn't it, with the nearest name.
        """
        if name in self.types:
            return self.types[name]
        import difflib

        near = difflib.get_close_matches(name, self.types, 1, 0.6)
        mend = f'did you mean "{near[0]}"?' if near else "write one of the region's, such as t3.small."
        elsewhere = f", though it is one of EC2 (no price in {self.region})" if name in all_types() else ""
        raise SizeupError(f'unknown instance type "{name}" in {self.region}{elsewhere}; {mend}')

    def next_smaller(self, name: str) -> InstanceType | None:
        """Return the next smaller size of the family here, by units; None where there is none or the size has no units."""
        units = units_or_none(name)
        family = [(t.size_units, t) for t in self.types.values() if t.family == family_of(name) and t.size_units is not None]
        smaller = [pair for pair in family if units is not None and pair[0] < units]
        return max(smaller, key=lambda pair: pair[0])[1] if smaller else None

    def on_demand(self, name: str) -> Price | None:
        """Return a Linux host's price an hour, shared tenancy."""
        found = self._on_demand.get((name,))
        return None if found is None else price_of(found)

    def reserved(self, name: str, *, term_years: int, payment: Payment, offering: Offering = "standard") -> ReservedPrice | None:
        """Return a Linux reservation: as published, else estimated and marked so, else None."""
        words = payment.removesuffix("_upfront")
        return reserved_price(self._reserved, name, offering=offering, years=term_years, payment=words)

    def service(self, service: str, item: str) -> tuple[ServicePrice, ...]:
        """Return the tiers of an item, cheapest volume first as published; empty where there is no price."""
        return self.services.get((service, item), ())

    def rds(self, name: str, engine: str, *, multi_az: bool = False) -> Price | None:
        """Return a database class's price an hour, e.g. ("db.t3.micro", "postgres")."""
        found = self.databases.get((_engine(engine), name, _zones(multi_az), "on-demand", "", ""))
        return None if found is None else price_of(found)

    def rds_storage(self, kind: str, engine: str, *, multi_az: bool = False) -> Price | None:
        """Return what a GB-month of a database's storage costs, e.g. ("gp3", "postgres"); None where no list here has it."""
        found = [
            price_of((row, where))
            for row, where in self.databases.values()
            if row["kind"] == "storage" and row["deployment"] == _zones(multi_az) and row["engine"] in (_engine(engine), "Any")
            and row["item"].startswith("Database Storage") and kind in row["item"].lower()
        ]  # fmt: skip
        return max(found, key=lambda price: price.as_of or date.min, default=None)

    def cache_node(self, name: str, engine: str) -> Price | None:
        """Return a cache node's price an hour, e.g. ("cache.t3.micro", "redis")."""
        found = self.nodes.get((_engine(engine), name, "on-demand", "", ""))
        return None if found is None else price_of(found)

    def reserved_class(self, name: str, engine: str, *, term_years: int, payment: Payment) -> ReservedPrice | None:
        """Return a published reservation of a database class in one zone or of a cache node; estimates there are none."""
        terms = ("reserved", str(term_years), payment.removesuffix("_upfront"))
        if name.startswith("cache."):
            found = self.nodes.get((_engine(engine), name, *terms))
        else:
            found = self.databases.get((_engine(engine), name, _zones(False), *terms))
        return None if found is None else published_price(found)

    def savings_plan(self, name: str, *, plan: str, term_years: int, payment: Payment) -> Price | None:
        """Return a Linux host's rate an hour under a savings plan ("compute" or "ec2"); None where no list here has it."""
        key = (plan, name, "Linux", "shared", str(term_years), payment.removesuffix("_upfront"))
        found = self.savings_plans.get(key)
        return None if found is None else price_of(found)

    def surplus_credit_usd_per_vcpu_h(self, family: str) -> Price | None:
        """Return what a vCPU-hour of surplus credits costs on Linux: the region's own price, else AWS's for all regions."""
        own = self.service("ec2", f"surplus CPU credits {family[:1].upper()}{family[1:]}, Linux")
        if own:
            tier = own[0]
            return Price(tier.usd, tier.unit, tier.as_of, tier.source, estimated=False, quoted=tier.quoted, how_sure=tier.how_sure)
        for row in raw_rows("surplus_credits", EVERYWHERE):
            if (row["family"], row["operating_system"]) == (family, "Linux"):
                return make_price(row["usd"], row["unit"], sources(EVERYWHERE)[row["source"]])
        return None

    def speed(self, name: str, relative_to: str) -> SpeedRange:
        """Return the speed of one core of `name` over one of `relative_to`."""
        from catalogue.speed import speed_range

        return speed_range(name, relative_to)

    def rows_used(self, names: Iterable[str]) -> dict[str, Any]:
        """Return what a run keeps as catalogue.json: the types and each price that a decision about them may use."""
        chosen = [self.types[name] for name in names if name in self.types]
        prices = [row for t in chosen for row in self._type_rows(t)]
        prices += [_service_row(tier) for key in NEEDED_SERVICES for tier in self.service(*key)]
        return {"as_of": self.as_of.isoformat(), "sha256": self.sha256, "types": [_type_row(t) for t in chosen], "prices": prices}

    @cached_property
    def _reserved(self) -> Layered:
        return read_reserved(self._layers)

    @cached_property
    def services(self) -> Mapping[tuple[str, str], tuple[ServicePrice, ...]]:
        return read_services(self.region, self._layers)

    @cached_property
    def databases(self) -> Layered:
        return newest_rows("rds", self._layers, ("engine", "item", "deployment", "kind", "term_years", "payment"))

    @cached_property
    def nodes(self) -> Layered:
        return newest_rows("elasticache", self._layers, ("engine", "node_type", "kind", "term_years", "payment"))

    @cached_property
    def savings_plans(self) -> Layered:
        keys = ("plan", "instance_type", "operating_system", "tenancy", "term_years", "payment")
        return newest_rows("savings_plan_rates", self._layers, keys)

    def _type_rows(self, t: InstanceType) -> list[dict[str, Any]]:
        """Rows of catalogue.json for one type: on demand, each published one-year and three-year reservation, surplus credits."""
        rows = [_price_row("ec2", f"{t.name} on demand", self.region, self.on_demand(t.name))]
        if t.burst is not None:
            rows.append(_price_row("ec2", f"{t.family} surplus credits", self.region, self.surplus_credit_usd_per_vcpu_h(t.family)))
        for (name, offering, years, payment), found in self._reserved.items():
            if name == t.name:
                item = f"{name} reserved {offering} {years}y {payment}-upfront, effective"
                rows.append(_price_row("ec2", item, self.region, price_of(found)))
        return [row for row in rows if row is not None]


def _zones(multi_az: bool) -> str:
    return "Multi-AZ" if multi_az else "Single-AZ"


def _engine(name: str) -> str:
    return ENGINES.get(name.lower(), name)


def _price_row(service: str, item: str, region: str, price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {"service": service, "item": item, "region": region} | _figure(price)


def _service_row(tier: ServicePrice) -> dict[str, Any]:
    return {"service": tier.service, "item": tier.item, "region": tier.region} | _figure(tier)


def _figure(price: Price | ServicePrice) -> dict[str, Any]:
    return {"unit": price.unit, "usd": str(price.usd), "as_of": _day(price.as_of), "source": price.source}


def _type_row(t: InstanceType) -> dict[str, Any]:
    from catalogue.speed import speed_rows

    row = asdict(t) | {"type": t.name, "core_speed": speed_rows(t.name)}
    return {key: _plain(value) for key, value in row.items() if key != "name"}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, Decimal) else _day(value) if isinstance(value, date) else value


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
