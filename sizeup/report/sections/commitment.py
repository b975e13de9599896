"""On demand, or reserved for a year?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.output import money
from sizeup.report.section import Page, Section
from sizeup.report.table import Row, Table
from sizeup.words import PAYMENTS, held_words

TEMPLATE = """
{% for table in tables %}{{ parts.table(table) }}{% endfor %}
{% for line in held %}<p>{{ line }}.</p>{% endfor %}
<p class="note">A reservation binds for its whole term. <code>sizeup gate</code> says whether this evidence carries one.</p>
"""
HEAD = (
    ("payment", ""), ("now", "num"), ("an hour", "num"), ("a month in all", "num"), ("saves a month", "num"),
    ("worth it from month", "num"), ("price from", "text"),
)  # fmt: skip


def data(page: Page) -> Mapping[str, Any] | None:
    """Set on demand beside the reservations of each recommended type; no section where there is neither."""
    entries, held = page.document.get("commitment") or [], [held_words(h) for h in page.document.get("held") or []]
    return {"tables": [_table(entry) for entry in entries], "held": held} if entries or held else None


def _table(entry: Mapping[str, Any]) -> Table:
    return Table(f"{entry['class']}: ways to pay for a {entry['type']} for one year", HEAD, [_row(row) for row in entry["rows"]])


def _row(row: Mapping[str, Any]) -> Row:
    reserved = row["payment"] != "on_demand"
    saves = money(row["saving_monthly_usd"]) if reserved else ""
    even = f"{row['break_even_month']:.1f}" if row["break_even_month"] is not None else ""
    sums = (money(row["upfront_usd"]), money(row["hourly_usd"], places=4), money(row["monthly_usd"]))
    source = f"{row['source']}{', ' + row['as_of'] if row['as_of'] else ''}{', estimated' if row['estimated'] else ''}"
    return Row([PAYMENTS.get(row["payment"], row["payment"]), *sums, saves, even, source])


SECTION = Section(title="On demand or reserved", order=50, data=data, template=TEMPLATE)
