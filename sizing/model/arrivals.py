"""What a host class was asked for: the load balancer's log by route, or, without it, its counts a period."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from evidence import Run, route_name
from sizing.types import F8


def named_log(run: Run) -> pl.DataFrame:
    """Return the access log with `name`, the route of each line."""
    log = run.access_log
    pairs = log.select("method", "url").unique()
    routes = pl.DataFrame(
        {"method": pairs["method"], "url": pairs["url"], "name": [route_name(m, u) for m, u in pairs.iter_rows()]},
        schema={"method": pl.String, "url": pl.String, "name": pl.String},
    )
    return log.join(routes, on=["method", "url"], how="left")


def external_lines(run: Run, log: pl.DataFrame) -> pl.DataFrame:
    """Return the lines that came from outside: the generator's, by the run's trace id; all of them where none carries it."""
    ours = log.filter(pl.col("trace_run") == run.meta.get("trace_run"))
    return ours if ours.height else log


def served_in(lines: pl.DataFrame, names: Sequence[str], starts: F8, ends: F8) -> F8:
    """Share out each request over the bins by the time that it was being served, shape (bins, names)."""
    counts = np.zeros((len(ends), len(names)))
    for column, name in enumerate(names):
        rows = lines.filter(pl.col("name") == name)
        done = epoch_s(rows["at"])
        length = np.maximum(rows["target_s"].fill_null(0.0).to_numpy(), 1e-6)
        for row in range(len(ends)):
            overlap = np.minimum(ends[row], done) - np.maximum(starts[row], done - length)
            counts[row, column] = np.clip(overlap / length, 0.0, 1.0).sum()
    return counts


def counted_in(at_s: F8, period_s: F8, value: F8, starts: F8, ends: F8) -> F8:
    """Share out a metric's sums, in order of their periods, over the bins, shape (bins,); a period without a row counted nothing."""
    edges = np.stack([at_s, at_s + period_s], axis=1).ravel()
    total = np.stack([np.cumsum(value) - value, np.cumsum(value)], axis=1).ravel()
    found: F8 = np.interp(ends, edges, total) - np.interp(starts, edges, total)
    return found


def epoch_s(times: pl.Series) -> F8:
    """Seconds since 1970."""
    seconds: F8 = times.dt.epoch("us").to_numpy().astype(float) / 1e6
    return seconds
