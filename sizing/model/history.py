"""What production's own counts say of the traffic to come: whole days drawn again, at the level that the weeks grow to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sizing.types import F8, Traffic

STEP_S = 300.0
DAY_STEPS = int(86_400 / STEP_S)
LEAST_DAYS = 2
LEAST_WEEKS = 4
"""Under four weeks a trend can't be told from a good week."""
HORIZON_WEEKS = 4.0
YEAR_WEEKS = 365.25 / 7


@dataclass(frozen=True, slots=True)
class History:
    """Requests a second of whole days, shape (days, steps of a day), and the weekday of each (Monday 0)."""

    rate_per_s: F8
    weekday: np.ndarray

    @property
    def days(self) -> int:
        return len(self.rate_per_s)


def read_history(metrics: pl.DataFrame) -> History | None:
    """Read the load balancer's own request counts; None under two whole days (UTC).

    CloudWatch has no row for a period without a request.
    """
    rows = metrics.filter((pl.col("metric") == "RequestCount") & ~pl.col("dimensions").str.contains("TargetGroup"))
    if rows.is_empty():
        return None
    at_s = rows["at"].dt.epoch("us").to_numpy() / 1e6
    first, last = np.ceil(at_s.min() / 86_400), np.floor((at_s.max() + float(rows["period_s"].to_numpy().max())) / 86_400)
    days = int(last - first)
    if days < LEAST_DAYS:
        return None
    step = np.floor((at_s - first * 86_400) / STEP_S).astype(int)
    inside = (step >= 0) & (step < days * DAY_STEPS)
    counts = np.bincount(step[inside], weights=rows["value"].to_numpy()[inside], minlength=days * DAY_STEPS)
    # 1970-01-01 was a Thursday.
    return History(counts.reshape(days, DAY_STEPS) / STEP_S, (np.arange(days) + int(first) + 3) % 7)


def forecast_history(history: History, *, n: int, rng: np.random.Generator) -> Traffic:
    """Sample weeks four weeks on: each day one that was seen on that weekday, at the level of its week, which goes on as it went.

    Notes
    -----
    Whole days keep what matters for credits and peaks: hours next to each other rise together. A week to come may go
    above all that were seen, so each drawn day sways by as much as days of one weekday differed.
    """
    rates, level, growth = history.rate_per_s, _levels(history), _growth(history, n, rng)
    plain = rates / level[:, None]
    sway = _sway(plain.sum(axis=1), history.weekday)
    drawn = [plain[_like(history.weekday, day, n, rng)] * np.exp(rng.normal(0, sway, n))[:, None] for day in range(7)]
    week = np.concatenate(drawn, axis=1) * (level[-1] * np.exp(growth * HORIZON_WEEKS))[:, None]
    yearly = float(np.expm1(np.median(growth) * YEAR_WEEKS)) if growth.any() else None
    return Traffic("history", np.ascontiguousarray(week.T), STEP_S, yearly)


def _like(weekday: np.ndarray, day: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw days of this weekday; where it was not seen, of its kind (working day or weekend), else any."""
    same, kind = np.flatnonzero(weekday == day), np.flatnonzero((weekday >= 5) == (day >= 5))
    among = same if len(same) else kind if len(kind) else np.arange(len(weekday))
    return rng.choice(among, n)


def _weeks(history: History) -> tuple[F8, np.ndarray]:
    """Logarithm of each whole week's mean rate, counted back from the end, oldest first; and the week of each day."""
    back = (history.days - 1 - np.arange(history.days)) // 7
    whole = [w for w in range(int(back.max()) + 1) if (back == w).sum() == 7]
    means = [max(float(history.rate_per_s[back == w].mean()), 1e-9) for w in reversed(whole)]
    return np.log(means), back


def _levels(history: History) -> F8:
    """The level of each day's week, shape (days,); one level where no trend can be told."""
    logs, back = _weeks(history)
    if len(logs) < LEAST_WEEKS:
        return np.ones(history.days)
    slope, _ = _trend(logs)
    found: F8 = np.exp(logs.mean() + slope * ((len(logs) - 1) / 2 - back))
    return found


def _growth(history: History, n: int, rng: np.random.Generator) -> F8:
    """Growth a week as a logarithm, in n worlds; 0 where no trend can be told."""
    logs, _ = _weeks(history)
    if len(logs) < LEAST_WEEKS:
        return np.zeros(n)
    slope, error = _trend(logs)
    return slope + error * rng.standard_t(len(logs) - 2, n).clip(-4, 4)


def _trend(logs: F8) -> tuple[float, float]:
    """Least squares through the weeks: slope and its standard error."""
    week = np.arange(len(logs)) - (len(logs) - 1) / 2
    slope = float(week @ logs / (week @ week))
    left = logs - logs.mean() - slope * week
    return slope, float(np.sqrt(left @ left / (len(logs) - 2) / (week @ week)))


def _sway(totals: F8, weekday: np.ndarray) -> float:
    """How much days of one weekday differ, as a logarithm's standard deviation; 0.1 where none was seen twice."""
    logs = np.log(np.maximum(totals, 1e-9))
    apart = [logs[weekday == d] - logs[weekday == d].mean() for d in range(7) if (weekday == d).sum() > 1]
    if not apart:
        return 0.1
    freedom = sum(len(a) - 1 for a in apart)
    return float(np.sqrt(sum(float(a @ a) for a in apart) / freedom))
