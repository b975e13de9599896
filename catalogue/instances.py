"""What is an EC2 type: processors, memory, burst rules, size units?"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

from catalogue.memory import usable_memory
from catalogue.tables import EVERYWHERE, Where, raw_rows, source_of, sources

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BurstRule:
    """CPU credits of a burstable type; a credit is one vCPU at 100 % for a minute.

    Attributes
    ----------
    baseline_ratio_per_vcpu, credits_per_h, cap_credits, launch_credits : float
        Share of each vCPU that never ends; earned; most that can be held (launch credits come on top); given at launch (T2).
    default_mode : str
        What an instance gets unless told otherwise.
    credits_kept_after_stop_d : int
        Days that a stopped instance keeps its balance.

    References
    ----------
    EC2 User Guide, "Key concepts for burstable performance instances", table of credits an hour.
    """

    baseline_ratio_per_vcpu: float
    credits_per_h: float
    cap_credits: float
    launch_credits: float
    default_mode: Literal["standard", "unlimited"]
    credits_kept_after_stop_d: int
    source: str
    as_of: date | None


@dataclass(frozen=True, slots=True)
class InstanceType:
    """One EC2 type.

    Attributes
    ----------
    memory_bytes, usable_bytes : int
        The label; MemTotal as a kernel reports it there, measured or modelled (catalogue.memory).
    usable_error_bytes : int
        How far a kernel of another distribution, or the model, may be off either way.
    network_baseline_bit_per_s, ebs_baseline_bit_per_s : float or None
        What it can do for ever; None where AWS states nothing.
    size_units : Decimal or None
        Normalised units of reservations; None where AWS gives the size no factor.
    """

    name: str
    family: str
    size: str
    vcpus: int
    threads_per_core: int
    arch: Literal["x86_64", "arm64"]
    memory_bytes: int
    usable_bytes: int
    usable_basis: Literal["measured", "modelled"]
    usable_source: str
    usable_error_bytes: int
    burst: BurstRule | None
    network_baseline_bit_per_s: float | None
    ebs_baseline_bit_per_s: float | None
    current_generation: bool
    hypervisor: str
    size_units: Decimal | None
    source: str


TYPES_SOURCE = "DescribeInstanceTypes answers shipped in moto 5.2.1"
"""Every embedded row of ec2_types.csv is from one source."""


@cache
def all_types() -> dict[str, dict[str, str]]:
    """Return the stored row of every known type by its name."""
    return {row["instance_type"]: row for row in raw_rows("ec2_types", EVERYWHERE)}


class TypeTable(Mapping[str, InstanceType]):
    """Types by name, each built when it is asked for: building a region's 540 takes 10 ms of a start of 60.

    Parameters
    ----------
    rows : mapping
        The stored row of each type.
    """

    def __init__(self, rows: Mapping[str, dict[str, str]]) -> None:
        self._rows = rows
        self._built: dict[str, InstanceType] = {}

    def __getitem__(self, name: str) -> InstanceType:
        if name not in self._built:
            self._built[name] = make_type(self._rows[name])
        return self._built[name]

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def make_type(row: Mapping[str, str]) -> InstanceType:
    """Build one type from its row."""
    name = row["instance_type"]
    family, _, size = name.partition(".")
    arch: Literal["x86_64", "arm64"] = "arm64" if row["architectures"].startswith("arm64") else "x86_64"
    memory = usable_memory(name, int(row["memory_mib"]), row["hypervisor"], arch)
    return InstanceType(
        name=name, family=family, size=size, vcpus=int(row["vcpus"]), threads_per_core=int(row["threads_per_core"]), arch=arch,
        memory_bytes=int(row["memory_mib"]) * MIB, usable_bytes=memory.mib * MIB, usable_basis=memory.basis,
        usable_source=memory.source, usable_error_bytes=memory.error_mib * MIB, burst=burst_rules().get(name),
        network_baseline_bit_per_s=_scaled(row["network_baseline_gbps"], 1e9),
        ebs_baseline_bit_per_s=_scaled(row["ebs_baseline_mbps"], 1e6), current_generation=row["current_generation"] == "1",
        hypervisor=row["hypervisor"], size_units=units_or_none(name), source=row.get("source_name", TYPES_SOURCE),
    )  # fmt: skip


def known_types(names: Container[str], refreshed: Where | None) -> dict[str, dict[str, str]]:
    """Return the rows of the types among `names`, and of every burstable one; a refreshed row replaces the embedded one.

    A burstable type whose credit rules nobody stated is left out: taken for one that never tires, it would be advised wrongly.
    """
    rows = all_types() | _refreshed_types(refreshed)
    rules = burst_rules()
    return {name: row for name, row in rows.items() if name in rules or (name in names and row["burstable"] != "1")}


def _refreshed_types(where: Where | None) -> dict[str, dict[str, str]]:
    rows = raw_rows("ec2_types", where) if where is not None else iter(())
    return {row["instance_type"]: row | {"source_name": _dated(row, where)} for row in rows if where is not None}


def _dated(row: Mapping[str, str], where: Where) -> str:
    source = source_of(row, where)
    return f"{source.name}, {source.seen_on}"


@cache
def burst_rules() -> Mapping[str, BurstRule]:
    return {row["instance_type"]: _burst(row) for row in raw_rows("burst_rules", EVERYWHERE)}


def family_of(name: str) -> str:
    """Return what a reservation's size flexibility stays within: "t3" of t3.small, "db.t3" of db.t3.small."""
    return name.rpartition(".")[0]


def size_units(name: str) -> Decimal:
    """Return the normalised units of a size ("small") or of a type of EC2, RDS or ElastiCache ("cache.t3.small").

    Raises
    ------
    KeyError
        For a size to which AWS gives no factor.

    References
    ----------
    EC2 User Guide, "How Reserved Instances are applied": the size table and that of bare metal, which goes by type.
    """
    found = units_or_none(name)
    if found is None:
        raise KeyError(name)
    return found


def is_size_flexible(family: str) -> bool:
    """Whether a regional Linux reservation of the family covers its other sizes (EC2 User Guide, "Limitations")."""
    return family not in _inflexible()


@cache
def units_or_none(name: str) -> Decimal | None:
    """Return the normalised units of a size or a type, None where AWS gives it no factor."""
    exact, patterns = _factors()
    size = name.rpartition(".")[2]
    if name in exact or size in exact:
        return exact.get(name) or exact[size]
    return next((factor for pattern, factor in patterns if fnmatchcase(name if "." in name else f".{name}", pattern)), None)


@cache
def _factors() -> tuple[dict[str, Decimal], list[tuple[str, Decimal]]]:
    """Factors by size or type, and by pattern."""
    exact = {row["instance_size"]: Decimal(row["normalization_factor"]) for row in raw_rows("size_units", EVERYWHERE)}
    more = [(row["instance_type"], Decimal(row["normalization_factor"])) for row in raw_rows("size_units_more", EVERYWHERE)]
    return exact | {name: factor for name, factor in more if "*" not in name}, [pair for pair in more if "*" in pair[0]]


@cache
def _inflexible() -> frozenset[str]:
    return frozenset(row["family"] for row in raw_rows("size_inflexible", EVERYWHERE))


def _burst(row: dict[str, str]) -> BurstRule:
    mode: Literal["standard", "unlimited"] = "unlimited" if row["default_mode"] == "unlimited" else "standard"
    source = sources(EVERYWHERE)[row["source"]]
    return BurstRule(
        baseline_ratio_per_vcpu=float(Decimal(row["baseline_pct_per_vcpu"]) / 100), credits_per_h=float(row["credits_per_hour"]),
        cap_credits=float(row["max_accrued_credits"]), launch_credits=float(row["launch_credits"]), default_mode=mode,
        credits_kept_after_stop_d=int(row["credits_kept_after_stop_days"]), source=source.name, as_of=source.as_of,
    )  # fmt: skip


def _scaled(text: str, factor: float) -> float | None:
    return float(text) * factor if text else None
