"""What would make a cheaper type fit?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.output import money
from sizeup.report.section import Page, Section
from sizeup.report.table import Row, Table
from sizeup.words import OPTIONS, label

TEMPLATE = """
{% if table.rows %}{{ parts.table(table) }}{% else %}<p>None of the changes that were tried lets a cheaper type fit.</p>{% endif %}
{% if options.rows %}{{ parts.table(options) }}{% endif %}
"""
HEAD = (("class", ""), ("change", "text"), ("then", ""), ("saves a month", "num"), ("needs", "text"))
OTHER_HEAD = (("class", ""), ("hosts", "text"), ("then", ""), ("a month", "num"), ("adds", "num"), ("needs", "text"))


def data(page: Page) -> Mapping[str, Any]:
    """List every class's levers, and what other numbers of hosts would cost."""
    rows = [
        Row([host["class"], lever["detail"], lever["type"], money(lever["saves_monthly_usd"]), lever["needs"]])
        for host in page.document["hosts"]
        for lever in host["levers"]
    ]
    table = Table("Changes that let a cheaper type fit, each tried in the same sampled weeks", HEAD, rows)
    return {"table": table, "options": Table("Other numbers of hosts", OTHER_HEAD, [_other(*o) for o in _options(page.document)])}


def _options(document: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    found = [(host["class"], option) for host in document["hosts"] for option in host.get("options") or []]
    return [*found, ("all", document["shared_host"])] if document.get("shared_host") else found


def _other(name: str, option: Mapping[str, Any]) -> Row:
    chosen, adds = option["candidate"], money(option["adds_monthly_usd"])
    return Row([name, OPTIONS[option["code"]], label(chosen), money(chosen["monthly_usd"]), adds, option["needs"]])


SECTION = Section(title="Levers", order=30, data=data, template=TEMPLATE)
