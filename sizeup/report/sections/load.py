"""What was sent, what came back, how fast: over time and by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.report.charts import INK, SERIES, canvas, mark_deployments, svg
from sizeup.report.section import Page, Section
from sizeup.report.series import Series
from sizeup.report.table import Row, Table, mark
from sizeup.words import phase_name

TEMPLATE = """
{{ parts.figure(picture, words) }}
{{ parts.table(table) }}
"""

WORDS = (
    "Offered is what the schedule asked for; throughput counts answers by the second in which they were due. "
    "Latency counts from the intended start, so a stalled server can't hide. Shaded: a deployment."
)
HEAD = (
    ("step", ""), ("offered", "num"), ("achieved", "num"), ("requests", "num"), ("p50", "num"), ("p95", "num"), ("p99", "num"),
    ("errors", "num"), ("valid", ""), ("why not", "text"),
)  # fmt: skip


def data(page: Page) -> Mapping[str, Any] | None:
    """Draw load and latency over time; no section for a run without requests."""
    if page.run.requests.is_empty():
        return None
    series = Series(page.run)
    caption = "The steps: offered and achieved rate, latency as the generator saw it, and whether the window may be used"
    return {"picture": _picture(series), "words": WORDS, "table": Table(caption, HEAD, [_row(step) for step in series.steps()])}


def _row(step: Mapping[str, Any]) -> Row:
    rates = [f"{step[name]:.3g}/s" for name in ("offered_per_s", "achieved_per_s")]
    latency = ["" if step[name] is None else f"{step[name]:.0f} ms" for name in ("p50_ms", "p95_ms", "p99_ms")]
    return Row([phase_name(step), *rates, f"{step['requests']:,}", *latency, str(step["errors"]), mark(step["valid"]), step["why"]])


def _picture(series: Series) -> Any:
    load = series.load()
    with canvas(2) as (figure, (rate, latency)):
        for phase in series.phases:
            rate.hlines(phase["offered_per_s"], phase["from_s"], phase["to_s"], color=INK, linewidth=1, linestyle="--")
        rate.plot([], [], color=INK, linewidth=1, linestyle="--", label="offered")
        rate.plot(load["s"], load["done_per_s"], color=SERIES[0], label="throughput")
        rate.set_ylabel("requests/s")
        rate.set_ylim(bottom=0)
        rate.legend(loc="upper left", ncols=2)
        latency.plot(load["s"], load["p95_ms"], color=SERIES[1], label="p95")
        latency.plot(load["s"], load["p50_ms"], color=SERIES[0], label="p50")
        latency.set_ylabel("latency, ms")
        latency.set_xlabel("seconds of the run")
        latency.set_ylim(0, latency.get_ylim()[1] * 1.2)
        latency.legend(loc="upper left", ncols=2)
        mark_deployments((rate, latency), series.deployments())
        top = float(load["done_per_s"].max() or 0.0)  # type: ignore[arg-type]  # a column of floats has a float as its maximum
        words = f"Throughput rises with the offered load to {top:.0f} requests a second; the panel below shows latency, median and p95."
        return svg(figure, "load", "Load and latency over time", words)


SECTION = Section(title="The load", order=60, data=data, template=TEMPLATE)
