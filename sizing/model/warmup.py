"""The head of a window in which requests still cost more: a JIT compiler at work, caches filling, pools opening."""

from __future__ import annotations

import numpy as np

from sizing.types import F8, Bools

CHUNK_BINS = 3
DEARER_RATIO = 0.15
"""Less than this is no warm-up that a size could hang on."""
ERRORS = 3.0


def warm_bins(requests: F8, cpu_s: F8, seconds: F8, blocks: np.ndarray) -> tuple[Bools, float]:
    """Find the bins that are warm, shape (bins,), and how many times as much a request cost in the others.

    A window's head is compared with its own second half: load differs between windows, and so may what a request costs.
    What a window takes without requests is small beside what it takes with them, and alike in both halves.
    """
    warm: Bools = np.ones(len(cpu_s), dtype=bool)
    spent = extra = 0.0
    for block in np.unique(blocks):
        rows = np.flatnonzero(blocks == block)
        late = rows[len(rows) // 2 :]
        if requests[late].sum() <= 0 or cpu_s[late].sum() <= 0:
            continue
        settled_s = cpu_s[late].sum() / requests[late].sum()
        for head in np.array_split(rows[: len(rows) // 2], max(len(rows) // 2 // CHUNK_BINS, 1)):
            came = requests[head].sum()
            # Requests of exponential size: a sum of n is known to √(2/n), counting included.
            error = np.sqrt(2.0 / max(came, 1.0) + 2.0 / requests[late].sum())
            ratio = cpu_s[head].sum() / max(came, 1e-9) / settled_s
            if not len(head) or ratio < 1.0 + max(DEARER_RATIO, ERRORS * error):
                break
            warm[head] = False
            spent, extra = spent + came * settled_s, extra + cpu_s[head].sum()
    return warm, extra / spent if spent > 0 else 1.0
