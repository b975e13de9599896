"""What runs by the hour and can be reserved: EC2 types, classes of RDS and nodes of ElastiCache, told apart by their names.

A size-flexible reservation covers other sizes of its family: of EC2 on Linux, of ElastiCache, and of RDS but for SQL Server and
Oracle, within one engine. A database in two zones counts twice.

Sources: EC2 User Guide "How Reserved Instances are applied"; RDS User Guide "Size-flexible reserved DB instances"; ElastiCache User
Guide "Size flexible reserved nodes".
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from catalogue import Catalogue, Price, ReservedPrice, cache_nodes, database_classes, family_of, is_size_flexible, units_or_none
from sizing.money.buy import Offering, Payment

Service = Literal["ec2", "rds", "elasticache"]
LINUX = "Linux"
INFLEXIBLE_ENGINES = ("sqlserver", "oracle")


def service_of(name: str) -> Service:
    """Tell the service by the name: db.t4g.small, cache.t4g.micro, t3.small."""
    return "rds" if name.startswith("db.") else "elasticache" if name.startswith("cache.") else "ec2"


def is_flexible(name: str, platform: str = LINUX) -> bool:
    """Whether a regional reservation covers other sizes of the family; `platform` is the engine of a database or cache."""
    plain = platform == LINUX if service_of(name) == "ec2" else not platform.startswith(INFLEXIBLE_ENGINES)
    return plain and units_or_none(name) is not None and is_size_flexible(family_of(name))


def key_of(name: str, platform: str = LINUX) -> str:
    """What a regional reservation of the type covers: its family, else the type alone; of a database or cache also the engine."""
    covers = family_of(name) if is_flexible(name, platform) else name
    return covers if service_of(name) == "ec2" else f"{covers} {platform}"


def quarters_of(name: str, platform: str = LINUX) -> Decimal:
    """Quarter units of a type; 4 where its reservations aren't size-flexible, so that a host is one unit."""
    units = units_or_none(name)
    return 4 * units if units is not None and is_flexible(name, platform) else Decimal(4)


def sizes_of(catalogue: Catalogue, name: str) -> list[str]:
    """The types, classes or nodes of the same family that have units."""
    names = {"ec2": catalogue.types, "rds": database_classes(), "elasticache": cache_nodes()}[service_of(name)]
    return [other for other in names if family_of(other) == family_of(name) and units_or_none(other) is not None]


def smaller_of(catalogue: Catalogue, name: str) -> str | None:
    """The next smaller size of the family; None where there is none or the size has no units."""
    units = units_or_none(name)
    sizes = [(u, other) for other in sizes_of(catalogue, name) if (u := units_or_none(other)) is not None]
    return max((pair for pair in sizes if units is not None and pair[0] < units), default=(None, None))[1]


def on_demand(catalogue: Catalogue, name: str, platform: str = LINUX) -> Price | None:
    """An hour's price."""
    if service_of(name) == "ec2":
        return catalogue.on_demand(name)
    return catalogue.rds(name, platform) if service_of(name) == "rds" else catalogue.cache_node(name, platform)


def reserved(catalogue: Catalogue, name: str, platform: str, years: int, payment: Payment, offering: Offering) -> ReservedPrice | None:
    """A published reservation; an estimate is no price to buy by, and only EC2's can be convertible."""
    if service_of(name) != "ec2":
        return catalogue.reserved_class(name, platform, term_years=years, payment=payment) if offering == "standard" else None
    found = catalogue.reserved(name, term_years=years, payment=payment, offering=offering)
    return None if found is None or found.estimated else found
