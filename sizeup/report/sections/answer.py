"""Which type should each host class run, and what does that save?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.report.section import Page, Section
from sizeup.words import binding_words, difference, estimate_words, label

TEMPLATE = """
<div class="cards">
{% for card in cards %}
  <div class="card">
    <h3>{{ card.host.class }}</h3>
    <p class="big">{{ card.big }}<small>{{ card.small }}</small></p>
    <p><span class="pill {{ card.tone }}">{{ VERDICTS[card.host.verdict] }}</span></p>
    {% if card.host.recommended %}
    <p>Holds in {{ card.host.recommended.probability|percent }} of sampled weeks; the policy asks for {{ confidence|percent }}.</p>
    {% endif %}
    {% if card.binds %}<p>Binds: {{ card.binds }}.</p>{% endif %}
  </div>
{% endfor %}
</div>
<p class="note">Sized for a peak of {{ peak }} from outside, {{ source }}.
{% if synthetic %}
This run is a demo's: its hosts are processes of one machine, so take the manner of the answer, not its figures, for your service.
{% endif %}
</p>
"""

SOURCES = {"run": "the highest rate that the run held", "stated": "as stated", "history": "from history"}
TONES = {"rightsized": "yes", "oversized": "unknown", "undersized": "no", "unknown": "unknown"}


def data(page: Page) -> Mapping[str, Any]:
    """Lay out one card a class."""
    document = page.document
    traffic = document["traffic"]
    return {
        "cards": [_card(host) for host in document["hosts"]],
        "confidence": document["policy"]["confidence"],
        "peak": estimate_words(traffic["peak_per_s"], "{:.3g} requests a second".format),
        "source": SOURCES[traffic["source"]],
        "synthetic": page.run.synthetic,
    }


def _card(host: Mapping[str, Any]) -> dict[str, Any]:
    present, chosen = host["present"], host["recommended"]
    now = f"now {label(present)}" if present else "present type unknown"
    big = label(chosen) if chosen else "no candidate fits"
    small = f"{now}; {difference(present, chosen)}" if chosen else now
    return {"host": host, "big": big, "small": small, "tone": TONES[host["verdict"]], "binds": binding_words(host)}


SECTION = Section(title="The answer", order=10, data=data, template=TEMPLATE)
