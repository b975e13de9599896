"""How are the embedded tables read? One folder a region, `all` for what holds everywhere; data/README.md has the format."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
EVERYWHERE = "all"
"""The folder of what holds in every region."""
Where = str | Path
"""An embedded folder's name, or the path of a refreshed one, which has the same tables."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a row is from.

    Attributes
    ----------
    seen_on : str
        Date of the figure, as exact as its source has it: "2026-08-18", "2026-09", "2026" or "undated".
    quoted : bool
        Read where somebody quotes the list, not in the list itself.
    how_sure : str
        How it was cross-checked.
    """

    name: str
    seen_on: str
    quoted: bool
    how_sure: str

    @property
    def as_of(self) -> date | None:
        """The first day that `seen_on` allows, so that a price never looks younger than it is; None where undated."""
        return first_day(self.seen_on)


def first_day(seen_on: str) -> date | None:
    """Turn "2026-08-18", "2026-09", "2026" or a span's start into its first day; None for "undated"."""
    parts = [int(part) for part in seen_on.split(" ")[0].split("-") if part.isdigit()]
    return date(parts[0], *[*parts[1:], 1, 1][:2]) if parts else None


def folder_of(where: Where) -> Path:
    """Return an embedded region's folder by its name; a refreshed one is named by its path."""
    return where if isinstance(where, Path) else DATA / where


@cache
def sources(where: Where) -> Mapping[str, Source]:
    """Return the sources of a folder's rows by their number."""
    rows = raw_rows("sources", where)
    return {row["source"]: Source(row["name"], row["seen_on"], row["quoted"] == "1", row["how_sure"]) for row in rows}


def raw_rows(table: str, where: Where) -> Iterator[dict[str, str]]:
    """Yield a table's rows as they are stored, `source` being a number; none where the folder lacks the table."""
    path = folder_of(where) / f"{table}.csv"
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as handle:
        # zip is three times as fast as DictReader, which counts for 2,000 rows within a start of 60 ms.
        rows = csv.reader(handle)
        header = next(rows)
        for row in rows:
            yield dict(zip(header, row, strict=True))


def read_rows(table: str, region: str = EVERYWHERE) -> Iterator[dict[str, str]]:
    """Yield a table's rows with `region`, `seen_on`, `quoted`, `source` and `how_sure` spelt out; every value as it was published.

    Parameters
    ----------
    table : str
        ec2_types, rds_classes, cache_nodes, burst_rules, size_units, size_units_more, size_inflexible, usable_memory, core_speed,
        surplus_credits (in `all`);
        ec2_on_demand, ec2_reserved, rds, elasticache, savings_plan_rates (in a region); services (in both).
    """
    known = sources(region)
    for row in raw_rows(table, region):
        if "source" in row:
            found = known[row["source"]]
            name = found.name.replace("{instance_type}", row.get("instance_type", ""))
            row |= {"seen_on": found.seen_on, "quoted": str(int(found.quoted)), "source": name, "how_sure": found.how_sure}
        yield {"region": region} | row


Layered = dict[tuple[str, ...], tuple[dict[str, str], Where]]
"""Rows by their key, each with the folder that it is from."""


def newest_rows(table: str, layers: Sequence[Where], keys: Sequence[str]) -> Layered:
    """Join a table of several folders, the later ones refreshed: of two rows of the same key the newer counts.

    Parameters
    ----------
    keys : sequence of str
        The columns that name a row.
    """
    found: Layered = {}
    for where in layers:
        for row in raw_rows(table, where):
            key = tuple([row[name] for name in keys])
            if key not in found or _is_newer(row, where, *found[key]):
                found[key] = (row, where)
    return found


def source_of(row: Mapping[str, str], where: Where) -> Source:
    return sources(where)[row["source"]]


def _is_newer(row: dict[str, str], where: Where, old: dict[str, str], old_where: Where) -> bool:
    day, old_day = source_of(row, where).as_of, source_of(old, old_where).as_of
    return old_day is None or (day is not None and day >= old_day)


def data_files(layers: Sequence[Where]) -> list[Path]:
    """List the files that a region's catalogue is made of, in a fixed order."""
    return [file for where in (EVERYWHERE, *layers) for file in sorted(folder_of(where).glob("*.csv"))]
