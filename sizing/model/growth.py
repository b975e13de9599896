"""Whether memory grows without end: the slope of a soak's second half, counted only where it stands out of the sway."""

from __future__ import annotations

import numpy as np

from sizing.model.series import step_correlation
from sizing.types import F8

SOAK_S = 3600.0
"""Under an hour a heap still settles, and a minute's rise carried on for a week would be gigabytes of nothing."""
STRETCHES = 20
SURE_ERRORS = 3.0
"""Of 250 copies that don't grow one is taken to (Student's t of eighteen), of those that sway for minutes one in fifty."""


def growth_bytes_per_h(at_s: F8, held_bytes: F8, n: int, rng: np.random.Generator) -> F8 | None:
    """Return what one copy gains an hour in n worlds, shape (n,): zeros where no growth stands out, None where it ran under an hour.

    Parameters
    ----------
    at_s, held_bytes : shape (samples,), of one copy's life, in order

    Notes
    -----
    The slope is the median of those between pairs of stretches' medians (Theil 1950, Sen 1968): neighbouring samples move
    together, so stretches are compared, never samples. Where even stretches move together, the slope is less sure by it.
    """
    if len(at_s) < 4 * STRETCHES or at_s[-1] - at_s[0] < SOAK_S:
        return None
    late_s, late = at_s[len(at_s) // 2 :], held_bytes[len(held_bytes) // 2 :]
    when = np.array([part.mean() for part in np.array_split(late_s, STRETCHES)]) / 3600.0
    held = np.array([np.median(part) for part in np.array_split(late, STRETCHES)])
    first, second = np.triu_indices(STRETCHES, 1)
    slopes = (held[second] - held[first]) / (when[second] - when[first])
    middle = float(np.median(slopes))
    about = held - middle * when
    about -= about.mean()
    together = step_correlation(about)
    # Twenty of a line read too little of it (Kendall 1954, for a mean and a slope).
    together = float(np.clip(together + (2 + 4 * together) / STRETCHES, 0.0, 0.95))
    spread = float(np.std(about, ddof=2)) / (float(np.std(when)) * np.sqrt(STRETCHES)) * np.sqrt((1 + together) / (1 - together))
    if middle < SURE_ERRORS * spread or middle <= 0:
        return np.zeros(n)
    drawn: F8 = np.maximum(rng.normal(middle, spread, n), 0.0)
    return drawn
