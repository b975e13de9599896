"""How much of a type's memory does a kernel really offer? Measured points, else a line through them.

What a kernel keeps before MemTotal is counted grows with the label (page tables of pages: 1/64 of it, and more), has a
fixed part by hypervisor and processor, and jumps by the DMA bounce buffer of 64 MiB (swiotlb) where memory reaches beyond
what 32-bit devices address: from 4 GiB on x86-64, from 2 GiB on arm64, whose memory starts higher. With that jump the
straight line through the seven T2 points is off by less than 1 MiB; without it by up to 37.

A type of a family that was measured gets its family's own offset; another gets the middle between the extremes of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple

from catalogue.tables import EVERYWHERE, read_rows

BOUNCE_BUFFER_MIB = 64
BOUNCE_FROM_MIB = {"x86_64": 4096, "arm64": 2048}
MEASURED_ERROR_MIB = 30
"""Kernels and distributions differ by this on the same type (t2.micro: 957 on Ubuntu, 983 on Amazon Linux 2)."""
LARGEST_MEASURED_MIB = 32768

Kind = tuple[str, str]
"""Hypervisor ("xen", or "nitro" for all else) and architecture."""


class UsableMemory(NamedTuple):
    mib: int
    error_mib: int
    basis: Literal["measured", "modelled"]
    source: str


class Point(NamedTuple):
    """MemTotal seen on a real instance."""

    type: str
    label_mib: int
    kind: Kind
    memtotal_mib: int


class MemoryModel(NamedTuple):
    """MemTotal = label − (slope × label + bounce buffer + offset).

    Attributes
    ----------
    slope : Mapping
        By kind.
    offset : Mapping
        MiB, by family, and by kind for the families that nobody measured.
    """

    slope: Mapping[Kind, float]
    offset: Mapping[str | Kind, float]

    def memtotal_mib(self, name: str, label_mib: int, kind: Kind) -> int:
        offset = self.offset.get(name.partition(".")[0], self.offset[kind])
        return round(label_mib - self.slope[kind] * label_mib - bounce_mib(label_mib, kind) - offset)


def usable_memory(name: str, label_mib: int, hypervisor: str, arch: str) -> UsableMemory:
    """Return MemTotal of a type: as measured, else by the model and marked so."""
    measured = measurements().get(name)
    if measured is not None:
        return UsableMemory(measured[0], MEASURED_ERROR_MIB, "measured", measured[1])
    error = MEASURED_ERROR_MIB if label_mib <= LARGEST_MEASURED_MIB else label_mib // 100
    return UsableMemory(
        fitted().memtotal_mib(name, label_mib, kind_of(hypervisor, arch)), error, "modelled",
        f"line through {len(measurements())} measured types (Spare Cores, 2024-11) by hypervisor and architecture, ±{error} MiB",
    )  # fmt: skip


@cache
def measurements() -> Mapping[str, tuple[int, str]]:
    """MemTotal in MiB and its source, by type."""
    rows = read_rows("usable_memory", EVERYWHERE)
    return {row["instance_type"]: (int(row["memtotal_mib"]), f"{row['source']}, {row['seen_on']}") for row in rows}


@cache
def fitted() -> MemoryModel:
    return fit_memory(points())


def points() -> list[Point]:
    """The measured points with their labels."""
    from catalogue.instances import all_types

    seen = [(all_types()[name], memtotal_mib) for name, (memtotal_mib, _) in measurements().items()]
    return [
        Point(row["instance_type"], int(row["memory_mib"]), kind_of(row["hypervisor"], row["architectures"]), memtotal_mib)
        for row, memtotal_mib in seen
    ]


def fit_memory(seen: Iterable[Point]) -> MemoryModel:
    """Fit, for each kind, the slope within its families (least squares) and each family's offset.

    Between families the offset differs by up to 42 MiB, so a slope through all of them would take that for memory's own.
    """
    kinds: dict[Kind, dict[str, list[Point]]] = {}
    for point in seen:
        kinds.setdefault(point.kind, {}).setdefault(point.type.partition(".")[0], []).append(point)
    slope = {kind: _slope(list(families.values())) for kind, families in kinds.items()}
    offset: dict[str | Kind, float] = {}
    for kind, families in kinds.items():
        own = {name: _mean([_kept(p) - slope[kind] * p.label_mib for p in group]) for name, group in families.items()}
        offset.update(own)
        offset[kind] = (min(own.values()) + max(own.values())) / 2
    return MemoryModel(slope, offset)


def kind_of(hypervisor: str, architectures: str) -> Kind:
    return ("xen" if hypervisor == "xen" else "nitro", "arm64" if architectures.startswith("arm64") else "x86_64")


def bounce_mib(label_mib: int, kind: Kind) -> int:
    return BOUNCE_BUFFER_MIB if label_mib >= BOUNCE_FROM_MIB[kind[1]] else 0


def _kept(point: Point) -> int:
    """What the kernel kept, MiB, less the bounce buffer."""
    return point.label_mib - point.memtotal_mib - bounce_mib(point.label_mib, point.kind)


def _slope(families: list[list[Point]]) -> float:
    """Return the least-squares slope within families, each having an offset of its own."""
    above = below = 0.0
    for group in families:
        middle, kept = _mean([p.label_mib for p in group]), _mean([_kept(p) for p in group])
        above += sum((p.label_mib - middle) * (_kept(p) - kept) for p in group)
        below += sum((p.label_mib - middle) ** 2 for p in group)
    return above / below


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
