"""How much will come: requests a second from outside, from history, from what the team states, or from the run itself."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import numpy as np

from evidence import SizeupError
from sizing.types import F8, Traffic

WEEK_HOURS = 168


def parse_peak(text: str) -> tuple[float, float, float]:
    """Read `--peak`: `20/s`, `1200/min`, or low, likely and high as `2,6,20/s`.

    Raises
    ------
    SizeupError
        Where it is none of these.
    """
    body, _, unit = text.strip().partition("/")
    seconds = {"": 1.0, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}.get(unit.strip())
    try:
        figures = [float(Decimal(part.strip())) for part in body.split(",")]
    except InvalidOperation:
        figures = []
    if seconds is None or len(figures) not in (1, 3) or not 0 < figures[0] <= figures[-1] < float("inf"):
        raise SizeupError(f'--peak {text!r}: not a rate; write it like "20/s", or low, likely and high like "2,6,20/s".')
    low, likely, high = figures * 3 if len(figures) == 1 else figures
    if not low <= likely <= high:
        raise SizeupError(f"--peak {text!r}: the three figures must rise: low, likely, high.")
    return low / seconds, likely / seconds, high / seconds


def stated_traffic(
    peak_per_s: Sequence[float], *, mean_per_s: float | None, growth_ratio_per_year: float | None, n: int, rng: np.random.Generator
) -> Traffic:
    """Turn a stated peak into sampled weeks: triangular between low and high, around the clock unless a mean is given."""
    low, likely, high = peak_per_s
    peaks = rng.triangular(low, likely, high, n) if high > low else np.full(n, float(likely))
    return Traffic("stated", _week(peaks, mean_per_s), 3600.0, growth_ratio_per_year)


def run_traffic(highest_per_s: float, n: int) -> Traffic:
    """Take the run's highest valid offered rate as the peak, around the clock."""
    return Traffic("run", _week(np.full(n, highest_per_s), None), 3600.0)


def _week(peaks: F8, mean_per_s: float | None) -> F8:
    """Return shape (hours, S): flat at the peak, or a daily sine through the mean and the peak."""
    if mean_per_s is None:
        return peaks[None, :].copy()
    hours = np.arange(WEEK_HOURS)
    swing = np.cos(2 * np.pi * (hours - 20) / 24)[:, None]
    mean = np.minimum(mean_per_s, peaks)[None, :]
    week: F8 = np.maximum(mean + (peaks[None, :] - mean) * swing, 0.0)
    return week
