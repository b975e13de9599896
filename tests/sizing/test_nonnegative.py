"""Many small problems at once against scipy's solver, one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from sizing.model.nonnegative import resampled


@given(seed=st.integers(0, 10_000), columns=st.integers(1, 8), bins=st.integers(8, 60), noise=st.floats(0, 3))
def test_every_resample_is_what_scipy_finds(seed: int, columns: int, bins: int, noise: float):
    """Columns of other sizes, negative truths, a column that a resample may lack."""
    rng = np.random.default_rng(seed)
    design = rng.poisson(rng.uniform(0.1, 20, columns), (bins, columns)) * 10.0 ** rng.integers(-3, 3, columns)
    values = (design @ rng.normal(0.5, 1, columns))[:, None] + noise * rng.normal(0, 1, (bins, 6))
    times = rng.multinomial(bins, np.full(bins, 1 / bins), 6).astype(float)

    found = resampled(design, values, times)

    for k in range(6):
        root = np.sqrt(times[k])
        expected, rest = nnls(design * root[:, None], values[:, k] * root)
        ours = np.linalg.norm((design @ found[k] - values[:, k]) * root)
        assert (found[k] >= 0).all()
        assert ours <= rest * (1 + 1e-6) + 1e-6 * np.linalg.norm(values[:, k] * root)
        if np.linalg.matrix_rank(design * root[:, None]) == columns:
            size = np.linalg.norm(design * root[:, None], axis=0)
            assert found[k] * size == pytest.approx(expected * size, rel=1e-4, abs=1e-4 * np.linalg.norm(values[:, k] * root))


def test_columns_that_cannot_be_told_apart_share_evenly():
    design = np.ones((20, 2))

    assert resampled(design, np.full((20, 1), 4.0), np.ones((1, 20)))[0] == pytest.approx([2, 2], rel=1e-6)
