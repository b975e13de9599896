"""What the choice costs beyond the best that hindsight would name, over the worlds it was judged in."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from sizing.types import Bools
from sizing.verdicts import Regret, Verdict

CENT = Decimal("0.01")


def regret(verdicts: Sequence[Verdict], chosen: Verdict | None) -> Regret | None:
    """Compare the chosen with the cheapest candidate that holds, world by world; None where nothing was chosen.

    Parameters
    ----------
    verdicts : Sequence[Verdict]
        Judged on common worlds, cheapest first.
    """
    judged = [v for v in verdicts if v.fits is not None and v.monthly_usd is not None]
    if chosen is None or chosen.monthly_usd is None:
        return None
    costs = np.array([float(v.monthly_usd or 0) for v in judged])
    holds: Bools = np.stack([v.holds for v in judged if v.holds is not None])
    own = holds[judged.index(chosen)]
    # Where the chosen holds, something does: the cheapest first in line.
    best = costs[holds[:, own].argmax(axis=0)]
    overpaid = float((float(chosen.monthly_usd) - best).sum()) / holds.shape[1]
    instead = _instead(judged, holds, own, chosen)
    more = None if instead is None or instead.monthly_usd is None else instead.monthly_usd - chosen.monthly_usd
    chance = 1.0 - float(own.mean())
    return Regret(Decimal(repr(overpaid)).quantize(CENT), chance, None if instead is None else instead.candidate.type, more)


def _instead(judged: Sequence[Verdict], holds: Bools, own: Bools, chosen: Verdict) -> Verdict | None:
    """The candidate that one would turn to: the cheapest dearer one that holds in most of the worlds where the chosen doesn't."""
    failed = ~own
    if not failed.any():
        return None
    dearer = [(v, h) for v, h in zip(judged, holds, strict=True) if (v.monthly_usd or 0) > (chosen.monthly_usd or 0)]
    return next((v for v, h in dearer if h[failed].mean() >= 0.5), None)
