"""What do the reservations that are held already cover? Zonal ones first, then regional, the smallest hosts first.

A regional Linux reservation of default tenancy is size-flexible: it covers units of its family, so one t3.small covers two
t3.micro. A zonal one covers its exact type in its zone; so does a regional one of a family without flexibility.

Source: EC2 User Guide, "How Reserved Instances are applied" (RDS and ElastiCache reservations are size-flexible too).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Protocol

from catalogue import family_of, size_units, units_or_none
from evidence import rfc3339
from sizing.money.goods import LINUX, is_flexible, service_of
from sizing.money.held_plans import moment
from sizing.money.units import as_many

SCOPES = {"zonal": "zonal", "Availability Zone": "zonal", "regional": "regional", "Region": "regional"}
"""Our words and those of DescribeReservedInstances."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A reservation that the account holds, or that is queued to begin.

    Attributes
    ----------
    platform : str
        The engine, of a database or a cache.
    zone : str or None
        Of a zonal one; None where nobody stated it, which then fits any zone.
    ends_at : date, datetime or None
        When it ends (a date: at its midnight, UTC); None where nobody stated it, which then counts as running.
    starts_at : datetime or None
        Of a queued purchase; None where it runs already.
    """

    id: str
    type: str
    count: int
    scope: str = "regional"
    ends_at: date | datetime | None = None
    zone: str | None = None
    platform: str = "Linux"
    tenancy: str = "default"
    payment: str | None = None
    account: str | None = None
    starts_at: datetime | None = None

    @property
    def ends(self) -> datetime | None:
        """The moment of its end."""
        if self.ends_at is None or isinstance(self.ends_at, datetime):
            return self.ends_at
        return datetime.combine(self.ends_at, time(), UTC)

    @property
    def units(self) -> Decimal | None:
        """Its normalised units; None where AWS gives the size no factor."""
        factor = units_or_none(self.type)
        return None if factor is None else self.count * factor

    @property
    def flexible(self) -> bool:
        return self.scope == "regional" and self.tenancy == "default" and is_flexible(self.type, self.platform)


@dataclass(frozen=True, slots=True)
class Usage:
    """Hosts of one type that run, or that are recommended; `count` may be instance-hours of one clock hour.

    Of a database or a cache `host_class` is its id and `platform` its engine; a database in two zones counts twice.
    """

    host_class: str
    type: str
    count: int | Decimal
    zone: str | None = None
    platform: str = "Linux"
    tenancy: str = "default"
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """What one reservation covers; a part of a host is possible: a c4.large covers half a c4.xlarge.

    Attributes
    ----------
    covers : Sequence
        Class, type and how many of its hosts.
    unused_units : Decimal or None
        What is left over.
    """

    holding: Holding
    covers: Sequence[tuple[str, str, Decimal]]
    unused_units: Decimal | None

    def as_json(self) -> dict[str, Any]:
        ends = self.holding.ends
        return {
            "id": self.holding.id, "type": self.holding.type, "count": self.holding.count, "units": _number(self.holding.units),
            "ends_at": None if ends is None else rfc3339(ends),
            "covers": [{"class": name, "type": kind, "count": _number(count)} for name, kind, count in self.covers],
            "unused_units": _number(self.unused_units),
        }  # fmt: skip

    @property
    def sentence(self) -> str:
        """Say what is held, what it covers here, and what it could carry."""
        held = f"{self.holding.count} × {self.holding.type} is held ({self.holding.scope}{_until(self.holding.ends_at)})"
        covered = ", ".join(f"{_number(count)} × {kind} of {name}" for name, kind, count in self.covers)
        return f"{held}: covers {covered}." if covered else f"{held}: {_carries(self.holding)}."


class HeldRow(Protocol):
    """A [[held]] table of sizeup.toml."""

    @property
    def type(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def scope(self) -> str: ...
    @property
    def payment(self) -> str | None: ...
    @property
    def ends_at(self) -> date | None: ...


def holdings(stated: Iterable[HeldRow], topology: Mapping[str, Any] | None = None) -> list[Holding]:
    """Join what the settings state with what the account itself answered; what both name counts once.

    Parameters
    ----------
    stated : iterable of [[held]] tables
    topology : mapping, optional
        topology.json of a run; its `reservations` are the account's own.
    """
    own = [_from_account(row) for row in (topology or {}).get("reservations", ())]
    unmatched = [(h.type, h.scope) for h in own]
    added: list[Holding] = []
    for number, row in enumerate(stated, start=1):
        if (row.type, row.scope) in unmatched:
            unmatched.remove((row.type, row.scope))
        else:
            added.append(Holding(f"held-{number}", row.type, row.count, row.scope, row.ends_at, payment=row.payment))
    return own + added


def apply_held(held: Sequence[Holding], usage: Sequence[Usage], at: datetime, *, shared: bool = True) -> list[Cover]:
    """Apply the reservations that still run at `at` to hosts, as AWS bills an hour: in their own account, then in the others.

    Parameters
    ----------
    shared : bool
        Whether the organisation shares its discounts; where it is turned off, each account's stay its own.

    Returns
    -------
    list of Cover
        One a running reservation, in the order given.
    """
    running = [h for h in held if is_running(h, at)]
    left = [h.units if h.flexible and h.units is not None else Decimal(h.count) for h in running]
    open_count = [Decimal(use.count) for use in usage]
    taken: list[dict[int, Decimal]] = [{} for _ in running]
    for own in (True, False) if shared else (True,):
        for number in sorted(range(len(running)), key=lambda n: running[n].scope != "zonal"):
            _take(running[number], usage, own, open_count, left, number, taken[number])
    return [_cover(h, usage, took) for h, took in zip(running, taken, strict=True)]


def left_over(held: Sequence[Holding], usage: Sequence[Usage], at: datetime) -> list[Decimal]:
    """How much of each usage the reservations leave, in its order."""
    numbered = [replace(use, host_class=str(number)) for number, use in enumerate(usage)]
    taken = [(int(name), count) for cover in apply_held(held, numbered, at) for name, _, count in cover.covers]
    return [use.count - sum((count for n, count in taken if n == number), Decimal(0)) for number, use in enumerate(usage)]


def is_running(holding: Holding, at: datetime) -> bool:
    return (holding.starts_at is None or holding.starts_at <= at) and (holding.ends is None or holding.ends > at)


def held_units(held: Sequence[Holding], family: str, at: datetime) -> Decimal:
    """Units of a family that are held at `at`."""
    units = [h.units for h in held if family_of(h.type) == family and is_running(h, at)]
    return sum((u for u in units if u is not None), Decimal(0))


def _take(
    holding: Holding, usage: Sequence[Usage], own: bool, open_count: list[Decimal], left: list[Decimal], number: int,
    taken: dict[int, Decimal],
) -> None:  # fmt: skip
    """Take hosts (or parts of them) of its own account, or of the others, off `open_count` and off what it has `left`, smallest first."""
    fitting = [i for i, use in enumerate(usage) if _fits(holding, use) and (use.account == holding.account) is own]
    for index in sorted(fitting, key=lambda i: units_or_none(usage[i].type) or Decimal(0)):
        size = size_units(usage[index].type) if holding.flexible else Decimal(1)
        count = min(open_count[index], left[number] / size)
        if count > 0:
            taken[index] = count
            open_count[index] -= count
            left[number] -= count * size


def _fits(holding: Holding, use: Usage) -> bool:
    if holding.tenancy != use.tenancy or not _same_platform(holding, use):
        return False
    if holding.flexible:
        return family_of(use.type) == family_of(holding.type) and units_or_none(use.type) is not None
    same_zone = holding.scope == "regional" or holding.zone is None or use.zone is None or holding.zone == use.zone
    return use.type == holding.type and same_zone


def _same_platform(holding: Holding, use: Usage) -> bool:
    """Whether the platforms agree; the engine of a held database or cache that nobody stated fits any."""
    unstated = holding.platform == LINUX and service_of(holding.type) != "ec2"
    return unstated or holding.platform == use.platform


def _cover(holding: Holding, usage: Sequence[Usage], taken: Mapping[int, Decimal]) -> Cover:
    covers = [(usage[index].host_class, usage[index].type, count) for index, count in taken.items()]
    used = sum((count * (units_or_none(name) or Decimal(0)) for _, name, count in covers), Decimal(0))
    return Cover(holding, covers, None if holding.units is None else holding.units - used)


def _from_account(row: Mapping[str, Any]) -> Holding:
    """Read one entry of topology.json's `reservations`."""
    return Holding(
        str(row["id"]), str(row["type"]), int(row["count"]), SCOPES.get(str(row.get("scope")), "regional"), moment(row.get("ends_at")),
        zone=row.get("zone"), platform=_platform(row.get("platform")), tenancy=str(row.get("tenancy") or "default"),
        payment=row.get("payment"), starts_at=moment(row.get("starts_at")),
    )  # fmt: skip


def _platform(name: str | None) -> str:
    """AWS names the platform "Linux/UNIX", with or without "(Amazon VPC)", and postgres "postgresql" where it is reserved."""
    return "Linux" if name is None or name.lower().startswith("linux") else name.replace("postgresql", "postgres")


def _carries(holding: Holding) -> str:
    """Say what a reservation could cover when no hosts are known."""
    same = f"it covers {holding.count} × {holding.type}"
    size = holding.type.rpartition(".")[2]
    smaller = _SMALLER.get(size)
    if not holding.flexible or holding.units is None or smaller is None:
        return same
    name = f"{family_of(holding.type)}.{smaller}"
    return f"{same}, or {_number(as_many(holding.units, name))} × {name}"


_SMALLER = {"micro": "nano", "small": "micro", "medium": "small", "large": "medium", "xlarge": "large", "2xlarge": "xlarge"}


def _until(ends: date | datetime | None) -> str:
    return "" if ends is None else f", until {ends:%Y-%m-%d}"


def _number(value: Decimal | None) -> int | float | None:
    """Write a count or units for JSON: whole where it is whole."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)
