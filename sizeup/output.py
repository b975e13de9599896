"""One answer in the form asked for: the JSON envelope, and how money, bytes and tables are written for people."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from evidence import SizeupError
from sizeup import __version__

if TYPE_CHECKING:
    from evidence import Warn
    from sizeup.settings import Settings

    class Dated(Protocol):
        """A catalogue, as far as an envelope names it."""

        @property
        def sha256(self) -> str: ...
        @property
        def as_of(self) -> date | str: ...


MIB = 1024 * 1024
NO_NUMBER = {"why": "it came out as no number: the evidence is too odd for it", "lift": "sizeup runs check, then measure again"}
"""What `unknowns` says of a value that could not be reckoned."""
TONES = {"yes": "green", "no": "red", "next": "cyan", "warning": "yellow"}
"""How a line's first word is coloured."""


def envelope(
    schema: str,
    generated_at: datetime,
    runs: Sequence[str],
    settings: Settings | None,
    catalogue: Dated | None,
    seed: int | None,
    unknowns: Sequence[Mapping[str, str]],
    warnings: Sequence[Warn],
    body: Mapping[str, Any],
) -> dict[str, Any]:
    """Wrap an answer as docs/reference/json.md says: who answered, when, from which runs, settings and prices."""
    from evidence import rfc3339

    return {
        "schema": schema,
        "generated_at": rfc3339(generated_at),
        "sizeup_version": __version__,
        "runs": list(runs),
        "settings_sha256": settings.sha256 if settings else None,
        "catalogue": {"sha256": catalogue.sha256, "as_of": str(catalogue.as_of)} if catalogue else None,
        "seed": seed,
        "unknowns": [dict(entry) for entry in unknowns],
        "warnings": [dict(warning.as_json()) for warning in warnings],
        **body,
    }


class Asked(Protocol):
    """What `emit` needs of a Context."""

    @property
    def format(self) -> str: ...
    @property
    def color(self) -> bool: ...


def emit(ctx: Asked, document: Mapping[str, Any], text: str, rows: Sequence[Mapping[str, Any]] | None = None) -> None:
    """Write the answer to standard output in the format asked for.

    Parameters
    ----------
    document : Mapping
        The whole answer; Decimal, datetime and whatever has `as_json` may stand in it.
    rows : sequence of flat mappings, optional
        The answer's main table, for csv and md.

    Raises
    ------
    SizeupError
        Where csv or md is asked for and the answer has no table.
    """
    if ctx.format == "json":
        write_out(dump(document))
    elif ctx.format == "text":
        write_out(paint(text) if ctx.color else text)
    elif rows is None:
        raise SizeupError(f"--format {ctx.format}: this answer has no table; ask for text or json.")
    else:
        write_out(csv_table(rows) if ctx.format == "csv" else markdown_table(rows))


def write_out(text: str) -> None:
    """Print to standard output; a reader that has gone (`| head`) changes neither the answer nor the exit code."""
    try:
        click.echo(text.rstrip("\n"))
    except BrokenPipeError:
        leave_stdout()


def paint(text: str) -> str:
    """Set a line's verdict, warning or next step apart in colour; a terminal that shows none loses nothing."""
    return re.sub(r"^(yes|no|next|warning)\b", lambda found: click.style(found[0], fg=TONES[found[0]], bold=True), text, flags=re.MULTILINE)


def leave_stdout() -> None:
    """Point standard output at nothing, so that the interpreter's last flush stays silent too."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def dump(document: Mapping[str, Any]) -> str:
    """Write a document as JSON: money as strings, times with Z; what came out as no number is null, and among `unknowns`."""
    import json

    from evidence import numbers_only

    lost: list[str] = []
    told = numbers_only(document, lost)
    if lost:
        told["unknowns"] = [*told.get("unknowns", ()), *({"path": path, **NO_NUMBER} for path in lost)]
    return json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False, default=plain)


def plain(value: Any) -> Any:
    """Turn one value that JSON doesn't know into one that it does."""
    from evidence import numbers_only, rfc3339

    if hasattr(value, "as_json"):
        return numbers_only(value.as_json(), [])
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, (date, Path)):
        return str(value)
    if hasattr(value, "item"):
        return numbers_only(value.item(), [])
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def money(usd: Decimal | str | None, *, places: int = 2) -> str:
    """Write dollars for people: `$9.49`, `−$3.00`; `unknown` where there is none."""
    if usd is None:
        return "unknown"
    value = Decimal(usd)
    rounded = f"{abs(value):,.{places}f}"
    return f"{'−' if value < 0 and Decimal(rounded.replace(',', '')) else ''}${rounded}"


def mib(count: float | None) -> str:
    """Write bytes for people, in MiB: `41 MiB`, `1,910 MiB`; `unknown` where there is none."""
    if count is None:
        return "unknown"
    value = count / MIB
    return f"{value:,.0f} MiB" if abs(value) >= 10 or value == 0 else f"{value:.1f} MiB"


def percent(ratio: float | None) -> str:
    """Write a ratio for people; never 100 % or 0 % where it is only near."""
    if ratio is None:
        return "unknown"
    whole = round(ratio * 100)
    if (whole, ratio < 1) == (100, True):
        return "over 99 %"
    return "under 1 %" if whole == 0 and ratio > 0 else f"{whole} %"


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), gap: str = "  ", indent: str = "") -> str:
    """Lay out rows of text in columns; the columns in `right` end flush."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    lines = []
    for row in rows:
        cells = [cell.rjust(width) if i in right else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))]
        lines.append((indent + gap.join(cells)).rstrip())
    return "\n".join(lines)


def csv_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as CSV with a head line."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=_columns(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as a Markdown table."""
    names = _columns(rows)
    body = [[_cell(row.get(name)).replace("|", "\\|").replace("\n", " ") for name in names] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [names, ["---"] * len(names), *body])


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(plain(value) if not isinstance(value, (int, float)) else value)
