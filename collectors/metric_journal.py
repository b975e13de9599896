"""What of a run's metrics was read already: `collected.jsonl`, a line a page, written once the page's rows are on disk.

A kill between the two leaves rows that are read again; a row that is there twice counts once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from collectors.metric_plan import Bill, Call, Part, Span
from collectors.metrics import Metric
from evidence import SpoolWriter

FILE = "collected.jsonl"


class Journal:
    """The metrics of one run, read over one or more attempts.

    Parameters
    ----------
    folder : Path
        The run's.
    metrics : iterable of Metric
        All that may be read.
    """

    def __init__(self, folder: Path, metrics: Iterable[Metric]) -> None:
        self._folder, self._file = folder, folder / FILE
        self._metrics = {name_of(metric): metric for metric in metrics}
        self._lines = list(_read_lines(self._file))
        self._writer: SpoolWriter | None = None

    @property
    def done(self) -> Mapping[Metric, Sequence[Span]]:
        """Spans of each metric that were read to their last page."""
        found: dict[Metric, list[Span]] = {}
        for line in self._lines:
            if line["next"] is None:
                for metric in self._known(line):
                    found.setdefault(metric, []).append((line["from_s"], line["to_s"]))
        return found

    @property
    def open_call(self) -> tuple[Call, str] | None:
        """The call whose pages were not all read, and the token of its next one."""
        if not self._lines or (last := self._lines[-1])["next"] is None:
            return None
        metrics = self._known(last)
        if len(metrics) < len(last["metrics"]):
            return None
        span = last["from_s"], last["to_s"]
        return Call(tuple(Part(*each, span) for each in zip(metrics, last["periods_s"], strict=True))), last["next"]

    @property
    def bill(self) -> Bill:
        """What was read so far: a page is a call, a metric is billed by its first one."""
        lines = self._lines
        return Bill(
            len({name for line in lines for name in line["metrics"]}), sum(line["billed"] for line in lines), len(lines),
            sum(line["points"] for line in lines),
        )  # fmt: skip

    def keep(self, call: Call, rows: Iterable[tuple[Any, ...]], next_token: str | None, *, is_first: bool) -> None:
        """Put one page on disk: its rows, then its line."""
        if self._writer is None:
            self._writer = SpoolWriter(self._folder / ".spool" / "metrics-cloudwatch.spool", "metrics")
        for row in rows:
            self._writer.append(row)
        points = self._writer.flush()
        self._append({
            "metrics": [name_of(part.metric) for part in call.parts], "periods_s": [part.period_s for part in call.parts],
            "from_s": call.span[0], "to_s": call.span[1], "points": points, "billed": call.billed if is_first else 0, "next": next_token,
        })  # fmt: skip

    def close(self) -> None:
        """Let go of the spool."""
        if self._writer is not None:
            self._writer.close()

    def _known(self, line: Mapping[str, Any]) -> list[Metric]:
        return [self._metrics[name] for name in line["metrics"] if name in self._metrics]

    def _append(self, line: dict[str, Any]) -> None:
        torn = self._file.exists() and not self._file.read_bytes().endswith(b"\n")
        with self._file.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + json.dumps(line) + "\n")
        self._lines.append(line)


def name_of(metric: Metric) -> str:
    """Name a metric as no other one is named."""
    return f"{metric.namespace} {metric.kind.name} {json.dumps(dict(metric.dimensions), sort_keys=True)}"


def _read_lines(file: Path) -> Iterable[dict[str, Any]]:
    """Yield each whole line; one that a kill tore says nothing."""
    for text in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            yield json.loads(text)
        except ValueError:
            continue
