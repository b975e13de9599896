"""Rows for arrivals to use, from a CSV file, over and over: `people = feed("people.csv")`, then `next(people)`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from evidence import SizeupError


def feed(path: str | Path) -> Iterator[dict[str, str]]:
    """Yield the file's rows by column name, and start again after the last; the file is read at the first `next`.

    Raises
    ------
    SizeupError
        Where the file can't be read or has no row under its heading.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as refused:
        raise SizeupError(f"{path}: the feed can't be read ({refused}); write a CSV file with a heading there.") from None
    if not rows:
        raise SizeupError(f"{path}: the feed has no row; write at least one under its heading.")
    while True:
        yield from (dict(row) for row in rows)
