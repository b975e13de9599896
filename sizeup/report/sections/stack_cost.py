"""What does the whole stack cost a month, and what of it could go?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.output import money
from sizeup.report.section import Page, Section
from sizeup.report.table import Row, Table
from sizeup.words import removable_words

TEMPLATE = """
{{ parts.table(table) }}
{% if removable %}
<h3>Could go</h3>
<ul class="plain">{% for item in removable %}<li>{{ item }}</li>{% endfor %}</ul>
{% endif %}
"""


def data(page: Page) -> Mapping[str, Any] | None:
    """Take the stack's lines from the answer; no section where it has none."""
    stack = page.document.get("stack")
    if not stack:
        return None
    rows = [Row([line["what"], money(line["monthly_usd"]), _source(line)]) for line in stack["lines"]]
    total = Row(["together", money(stack["monthly_usd"]), ""], "total")
    head = (("what", "text"), ("a month", "num"), ("price from", "text"))
    table = Table("The stack as it stands, on demand, a month of 730 hours", head, [*rows, total])
    return {"table": table, "removable": [removable_words(item) for item in stack["removable"]]}


def _source(line: Mapping[str, Any]) -> str:
    return ", ".join(part for part in (line["source"], line["as_of"]) if part) or "nobody measured it"


SECTION = Section(title="The stack's cost", order=40, data=data, template=TEMPLATE)
