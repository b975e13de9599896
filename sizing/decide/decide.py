"""The choice: the cheapest candidate that fits, what binds it, and how the present one stands against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sizing.types import Candidate
from sizing.verdicts import Bound, Recommendation, Verdict

Word = Literal["rightsized", "oversized", "undersized", "unknown"]
WORST_FIRST: tuple[Word, ...] = ("undersized", "unknown", "oversized", "rightsized")


def decide(host_class: str, deploy: str, verdicts: Sequence[Verdict], present: Candidate | None) -> Recommendation:
    """Choose among judged candidates (cheapest first), by docs/reference/json.md."""
    chosen = next((v for v in verdicts if v.fits), None)
    now = next((v for v in verdicts if present is not None and v.candidate.key == present.key), None)
    decisive = _decisive(verdicts, chosen)
    return Recommendation(
        host_class=host_class,
        deploy=deploy,
        verdict=_word(verdicts, now),
        present=now,
        recommended=chosen,
        binding=_least(decisive),
        width_ratio=None if (deciding := _least(decisive, able_to_fail=True)) is None else deciding.width_ratio,
        verdicts=tuple(verdicts),
    )


def unknown(host_class: str, deploy: str, present: Verdict | None = None) -> Recommendation:
    """The answer where nothing could be fitted: no candidate, verdict unknown; the present type is what the topology says."""
    return Recommendation(host_class, deploy, "unknown", present, None, None, None, ())


def worst(words: Sequence[Word]) -> Word:
    """Return the worst of the classes' verdicts: undersized, unknown, oversized, rightsized."""
    return next((word for word in WORST_FIRST if word in words), "unknown")


def _word(verdicts: Sequence[Verdict], now: Verdict | None) -> Word:
    if now is None or now.fits is None or now.monthly_usd is None:
        return "unknown"
    if not now.fits:
        return "undersized"
    cheaper = any(v.fits and v.monthly_usd is not None and v.monthly_usd < now.monthly_usd for v in verdicts)
    return "oversized" if cheaper else "rightsized"


def _decisive(verdicts: Sequence[Verdict], chosen: Verdict | None) -> Verdict | None:
    """Whose margins bind: the dearest below the chosen one that doesn't fit, else its own; where none fits, the likeliest's."""
    if chosen is None:
        return max((v for v in verdicts if v.fits is False), key=lambda v: v.probability or 0.0, default=None)
    below = [v for v in verdicts[: list(verdicts).index(chosen)] if v.fits is False]
    return below[-1] if below else chosen


def _least(verdict: Verdict | None, *, able_to_fail: bool = False) -> Bound | None:
    """The constraint with the least margin; credits in unlimited mode cost, and so are not able to fail."""
    bounds = [b for b in verdict.bounds if b.margin_ratio is not None] if verdict is not None else []
    kept = [b for b in bounds if not (able_to_fail and b.ok and (b.margin_ratio or 0.0) < 0)]
    return min(kept, key=lambda b: b.margin_ratio or 0.0, default=None)
