"""A metric as CloudWatch keeps it: samples in time, what of them can be seen by now, and their statistics by period.

Sources: CloudWatch API reference, GetMetricData ("retains metric data as follows", "StartTime"); CloudWatch user guide,
"Statistics definitions".
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from staging.aws.world import AwsFault, Trouble

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_S = 86_400
RETAINED = ((60, 15 * DAY_S), (300, 63 * DAY_S), (3_600, 455 * DAY_S))
"""Shortest period, and the age up to which it is kept."""
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """One metric's samples; each stands for `resolution_s` seconds from its time on.

    Attributes
    ----------
    at_s, values : arrays, shape (samples,)
        Seconds since 1970, ascending; a gap is no sample, several of one time are samples of a distribution.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    at_s: Ints
    values: Floats
    unit: str = "None"
    resolution_s: int = 60

    @property
    def key(self) -> tuple[str, str, frozenset[tuple[str, str]]]:
        return self.namespace, self.name, frozenset(self.dimensions.items())

    @property
    def seed(self) -> int:
        """A number of its own that is the same in every process."""
        return zlib.crc32(repr((self.namespace, self.name, sorted(self.dimensions.items()))).encode())


def read_points(
    series: MetricSeries, trouble: Trouble, statistic: str, period_s: int, start_s: int, end_s: int, now_s: float
) -> tuple[Ints, Floats]:
    """Return times and values of a statistic, one a period that has samples, as the trouble lets them be seen.

    Raises
    ------
    AwsFault
        For a statistic that there isn't.
    """
    first_s = start_s // rounding_s(now_s - start_s) * rounding_s(now_s - start_s)
    seen = _visible(series, trouble, now_s) & (series.at_s >= first_s) & (series.at_s < end_s) & _kept(series.at_s, period_s, now_s)
    at_s, values = series.at_s[seen], series.values[seen]
    bins, first, counts = np.unique((at_s - first_s) // period_s, return_index=True, return_counts=True)
    return _told(series, trouble, first_s + bins * period_s, _reduced(statistic, values, first, counts))


def rounding_s(age_s: float) -> int:
    """Return what a start of this age is rounded down to."""
    return next((period for period, age in RETAINED if age_s <= age), RETAINED[-1][0])


def _kept(at_s: Ints, period_s: int, now_s: float) -> npt.NDArray[np.bool_]:
    """Where samples can still be had by this period."""
    age_s = now_s - at_s
    return age_s <= max((age for shortest, age in RETAINED if period_s % shortest == 0), default=0)


def _visible(series: MetricSeries, trouble: Trouble, now_s: float) -> npt.NDArray[np.bool_]:
    """Where samples have arrived: not those that are late yet, never those that are lost."""
    arrived = series.at_s + series.resolution_s + trouble.late_s <= now_s
    lost = np.random.default_rng([trouble.seed, series.seed]).random(len(series.at_s)) < trouble.missing_ratio
    found: npt.NDArray[np.bool_] = arrived & ~lost
    return found


def _reduced(statistic: str, values: Floats, first: Ints, counts: Ints) -> Floats:
    """Reduce samples that lie side by side to one value a period; `first` and `counts` say which."""
    if not len(values):
        return values
    sums = np.add.reduceat(values, first)
    plain = {
        "Sum": sums, "Average": sums / counts, "SampleCount": counts.astype(float),
        "Minimum": np.minimum.reduceat(values, first), "Maximum": np.maximum.reduceat(values, first),
    }  # fmt: skip
    if statistic in plain:
        return plain[statistic]
    percentile = _PERCENTILE.fullmatch(statistic)
    if percentile is None:
        raise AwsFault("ValidationError", f"The value {statistic} for parameter MetricStat.Stat is not supported.")
    if counts.max() == 1:
        return values
    return np.array([np.percentile(part, float(percentile[1])) for part in np.split(values, first[1:])])


def _told(series: MetricSeries, trouble: Trouble, at_s: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Let some points be told twice, and all in disorder, where the trouble has it."""
    rng = np.random.default_rng([trouble.seed, series.seed, 1])
    again = np.flatnonzero(rng.random(len(at_s)) < trouble.duplicate_ratio)
    order = np.sort(np.concatenate([np.arange(len(at_s)), again]))
    if trouble.is_shuffled:
        order = rng.permutation(order)
    return at_s[order], values[order]


def describe(series: MetricSeries) -> dict[str, Any]:
    """Name a metric as ListMetrics does."""
    return {
        "Namespace": series.namespace, "MetricName": series.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(series.dimensions.items())],
    }  # fmt: skip
