"""Non-negative least squares of few columns, for many resamples of the same bins at once."""

from __future__ import annotations

import numpy as np

from sizing.types import F8, Bools

RIDGE = 1e-10
"""Of a column's own square: columns that can't be told apart share evenly."""
TOLERANCE = 1e-9
MOST_TURNS = 200


def resampled(design: F8, values: F8, times: F8) -> F8:
    """Return the coefficients of each resample, shape (n, columns).

    Parameters
    ----------
    design : shape (bins, columns), already weighed
    values : shape (bins, n), already weighed
    times : shape (n, bins), how often a resample holds each bin
    """
    bins, columns = design.shape
    gram = (times @ (design[:, :, None] * design[:, None, :]).reshape(bins, -1)).reshape(-1, columns, columns)
    return nonnegative(gram, (times * values.T) @ design)


def nonnegative(gram: F8, right: F8) -> F8:
    """Solve min ½ x'Gx − r'x over x ≥ 0, for G of shape (n, k, k) and r of shape (n, k); shape (n, k).

    By principal pivoting: all are free at first, and of those that break a condition the last changes sides, until none does
    (K. G. Murty, Note on a Bard-type scheme for solving the complementarity problem, 1974, which ends for every positive
    definite G).
    """
    size = np.sqrt(np.maximum(np.einsum("nii->ni", gram), 1e-300))
    g, r = gram / (size[:, :, None] * size[:, None, :]), right / size
    near = TOLERANCE * np.maximum(np.abs(r).max(axis=1, keepdims=True), 1e-300)
    free, x, open_rows = np.ones(r.shape, dtype=bool), np.zeros(r.shape), np.arange(len(r))
    for _ in range(MOST_TURNS):
        x[open_rows] = _free_alone(g[open_rows], r[open_rows], free[open_rows])
        slack = np.einsum("nij,nj->ni", g[open_rows], x[open_rows]) - r[open_rows]
        wrong = np.where(free[open_rows], x[open_rows] < -near[open_rows], slack < -near[open_rows])
        still = wrong.any(axis=1)
        open_rows, wrong = open_rows[still], wrong[still]
        if not len(open_rows):
            break
        last = wrong.shape[1] - 1 - wrong[:, ::-1].argmax(axis=1)
        free[open_rows, last] ^= True
    found: F8 = np.maximum(x, 0.0) / size
    return found


def _free_alone(gram: F8, right: F8, free: Bools) -> F8:
    """Least squares over the free columns, the others 0."""
    columns = np.arange(gram.shape[1])
    kept = np.where(free[:, :, None] & free[:, None, :], gram, 0.0)
    kept[:, columns, columns] += np.where(free, RIDGE, 1.0)
    found: F8 = np.linalg.solve(kept, np.where(free, right, 0.0)[:, :, None])[:, :, 0]
    return found
