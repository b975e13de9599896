"""What did each host class take while it was loaded: processor and memory over time?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle
from typing import Any

from sizeup.report.charts import SERIES, canvas, mark_deployments, svg
from sizeup.report.section import Page, Section
from sizeup.report.series import Series

TEMPLATE = """
{% for host in hosts %}
<h3>{{ host.name }}</h3>
{{ parts.figure(host.cpu, "Busy cores of " ~ host.name ~ " above, requests that the load balancer sent it below.") }}
{% if host.memory %}{{ parts.figure(host.memory, host.words) }}{% endif %}
{% endfor %}
"""


def data(page: Page) -> Mapping[str, Any] | None:
    """Draw CPU against arrivals, and memory by group, for each class; no section where nothing was sampled."""
    if page.run.hosts.is_empty():
        return None
    series = Series(page.run)
    return {"hosts": [_host(series, name, page.target_groups.get(name)) for name in page.classes]}


def _host(series: Series, name: str, target_group: str | None) -> dict[str, Any]:
    memory, words = _memory_picture(series, name)
    return {"name": name, "cpu": _cpu_picture(series, name, target_group), "memory": memory, "words": words}


def _cpu_picture(series: Series, name: str, target_group: str | None) -> Any:
    cpu, arrivals = series.cpu(name), series.arrivals(target_group)
    with canvas(2, height=1.6) as (figure, (busy, sent)):
        busy.plot(cpu["s"], cpu["cores"], color=SERIES[1])
        busy.set_ylabel("busy cores")
        busy.set_ylim(bottom=0)
        sent.plot(arrivals["s"], arrivals["per_s"], color=SERIES[0])
        sent.set_ylabel("requests/s")
        sent.set_xlabel("seconds of the run")
        sent.set_ylim(bottom=0)
        mark_deployments((busy, sent), series.deployments(name))
        top = 0.0 if cpu.is_empty() else float(cpu["cores"].max())  # type: ignore[arg-type]  # as in load.py
        words = f"Busy cores follow the requests sent; the most is {top:.2f} cores."
        return svg(figure, f"cpu-{name}", f"Processor of {name} against its load", words)


def _memory_picture(series: Series, name: str) -> tuple[Any, str]:
    seconds, parts = series.memory(name)
    if not seconds:
        return None, ""
    peak = max(sum(values) for values in zip(*parts.values(), strict=True))
    words = f"Memory of {name} by process group and colour; together at most {peak:,.0f} MiB."
    overlap_s, both = series.overlap(name)
    if overlap_s:
        words += f" At the deployment two copies ran at once for {overlap_s:.0f} s and held up to {both:,.0f} MiB together:"
        words += " what a smaller type must hold too."
    with canvas(1, height=2.6) as (figure, (panel,)):
        panel.stackplot(seconds, *parts.values(), labels=list(parts), colors=_colours(parts), alpha=0.85, linewidth=0, step="mid")
        panel.set_ylabel("MiB")
        panel.set_xlabel("seconds of the run")
        panel.set_ylim(0, peak * 1.25)
        panel.legend(loc="upper right", ncols=min(len(parts), 4))
        mark_deployments((panel,), series.deployments(name))
        return svg(figure, f"memory-{name}", f"Memory of {name} over time", words), words


def _colours(parts: Iterable[str]) -> list[str]:
    """Give each group a colour; the blue and the green copy of a deployment get theirs."""
    named = {"blue": SERIES[0], "green": SERIES[2]}
    others = cycle(c for c in SERIES[:7] if c not in named.values())
    return [named.get(part.rpartition(" ")[2]) or next(others) for part in parts]


SECTION = Section(title="The hosts", order=70, data=data, template=TEMPLATE)
