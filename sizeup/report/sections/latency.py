"""How long does a request take at the peak, and how is that reckoned?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.report.section import Page, Section
from sizeup.report.table import Row, Table, mark
from sizeup.words import discipline_words, estimate_words, label, milliseconds, scalability_words

TEMPLATE = """
<p>At the forecast peak, on the types that matter. The formula judged every type; the simulation, event by event, checks it.</p>
{% for host in hosts %}
<h3>{{ host.class }}</h3>
<p>{{ host.discipline }}.{% if host.scalability %} {{ host.scalability }}.{% endif %}</p>
{{ parts.table(host.table) }}
{% endfor %}
"""

HEAD = (("type", ""), ("percentile", "num"), ("formula", "num"), ("simulated", "num"), ("they agree", ""), ("why", "text"))


def data(page: Page) -> Mapping[str, Any] | None:
    """Set formula beside simulation for each class's shortlist; no section where no response time is known."""
    hosts = [_host(host) for host in page.document["hosts"] if host.get("latency") and host["latency"]["simulated"]]
    return {"hosts": hosts} if hosts else None


def _host(host: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        Row([label(s), f"p{s['quantile'] * 100:g}", *_times(s), mark(s["agrees"]), s["why"]]) for s in host["latency"]["simulated"]
    ]
    caption = f"Response times of {host['class']} at the peak, with the interval that holds them in nine cases of ten"
    words = {"discipline": discipline_words(host), "scalability": scalability_words(host)}
    return {"class": host["class"], "table": Table(caption, HEAD, rows), **words}


def _times(simulated: Mapping[str, Any]) -> list[str]:
    return [estimate_words(simulated[name], milliseconds) for name in ("formula_s", "simulated_s")]


SECTION = Section(title="How long a request takes", order=85, data=data, template=TEMPLATE)
