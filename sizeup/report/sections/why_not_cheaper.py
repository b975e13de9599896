"""Why does nothing cheaper do? Every candidate with each constraint's margin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.output import money, percent
from sizeup.report.section import Page, Section
from sizeup.report.table import Cell, Row, Table, mark
from sizeup.words import NAMES, label, quantity, why_not

TEMPLATE = """
<p>Cheapest first. A figure is the room left under a constraint, as a share of what the type has, in the worst
{{ confidence|percent }} of sampled weeks; below zero it doesn't hold (in unlimited mode CPU credits cost instead).
Hover for need and have.</p>
{% for host in hosts %}
{{ parts.table(host.near) }}
{% if host.dearer %}
<details><summary>
{{ host.dearer.rows|length }} dearer candidate{{ '' if host.dearer.rows|length == 1 else 's' }} of {{ host.class }}</summary>
{{ parts.table(host.dearer) }}</details>
{% endif %}
{% endfor %}
"""

MARGIN_ROWS = 3
"""How many candidates beyond the last that matters are shown unfolded."""


def data(page: Page) -> Mapping[str, Any]:
    """Lay out each class's candidates: up to a few dearer than the recommended and the present one, the rest folded away."""
    hosts = [_host(host) for host in page.document["hosts"] if host["candidates"]]
    return {"hosts": hosts, "confidence": page.document["policy"]["confidence"]}


def _host(host: Mapping[str, Any]) -> dict[str, Any]:
    """Rows are candidates, columns the constraints that any of them has."""
    judged = {k["constraint"] for c in host["candidates"] for k in c["constraints"] if k["need"] is not None}
    columns = [name for name in NAMES if name in judged]
    lead = [("type", ""), ("a month", "num"), ("fits", ""), ("all hold", "num"), ("why not", "text")]
    head = [*lead, *((NAMES[name], "num") for name in columns)]
    chosen = label(host["recommended"]) if host["recommended"] else None
    rows = [_row(candidate, columns, label(candidate) == chosen) for candidate in host["candidates"]]
    cut = _last_that_matters(host) + MARGIN_ROWS
    near = Table(f"{host['class']}: candidates, cheapest first, and the room that each constraint leaves", head, rows[:cut])
    dearer = Table(f"{host['class']}: dearer candidates", head, rows[cut:]) if rows[cut:] else None
    return {"class": host["class"], "near": near, "dearer": dearer}


def _last_that_matters(host: Mapping[str, Any]) -> int:
    """Return how many candidates there are up to the recommended and the present one; all of them where nothing fits."""
    if host["recommended"] is None:
        return len(host["candidates"])
    names = [label(c) for c in host["candidates"]]
    wanted = [label(c) for c in (host["recommended"], host["present"]) if c is not None]
    return max(names.index(name) for name in wanted if name in names) + 1


def _row(candidate: Mapping[str, Any], columns: list[str], chosen: bool) -> Row:
    bounds = {k["constraint"]: k for k in candidate["constraints"]}
    lead: list[str | Cell] = [label(candidate), money(candidate["monthly_usd"]), mark(candidate["fits"]), percent(candidate["probability"])]
    return Row([*lead, _why(candidate), *(_cell(bounds.get(name)) for name in columns)], "chosen" if chosen else "")


def _why(candidate: Mapping[str, Any]) -> str:
    reasons = [] if candidate["fits"] else [why_not(candidate, most=1)]
    if candidate["dominated_by"]:
        reasons.append(f"{candidate['dominated_by']} is as large and no dearer")
    return "; ".join(reasons)


def _cell(bound: Mapping[str, Any] | None) -> Cell:
    if bound is None or bound["margin_ratio"] is None:
        return Cell("")
    title = f"needs {quantity(bound['need'], bound['unit'])}, has {quantity(bound['have'], bound['unit'])}"
    share = bound["margin_ratio"]
    # Beyond ten times what a type has, the hover tells need and have; a wide figure only hides the others.
    text = "< −999 %" if share < -9.99 else f"{share * 100:.0f} %".replace("-", "−")
    return Cell(text, css="" if bound["ok"] else "no", title=title)


SECTION = Section(title="Why not cheaper", order=20, data=data, template=TEMPLATE)
