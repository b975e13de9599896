"""What isn't known, what to be careful with, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.report.section import Page, Section

TEMPLATE = """
{% if warnings %}
<h3>Be careful</h3>
<ul class="plain">
{% for warning in warnings %}<li><span class="pill unknown">{{ warning.code }}</span> {{ warning.message }}</li>{% endfor %}
</ul>
{% endif %}
{% if unknowns %}
<h3>Not known</h3>
<ul class="plain">{% for why, lift in unknowns %}<li>{{ why }}. To find out: {{ lift }}.</li>{% endfor %}</ul>
{% endif %}
{% if next %}
<h3>Next</h3>
{% for command, why in next %}<p>{{ why }}:</p><pre><code>{{ command }}</code></pre>{% endfor %}
{% endif %}
"""


def data(page: Page) -> Mapping[str, Any] | None:
    """List each warning, unknown and next step once; no section where there is none."""
    document = page.document
    unknowns = list(dict.fromkeys((u["why"], u["lift"]) for u in document["unknowns"]))
    steps = list(dict.fromkeys((s["command"], s["why"]) for s in document["next"]))
    if not (unknowns or steps or document["warnings"]):
        return None
    return {"warnings": document["warnings"], "unknowns": unknowns, "next": steps}


SECTION = Section(title="Doubts and next steps", order=100, data=data, template=TEMPLATE)
