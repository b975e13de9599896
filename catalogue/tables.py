"""How are the embedded tables read? One folder a region, `all` for what holds everywhere; data/README.md has the format."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
EVERYWHERE = "all"
"""The folder of what holds in every region."""


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


def table_path(table: str, region: str) -> Path:
    return DATA / region / f"{table}.csv"


@cache
def sources(region: str) -> Mapping[str, Source]:
    """Return the sources of a region's rows by their number."""
    rows = raw_rows("sources", region)
    return {row["source"]: Source(row["name"], row["seen_on"], row["quoted"] == "1", row["how_sure"]) for row in rows}


def raw_rows(table: str, region: str) -> Iterator[dict[str, str]]:
    """Yield a table's rows as they are stored, `source` being a number; none where the region lacks the table."""
    path = table_path(table, region)
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
        ec2_types, burst_rules, size_units, size_units_more, size_inflexible, usable_memory, core_speed, surplus_credits (in `all`);
        ec2_on_demand, ec2_reserved, rds, elasticache, savings_plan_rates (in a region); services (in both).
    """
    known = sources(region)
    for row in raw_rows(table, region):
        if "source" in row:
            found = known[row["source"]]
            name = found.name.replace("{instance_type}", row.get("instance_type", ""))
            row |= {"seen_on": found.seen_on, "quoted": str(int(found.quoted)), "source": name, "how_sure": found.how_sure}
        yield {"region": region} | row


def data_files(region: str) -> list[Path]:
    """List the files that a region's catalogue is made of, in a fixed order."""
    return sorted((DATA / EVERYWHERE).glob("*.csv")) + sorted((DATA / region).glob("*.csv"))
