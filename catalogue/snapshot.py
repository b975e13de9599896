"""Where is what was read from AWS kept? One folder a refresh, complete or absent, in the tables' own format.

`<cache>/prices/<region>/<UTC time of the refresh>/`: ec2_on_demand.csv, ..., sources.csv. A folder appears under its name in
one step, so a reader sees the whole of it or nothing; the newest counts.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from catalogue.tables import Source
from evidence import SizeupError

Row = dict[str, str | Source]
"""A row of a table; `source` is the Source itself."""
KEPT = 2
"""The newest, and the one before it, which a reader may still have open."""


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's cache folder: SIZEUP_CACHE, else sizeup in XDG_CACHE_HOME, else in ~/.cache."""
    if environ.get("SIZEUP_CACHE"):
        return Path(environ["SIZEUP_CACHE"])
    return Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache") / "sizeup"


def newest_snapshot(folder: Path, region: str) -> Path | None:
    """Return the newest refresh of a region; None where there is none."""
    return max(_snapshots(folder, region), default=None)


def refreshed_regions(folder: Path) -> list[str]:
    """List the regions that were refreshed."""
    return sorted({path.parents[1].name for path in (folder / "prices").glob("*/[0-9]*Z/sources.csv")})


def write_snapshot(folder: Path, region: str, stamp: str, tables: Mapping[str, Sequence[Row]]) -> Path:
    """Write a refresh's tables and return its folder.

    Raises
    ------
    SizeupError
        Where the cache folder can't be written to.
    """
    import shutil  # 4 ms that opening a catalogue needn't spend

    home = folder / "prices" / region
    half, done = home / f".{stamp}.{os.getpid()}.half", home / stamp
    try:
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        _write_tables(half, tables)
        if done.exists():
            shutil.rmtree(done)
        half.rename(done)
    except OSError as refused:
        raise SizeupError(f"{home}: the prices can't be kept there ({refused.strerror}); name another folder with SIZEUP_CACHE.") from None
    for old in sorted(_snapshots(folder, region))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return done


def _snapshots(folder: Path, region: str) -> list[Path]:
    return [path.parent for path in (folder / "prices" / region).glob("[0-9]*Z/sources.csv")]


def _write_tables(folder: Path, tables: Mapping[str, Sequence[Row]]) -> None:
    numbers: dict[Source, str] = {}
    for name, rows in sorted(tables.items()):
        if rows:
            flat = [{**row, "source": numbers.setdefault(_source(row), str(len(numbers) + 1))} for row in rows]
            _write_csv(folder / f"{name}.csv", flat)
    told = [
        {"source": number, "seen_on": s.seen_on, "quoted": str(int(s.quoted)), "name": s.name, "how_sure": s.how_sure}
        for s, number in numbers.items()
    ]
    _write_csv(folder / "sources.csv", told)


def _source(row: Row) -> Source:
    source = row["source"]
    if not isinstance(source, Source):
        raise TypeError(f"a row without its source: {row}")
    return source


def _write_csv(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        handle.flush()
        os.fsync(handle.fileno())
