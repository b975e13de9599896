"""What production's own counts say of the traffic to come: days that were seen, at the level that their weekday grows to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from evidence import SizeupError
from sizing.model.streams import stream
from sizing.types import F8, Traffic

Ints = npt.NDArray[np.int64]
DAY_S = 86_400
MONDAY_S = 4.0 * DAY_S
"""1970-01-05, from which counts without a date are numbered."""
STEP_S = 300.0
DAY_STEPS = int(DAY_S / STEP_S)
LEAST_DAYS = 2
LEAST_TREND_DAYS = 28
"""Under four weeks a trend can't be told from a good week: then what the team states counts, and nobody is told a figure."""
HORIZON_WEEKS = 4.0
YEAR_WEEKS = 365.25 / 7
GROWTH_A_WEEK = 0.015
"""How much a service that nobody knows grows or shrinks a week, as a standard deviation: 0.46 to 2.2 times a year, one of three beyond."""
SWAY, SWAY_FREEDOM = 0.1, 4
"""How much days of one weekday are taken to differ beforehand, as a logarithm's standard deviation, and as how many days that counts."""


@dataclass(frozen=True, slots=True)
class History:
    """Requests a second of whole days, shape (days, steps of a day); `day` numbers them from 1970-01-01, the oldest first."""

    rate_per_s: F8
    day: Ints

    @property
    def days(self) -> int:
        return len(self.rate_per_s)

    @property
    def weekday(self) -> Ints:
        """Monday is 0; 1970-01-01 was a Thursday."""
        return (self.day + 3) % 7

    @property
    def weeks_ago(self) -> F8:
        """How long each day lies before the last one."""
        found: F8 = (self.day[-1] - self.day) / 7.0
        return found

    @property
    def log_means(self) -> F8:
        """Logarithm of each day's mean rate; a day without a request counts as a thousandth of the others."""
        means = self.rate_per_s.mean(axis=1)
        found: F8 = np.log(np.maximum(means, max(float(means.mean()) / 1000, 1e-9)))
        return found


def forecast(
    counts: pl.DataFrame | Sequence[float],
    *,
    n: int,
    seed: int,
    step_s: float = 3600.0,
    timezone: str = "UTC",
    growth_ratio_per_year: float | None = None,
) -> Traffic:
    """Sample weeks of the traffic to come from the requests that production counted.

    Parameters
    ----------
    counts : DataFrame or sequence of float
        A run's metrics with the load balancer's RequestCount; or requests in each step of `step_s`, the first at a Monday's midnight.
    timezone : str
        By whose days and hours metrics are read.
    growth_ratio_per_year : float, optional
        What the team expects; what the days show corrects it by as much as they carry.

    Raises
    ------
    SizeupError
        Where the counts hold less than two whole days, or nobody knows the time zone.
    """
    if isinstance(counts, pl.DataFrame):
        history = read_history([counts], timezone)
    else:
        values = np.asarray(counts, dtype=float)
        starts: F8 = MONDAY_S + step_s * np.arange(len(values), dtype=np.float64)
        history = _days(starts, np.full(len(values), step_s), values)
    if history is None:
        raise SizeupError(f"counts: fewer than {LEAST_DAYS} whole days of requests; collect more, or state a peak.")
    return forecast_history(history, n=n, rng=stream(seed, "traffic"), growth_ratio_per_year=growth_ratio_per_year)


def read_history(metrics: Iterable[pl.DataFrame], timezone: str = "UTC") -> History | None:
    """Read the load balancer's own request counts, by the days and hours of `timezone`; None under two whole days.

    Several tables are one history, in which a period counts once, by the finest that was read. CloudWatch has no row for
    a period without a request, so an hour without one is 0; a whole day without one was not collected.

    Raises
    ------
    SizeupError
        Where nobody knows the time zone.
    """
    is_count = pl.col("value").is_finite() & (pl.col("value") >= 0)
    of_balancer = (pl.col("metric") == "RequestCount") & ~pl.col("dimensions").str.contains("TargetGroup") & is_count
    counted = [rows for table in metrics if not (rows := table.filter(of_balancer)).is_empty()]
    if not counted:
        return None
    rows = pl.concat(counted).sort("period_s", maintain_order=True).unique(["at", "dimensions"], keep="first", maintain_order=True)
    return _days(_local_s(rows["at"], timezone), rows["period_s"].to_numpy().astype(float), rows["value"].to_numpy())


def _days(start_s: F8, period_s: F8, counts: F8) -> History | None:
    """Spread each period's count over its five-minute steps, in whole days; None under two of them."""
    first, last = int(np.ceil(start_s.min() / DAY_S)), int(np.floor((start_s + period_s).max() / DAY_S))
    pieces = np.maximum(np.round(period_s / STEP_S), 1).astype(int)
    within = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    # Where clocks go back, an hour's two passes fall on the same steps; where they go forward, one hour of a night has none.
    step = np.floor(np.repeat(start_s, pieces) / STEP_S).astype(int) + within - first * DAY_STEPS
    inside = (step >= 0) & (step < (last - first) * DAY_STEPS)
    spread = np.bincount(step[inside], weights=np.repeat(counts / pieces, pieces)[inside], minlength=max(last - first, 0) * DAY_STEPS)
    rate_per_s = spread.reshape(-1, DAY_STEPS) / STEP_S
    seen = rate_per_s.any(axis=1)
    return History(rate_per_s[seen], first + np.flatnonzero(seen)) if seen.sum() >= LEAST_DAYS else None


def _local_s(times: pl.Series, timezone: str) -> F8:
    """Seconds since 1970 as the clocks of the time zone show them."""
    try:
        local: F8 = times.dt.convert_time_zone(timezone).dt.replace_time_zone(None).dt.epoch("us").to_numpy() / 1e6
    except pl.exceptions.ComputeError:
        raise SizeupError(f'[project] timezone {timezone!r}: no such time zone; write it like "Asia/Seoul".') from None
    return local


def forecast_history(history: History, *, n: int, rng: np.random.Generator, growth_ratio_per_year: float | None = None) -> Traffic:
    """Sample weeks, Monday to Sunday, four weeks on: of each weekday the shape of a day that was seen, at the level that it grows to.

    Parameters
    ----------
    growth_ratio_per_year : float, optional
        What the team expects; what the days show corrects it by as much as they carry.

    Notes
    -----
    Whole days keep what matters for credits and peaks: hours next to each other rise together. A week to come may go
    above all that were seen, so a day's level is drawn about its weekday's, as widely as days of one weekday differed.
    """
    stated = float(np.log1p(growth_ratio_per_year)) / YEAR_WEEKS if growth_ratio_per_year is not None else 0.0
    slope, error, sway, freedom = _trend(history, stated)
    growth = rng.normal(slope, error, n)
    week = np.concatenate([_day(history, day, growth, sway * rng.standard_t(freedom, n), rng) for day in range(7)], axis=1)
    told = history.days >= LEAST_TREND_DAYS
    yearly = float(np.expm1(slope * YEAR_WEEKS)) if told else growth_ratio_per_year
    return Traffic("history", np.ascontiguousarray(week.T), STEP_S, yearly, history_days=float(history.days))


def _trend(history: History, stated: float) -> tuple[float, float, float, int]:
    """Growth a week as a logarithm and its standard error; how much days of one weekday differ beside it, and how freely that is known.

    Least squares through the days about their weekday's mean, weighed against what is stated (normal, conjugate).
    """
    weeks, logs = (_about_weekday(history, values) for values in (-history.weeks_ago, history.log_means))
    square = float(weeks @ weeks)
    seen = float(weeks @ logs) / square if square > 0 else 0.0
    left = logs - seen * weeks
    freedom = SWAY_FREEDOM + max(history.days - len(np.unique(history.weekday)) - 1, 0)
    sway = float(np.sqrt((left @ left + SWAY_FREEDOM * SWAY**2) / freedom))
    known, believed = square / _week_sway(history, left, sway) ** 2, GROWTH_A_WEEK**-2
    slope = (known * seen + believed * stated) / (known + believed)
    return slope, float((known + believed) ** -0.5), sway, freedom


def _week_sway(history: History, left: F8, sway: float) -> float:
    """The sway that counts for a trend: days of one week may rise together, and then seven of them tell no more than one."""
    week = history.weeks_ago.astype(int)
    means = [float(left[week == w].mean()) for w in np.unique(week) if (week == w).sum() == 7]
    return max(sway, float(np.std(means, ddof=2)) * 7**0.5) if len(means) > 2 else sway


def _about_weekday(history: History, values: F8) -> F8:
    """Each day's value less the mean of its weekday's."""
    means = np.array([values[history.weekday == d].mean() if (history.weekday == d).any() else 0.0 for d in range(7)])
    found: F8 = values - means[history.weekday]
    return found


def _day(history: History, weekday: int, growth: F8, sway: F8, rng: np.random.Generator) -> F8:
    """Draw this weekday four weeks on, shape (S, steps of a day)."""
    like = _like(history.weekday, weekday)
    shape = history.rate_per_s[like] / np.exp(history.log_means[like])[:, None]
    level = history.log_means[like].mean() + growth * (history.weeks_ago[like].mean() + HORIZON_WEEKS) + sway * (1 + 1 / len(like)) ** 0.5
    drawn: F8 = shape[rng.integers(0, len(like), len(growth))] * np.exp(level)[:, None]
    return drawn


def _like(weekdays: Ints, day: int) -> Ints:
    """The days of this weekday; where it was not seen, of its kind (working day or weekend), else all."""
    same, kind = np.flatnonzero(weekdays == day), np.flatnonzero((weekdays >= 5) == (day >= 5))
    return same if len(same) else kind if len(kind) else np.arange(len(weekdays))
