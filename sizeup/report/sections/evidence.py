"""What does each figure rest on, and is the evidence enough?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.report.section import Page, Section
from sizeup.report.table import Row, Table, mark
from sizeup.words import REASONS

TEMPLATE = """
{{ parts.table(tests) }}
<h3>Where the figures come from</h3>
{{ parts.table(sources) }}
"""

COMPUTED = (
    ("CPU a request", "utilisation law, busy cores = background + Σ X·D, non-negative least squares, block bootstrap"),
    ("CPU credits", "x ← clip(x + earned − spent, L, cap) over the sampled week (EC2 User Guide, burstable instances)"),
    ("chance that a type holds", "share of sampled weeks in which every constraint holds at once"),
    ("cost a month", "730 h on demand and the expected surplus credits"),
)

TESTS = (("test", "text"), ("holds", ""), ("value", "num"), ("need", "num"), ("unit", ""))
SOURCES = (("figure", "text"), ("kind", ""), ("source", "text"))


def data(page: Page) -> Mapping[str, Any]:
    """List the tests, and the source of every kind of figure."""
    figures = [*_measured(page), *_computed(), *_looked_up(page)]
    return {
        "tests": Table("Tests of the evidence; a purchase needs all of them", TESTS, [_test(r) for r in page.document["evidence"]]),
        "sources": Table("Measured in a run, computed by a formula, or looked up with a date", SOURCES, [Row(f) for f in figures]),
    }


def _test(reason: Mapping[str, Any]) -> Row:
    value, need = ("unknown" if reason[name] is None else f"{reason[name]:.3g}" for name in ("value", "need"))
    return Row([REASONS[reason["code"]], mark(reason["ok"]), value, need, reason["unit"]])


def _measured(page: Page) -> list[tuple[str, str, str]]:
    runs = ", ".join(page.document["runs"])
    rows = [("load, latency, errors", "measured", f"{runs}: requests and the load balancer's access log")]
    rows += [("processor of the hosts", "measured", f"{runs}: hosts.parquet, source {', '.join(sorted(set(page.run.hosts['source'])))}")]
    for host in page.document["hosts"]:
        for part in (host["memory"] or {"parts": []})["parts"]:
            kind = "assumed" if part["basis"] == "assumed" else "measured"
            source = part.get("source") or f"{runs}: {part['basis']} of its processes"
            rows.append((f"memory of {host['class']}: {part['group']}", kind, source))
    return rows


def _computed() -> list[tuple[str, str, str]]:
    return [(figure, "computed", formula) for figure, formula in COMPUTED]


def _looked_up(page: Page) -> list[tuple[str, str, str]]:
    """Name each source of prices once, with how many it gave and one of them."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for price in page.run.catalogue.get("prices", []):
        found.setdefault((str(price["source"]), str(price["as_of"])), []).append(price)
    return [
        (f"{len(rows)} prices, such as {rows[0]['item']} at {rows[0]['usd']} USD", "looked up", f"{source}, {as_of}")
        for (source, as_of), rows in found.items()
    ]


SECTION = Section(title="The evidence", order=90, data=data, template=TEMPLATE)
