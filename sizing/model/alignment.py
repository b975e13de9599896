"""Whether CPU and arrivals were counted over the same intervals: a clock one interval off would double a demand or lose it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sizing.types import F8

MOST_BEATS = 2
LEAST_BEATS = 30
# Twice the log of the likelihoods' ratio; by chance it passes 12 once in two thousand runs (chi-squared, one degree).
EVIDENCE = 12.0


def shift_beats(arrivals: Sequence[F8], cpu_s: Sequence[F8]) -> int:
    """Return by how many intervals CPU comes later than the arrivals that it served, window by window; 0 where nothing speaks for any.

    What is compared is each window's swing about its own mean: between windows the load differs, and a shift of one
    interval changes next to nothing there.
    """
    fits = {shift: _explained(arrivals, cpu_s, shift) for shift in range(-MOST_BEATS, MOST_BEATS + 1)}
    best = max(fits, key=lambda shift: fits[shift])
    return best if fits[best] - fits[0] > EVIDENCE else 0


def _explained(arrivals: Sequence[F8], cpu_s: Sequence[F8], shift: int) -> float:
    pairs = [_swings(a, c, shift) for a, c in zip(arrivals, cpu_s, strict=True) if len(a) > 4 * MOST_BEATS]
    if sum(len(a) for a, _ in pairs) < LEAST_BEATS:
        return 0.0
    a, c = (np.concatenate(column) for column in zip(*pairs, strict=True))
    spread = float(np.sqrt((a @ a) * (c @ c)))
    ratio = float(a @ c) / spread if spread > 0 else 0.0
    # More arrivals never cost less, so a shift at which they seem to explains nothing.
    return -len(a) * float(np.log1p(-min(max(ratio, 0.0), 0.999999) ** 2))


def _swings(arrivals: F8, cpu_s: F8, shift: int) -> tuple[F8, F8]:
    """Arrivals and CPU `shift` later, the same beats for every shift, each about its mean."""
    inside = slice(MOST_BEATS, len(arrivals) - MOST_BEATS)
    a, c = arrivals[inside], cpu_s[MOST_BEATS + shift : len(cpu_s) - MOST_BEATS + shift]
    return a - a.mean(), c - c.mean()


def aligned(values: F8, shift: int) -> F8:
    """Bring what comes `shift` intervals late back to its own; the ends, whose partner wasn't seen, are dropped."""
    return values[max(shift, 0) : len(values) + min(shift, 0)]
