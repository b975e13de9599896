"""A series of counts or averages: its step, what is missing or twice there, how high it goes, and how neighbours sway together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sizing.types import F8


@dataclass(frozen=True, slots=True)
class Shape:
    """Attributes: `step_s` is the commonest interval; a gap is an interval longer than that, of `missing` steps in all."""

    rows: int
    step_s: float
    gaps: int
    duplicates: int
    missing: int
    max_gap_s: float
    lowest: float
    highest: float
    mean: float
    p95: float


def series_shape(at_s: F8, values: F8) -> Shape:
    """Describe a series, shape (rows,) each; times in seconds in any order, clock changes included.

    Raises
    ------
    ValueError
        With under two rows: then it has no step.
    """
    if len(at_s) < 2:
        raise ValueError("a series needs two rows to have a step")
    apart = np.diff(np.sort(at_s))
    intervals, times = np.unique(apart[apart > 0], return_counts=True)
    step_s = float(intervals[np.argmax(times)])
    long = apart[apart > step_s]
    return Shape(
        rows=len(at_s),
        step_s=step_s,
        gaps=len(long),
        duplicates=int((apart == 0).sum()),
        missing=int((np.round(long / step_s) - 1).sum()),
        max_gap_s=float(apart.max()),
        lowest=float(values.min()),
        highest=float(values.max()),
        mean=float(values.mean()),
        p95=float(np.quantile(values, 0.95, method="inverted_cdf")),
    )


def step_correlation(about: F8) -> float:
    """Correlation of a series, shape (rows,), about its middle with itself one step on; 0 where it never moves."""
    spread = float(about @ about)
    return float(about[:-1] @ about[1:]) / spread if spread > 0 else 0.0
