"""What the pictures show: a run's tables as series over the run's own seconds, in bins that a screen can hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import polars as pl

from evidence import Run

BINS = 240
"""More points than this no screen shows; a long run is averaged."""


@dataclass(frozen=True)
class Series:
    """One run's series; every `s` column is the seconds since its start."""

    run: Run

    @cached_property
    def start(self) -> datetime:
        """When the run's first measured thing happened."""
        times = [frame[column].min() for frame, column in self._timed if not frame.is_empty()]
        return min(t for t in times if isinstance(t, datetime))

    @cached_property
    def empty(self) -> bool:
        return all(frame.is_empty() for frame, _ in self._timed)

    @property
    def _timed(self) -> Sequence[tuple[pl.DataFrame, str]]:
        return ((self.run.requests, "intended_at"), (self.run.hosts, "at"), (self.run.processes, "at"))

    @cached_property
    def bin_s(self) -> int:
        """The width of a bin: whole seconds, so that at most BINS of them cover the run."""
        ends = [frame[column].max() for frame, column in self._timed if not frame.is_empty()]
        span = (max(t for t in ends if isinstance(t, datetime)) - self.start).total_seconds()
        return max(1, math.ceil(span / BINS))

    @cached_property
    def phases(self) -> list[dict[str, Any]]:
        """run.json's phases with `from_s` and `to_s`."""
        return [
            {**phase, "from_s": self.second(phase["start"]), "to_s": self.second(phase["end"])} for phase in self.run.meta.get("phases", [])
        ]

    def deployments(self, host_class: str | None = None) -> list[tuple[float, float]]:
        """When deployments ran (of one class where it is named), in seconds of the run."""
        rows = self.run.events.filter((pl.col("kind") == "deploy") & pl.col("until").is_not_null())
        of = rows if host_class is None else rows.filter(pl.col("subject") == host_class)
        spans = {(at, until) for at, until in of.select("at", "until").iter_rows()}
        return sorted(((a - self.start).total_seconds(), (b - self.start).total_seconds()) for a, b in spans)

    def second(self, text: str) -> float:
        """Return a time of run.json as a second of the run."""
        return (datetime.fromisoformat(text) - self.start).total_seconds()

    def load(self) -> pl.DataFrame:
        """Requests a bin: `s`, `sent_per_s`, `done_per_s`, `p50_ms`, `p95_ms`."""
        bins = self._binned(self.run.requests, "intended_at").group_by("s").agg(
            sent_per_s=pl.len() / self.bin_s, done_per_s=pl.col("ok").sum() / self.bin_s,
            p50_ms=pl.col("response_us").quantile(0.5) / 1000, p95_ms=pl.col("response_us").quantile(0.95) / 1000,
        )  # fmt: skip
        return self._every(bins).with_columns(pl.col("sent_per_s", "done_per_s").fill_null(0.0))

    def steps(self) -> list[dict[str, Any]]:
        """One row a phase: what was offered and came, latency quantiles in ms, errors, and whether the window is valid."""
        rows = []
        for phase in self.run.meta.get("phases", []):
            start, end = datetime.fromisoformat(phase["start"]), datetime.fromisoformat(phase["end"])
            inside = self.run.requests.filter(pl.col("intended_at").is_between(start, end))
            quantiles = {f"p{q}_ms": _ms(inside["response_us"].quantile(q / 100)) for q in (50, 95, 99)}
            rows.append({**phase, "requests": inside.height, "errors": int((~inside["ok"]).sum()), **quantiles})
        return rows

    def cpu(self, host_class: str) -> pl.DataFrame:
        """CPU of one host class a bin: `s`, `cores` (busy, all its hosts together)."""
        rows = self.run.hosts.filter((pl.col("class") == host_class) & ~pl.col("gap"))
        beats = rows.group_by("at").agg(cores=((pl.col("cpu_user_s") + pl.col("cpu_system_s")) / pl.col("interval_s")).sum())
        return self._binned(beats, "at").group_by("s").agg(pl.col("cores").mean()).sort("s")

    def arrivals(self, target_group: str | None) -> pl.DataFrame:
        """Requests that the load balancer sent to a target group a bin: `s`, `per_s`."""
        log = self.run.access_log
        rows = log.clear() if target_group is None else log.filter(pl.col("target_group") == target_group)
        return self._every(self._binned(rows, "created_at").group_by("s").agg(per_s=pl.len() / self.bin_s)).fill_null(0.0)

    def memory(self, host_class: str) -> tuple[list[float], dict[str, list[float]]]:
        """Memory of one host class over time: seconds, and MiB by group (and colour), the largest first."""
        names = self.run.hosts.filter(pl.col("class") == host_class)["host"].unique()
        rows = self.run.processes.filter(pl.col("host").is_in(names.implode())).with_columns(
            part=pl.concat_str(pl.col("group"), pl.when(pl.col("color").is_null()).then(pl.lit("")).otherwise(" " + pl.col("color"))),
            held=pl.coalesce("pss_bytes", "rss_bytes") / 2**20,
        )  # fmt: skip
        if rows.is_empty():
            return [], {}
        wide = self._binned(rows, "at").group_by("s", "at", "part").agg(pl.col("held").sum())
        mean = wide.group_by("s", "part").agg(pl.col("held").mean()).pivot(on="part", index="s", values="held").sort("s").fill_null(0.0)
        parts = sorted((c for c in mean.columns if c != "s"), key=lambda c: -float(mean[c].sum()))
        return mean["s"].to_list(), {part: mean[part].to_list() for part in parts}

    def overlap(self, host_class: str) -> tuple[float, float]:
        """How long two colours of one host ran at once, in seconds, and the most MiB that both held together; zeros where none did."""
        hosts = self.run.hosts.filter(pl.col("class") == host_class)
        coloured = self.run.processes.filter(pl.col("host").is_in(hosts["host"].unique().implode()) & pl.col("color").is_not_null())
        moments = coloured.group_by("host", "at").agg(
            colors=pl.col("color").n_unique(), held=pl.coalesce("pss_bytes", "rss_bytes").sum() / 2**20
        ).filter(pl.col("colors") > 1)  # fmt: skip
        beat_s = float(hosts["interval_s"].median() or 0.0)  # type: ignore[arg-type]  # a column of floats
        return moments["at"].n_unique() * beat_s, float(moments["held"].max() or 0.0)  # type: ignore[arg-type]

    def _every(self, bins: pl.DataFrame) -> pl.DataFrame:
        """Give bins in which nothing happened their row too, from the first to the last that has any."""
        if bins.is_empty():
            return bins
        first, last = (float(value) for value in (bins["s"].min(), bins["s"].max()))  # type: ignore[arg-type]  # a column of floats
        if self.phases:
            # The bin in which the load ends is only partly loaded: drawn, it would look like a fall.
            last = min(last, max(phase["to_s"] for phase in self.phases) - self.bin_s / 2)
        grid = pl.DataFrame({"s": [first + i * self.bin_s for i in range(math.floor((last - first) / self.bin_s) + 1)]})
        return grid.join(bins, on="s", how="left").sort("s")

    def _binned(self, frame: pl.DataFrame, column: str) -> pl.DataFrame:
        since = (pl.col(column) - self.start).dt.total_microseconds() / 1e6
        return frame.with_columns(s=(since // self.bin_s) * self.bin_s + self.bin_s / 2).filter(pl.col("s") >= 0)


def _ms(value_us: float | None) -> float | None:
    return None if value_us is None else value_us / 1000
