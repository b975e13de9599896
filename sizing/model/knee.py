"""How far did the load get: the highest rate at which every objective held, and the highest throughput."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from evidence import Estimate, Run
from sizing.model.windows import between, objectives_by_window
from sizing.settings import Objective
from sizing.types import Window

LEVEL = 0.9
Z_OF_LEVEL = 1.645


def reached(run: Run, cut: Sequence[Window], objectives: Sequence[Objective]) -> dict[str, Any]:
    """Write run.json's `knee_per_s` and `saturation_per_s` (docs/reference/definitions.md); null where no window tells.

    The knee is a bracket: `lo` (and `mid`) held in a valid steady window, `hi` is the lowest higher rate whose steady window
    missed an objective, null where none did. `level` is 1: both were seen. The saturation's interval is that of a count of
    independent completions.
    """
    steady = [w for w in cut if w.kind == "steady"]
    met = [(w, _met(told)) for w, told in zip(steady, objectives_by_window(run, steady, objectives), strict=True)]
    held = max((w.offered_per_s for w, ok in met if ok and w.valid), default=None)
    knee = None
    if held is not None:
        missed = min((w.offered_per_s for w, ok in met if ok is False and w.offered_per_s > held), default=None)
        knee = {"mid": held, "lo": held, "hi": missed, "level": 1.0}
    return {"knee_per_s": knee, "saturation_per_s": _saturation(run, steady)}


def _met(told: Sequence[dict[str, Any]]) -> bool | None:
    """Tell whether a window met every objective, whoever's fault it was; None where one was not measured."""
    ok = [objective["ok"] for objective in told]
    return False if False in ok else None if None in ok or not ok else True


def _saturation(run: Run, steady: Sequence[Window]) -> dict[str, float] | None:
    # Completions by the moment at which they came: under overload they are fewer than what was due in the window.
    done = run.requests.filter(pl.col("ok")).with_columns(
        done_at=pl.col("intended_at") + pl.duration(microseconds=pl.col("response_us").cast(pl.Int64))
    )
    counts = [(between(done, "done_at", w.start, w.end).height, w.seconds) for w in steady]
    if not counts:
        return None
    count, seconds = max(counts, key=lambda each: each[0] / each[1])
    half = Z_OF_LEVEL * float(np.sqrt(count)) / seconds
    return Estimate(count / seconds, max(0.0, count / seconds - half), count / seconds + half, LEVEL).as_json()
