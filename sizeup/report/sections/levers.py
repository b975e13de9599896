"""What would make a cheaper type fit?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.output import money
from sizeup.report.section import Page, Section
from sizeup.report.table import Row, Table

TEMPLATE = """
{% if table.rows %}{{ parts.table(table) }}{% else %}<p>None of the changes that were tried lets a cheaper type fit.</p>{% endif %}
"""
HEAD = (("class", ""), ("change", "text"), ("then", ""), ("saves a month", "num"), ("needs", "text"))


def data(page: Page) -> Mapping[str, Any]:
    """List every class's levers."""
    rows = [
        Row([host["class"], lever["detail"], lever["type"], money(lever["saves_monthly_usd"]), lever["needs"]])
        for host in page.document["hosts"]
        for lever in host["levers"]
    ]
    return {"table": Table("Changes that let a cheaper type fit, each tried in the same sampled weeks", HEAD, rows)}


SECTION = Section(title="Levers", order=30, data=data, template=TEMPLATE)
