"""What does one request cost, and how well does that explain what was measured?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from evidence import SizeupError
from sizeup.report.charts import INK, SERIES, canvas, svg
from sizeup.report.section import Page, Section
from sizeup.report.table import Row, Table
from sizeup.words import estimate_words, milliseconds
from sizing import gather

TEMPLATE = """
<p>CPU seconds of a host class that one request costs there, fitted over the valid windows:
busy cores = background + Σ requests a second × demand.</p>
{% for host in hosts %}
<h3>{{ host.class }}</h3>
{% if host.picture %}{{ parts.figure(host.picture, words) }}{% endif %}
{{ parts.table(host.table) }}
{% endfor %}
"""

WORDS = "Each point is a few seconds of a valid window; the line is the fit at the run's mix of requests."
HEAD = (("request", "text"), ("CPU a request", "num"), ("fitted together with", "text"))


def data(page: Page) -> Mapping[str, Any] | None:
    """Set each class's fitted demand beside the points that it was fitted to; no section where nothing was fitted."""
    fitted = [host for host in page.document["hosts"] if host["demand"]]
    return {"hosts": [_host(page, host) for host in fitted], "words": WORDS} if fitted else None


def _host(page: Page, host: Mapping[str, Any]) -> dict[str, Any]:
    rows = [Row([d["request"], estimate_words(d["cpu_s"], milliseconds), ", ".join(d["merged_with"])]) for d in host["demand"]]
    rows += [_change(host)] if host.get("demand_change") else []
    background = Row(["background, without load", estimate_words(host["background_cores"], "{:.3f} cores".format), ""], "total")
    caption = f"Service demand on {host['class']}, with the interval that holds it in nine cases of ten"
    rows += [background, *_collected(host)]
    return {"class": host["class"], "table": Table(caption, HEAD, rows), "picture": _picture(page, host)}


def _change(host: Mapping[str, Any]) -> Row:
    change = host["demand_change"]
    words = f"from {change['from_per_s']:.3g} to {change['to_per_s']:.3g} requests/s"
    return Row([f"a request's cost {words}", estimate_words(change["ratio"], "× {:.3g}".format), ""])


def _collected(host: Mapping[str, Any]) -> list[Row]:
    """The collector's share of the CPU, which the requests' demand holds; none where no JVM computes."""
    server = host.get("server")
    if server is None or server["gc_ratio"] is None:
        return []
    return [Row([f"of it garbage collection of {server['group']}", f"{server['gc_ratio']:.1%} of its CPU", ""])]


def _picture(page: Page, host: Mapping[str, Any]) -> Any:
    name = str(host["class"])
    try:
        found = gather([page.run], name, target_groups=page.target_groups)
    except SizeupError:
        return None
    if not len(found.seconds):
        return None
    per_s, cores = found.counts.sum(axis=1) / found.seconds, found.cpu_s / found.seconds
    with canvas(1, height=2.9) as (figure, (panel,)):
        panel.scatter(per_s, cores, s=14, color=SERIES[0], alpha=0.55, linewidths=0)
        ends = np.array([0.0, float(per_s.max())])
        panel.plot(ends, host["background_cores"]["mid"] + ends * _mean_cost_s(host, found.names, found.counts), color=INK, linewidth=1.4)
        panel.set_xlabel("requests/s sent to the class")
        panel.set_ylabel("busy cores")
        panel.set_xlim(left=0)
        panel.set_ylim(bottom=0)
        return svg(figure, f"demand-{name}", f"CPU of {name} against its requests", "Busy cores grow in a line with the requests sent.")


def _mean_cost_s(host: Mapping[str, Any], names: Any, counts: npt.NDArray[np.float64]) -> float:
    """CPU seconds of a mean request at the run's mix."""
    cost = {name: d["cpu_s"]["mid"] for d in host["demand"] for name in (d["request"], *d["merged_with"])}
    totals = counts.sum(axis=0)
    return float(sum(cost.get(name, 0.0) * total for name, total in zip(names, totals, strict=True)) / max(float(totals.sum()), 1.0))


SECTION = Section(title="What a request costs", order=80, data=data, template=TEMPLATE)
