"""What would let a cheaper candidate fit: the same judgement again with one thing changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from sizing.types import Lever, MemoryPart, Recommendation, Verdict, World

Judge = Callable[[World], list[Verdict]]


def levers(world: World, recommendation: Recommendation, judge: Judge) -> list[Lever]:
    """Return each lever that lets something cheaper fit (where nothing fits, anything at all); the largest saving first."""
    found = [
        *_stop_first(world, recommendation, judge),
        *_cap_heap(world, recommendation, judge),
        *_unlimited(recommendation),
        *_measure_arm64(recommendation),
    ]
    return sorted(found, key=lambda lever: -lever.saves_monthly_usd)


def _cheapest(verdicts: Sequence[Verdict]) -> Verdict | None:
    return next((v for v in verdicts if v.fits), None)


def _saving(recommendation: Recommendation, other: Verdict | None) -> Decimal | None:
    """What `other` saves a month against the recommended, or the present where nothing fits; None where it saves nothing."""
    base = recommendation.recommended or recommendation.present
    if other is None or other.monthly_usd is None:
        return None
    if base is None or base.monthly_usd is None:
        return Decimal(0)
    saving = base.monthly_usd - other.monthly_usd
    return saving if saving > 0 or recommendation.recommended is None else None


def _stop_first(world: World, recommendation: Recommendation, judge: Judge) -> list[Lever]:
    if world.deploy != "blue_green" or not any(part.doubled for part in world.model.memory):
        return []
    found = _cheapest(judge(replace(world, deploy="stop_first")))
    saving = _saving(recommendation, found)
    if found is None or saving is None:
        return []
    return [
        Lever(
            "stop_first",
            "stop the old copy before the new one starts",
            found.candidate.type,
            saving,
            "seconds without service at each deployment",
        )
    ]


def _cap_heap(world: World, recommendation: Recommendation, judge: Judge) -> list[Lever]:
    parts = [_capped(part) for part in world.model.memory]
    if all(part is None for part in parts):
        return []
    memory = [capped or part for capped, part in zip(parts, world.model.memory, strict=True)]
    found = _cheapest(judge(replace(world, model=replace(world.model, memory=memory))))
    saving = _saving(recommendation, found)
    if found is None or saving is None:
        return []
    return [
        Lever("cap_heap", "cap the heap at twice its live set (-Xmx)", found.candidate.type, saving, "one run under load with the new cap")
    ]


def _capped(part: MemoryPart) -> MemoryPart | None:
    """The part with its heap capped at twice the live set; None where no live set was measured."""
    if part.capped_draws is None:
        return None
    return replace(part, bytes_draws=np.minimum(part.bytes_draws, part.capped_draws))


def _unlimited(recommendation: Recommendation) -> list[Lever]:
    """The present type, standard today, where the same type in unlimited mode is what fits."""
    now, best = recommendation.present, recommendation.recommended
    if now is None or best is None or now.fits or now.candidate.type != best.candidate.type or best.candidate.credit_mode != "unlimited":
        return []
    return [
        Lever(
            "unlimited",
            "pay for surplus credits instead of being throttled",
            best.candidate.type,
            Decimal(0),
            "modify-instance-credit-specification; no restart",
        )
    ]


def _measure_arm64(recommendation: Recommendation) -> list[Lever]:
    """A cheaper type of the other architecture whose every judged constraint holds at the benchmarks' speed."""
    for verdict in recommendation.verdicts:
        if verdict.fits is None and verdict.bound("arch_unmeasured") and all(b.ok for b in verdict.bounds if b.ok is not None):
            saving = _saving(recommendation, verdict)
            if saving is not None:
                arch = verdict.candidate.instance.arch
                needs = f"a build for {arch} and one run on {verdict.candidate.type}"
                return [Lever("measure_arm64", f"measure the service on {arch}", verdict.candidate.type, saving, needs)]
    return []


def next_steps(recommendation: Recommendation, evidence_codes: Mapping[str, bool | None], peak_per_s: float) -> list[dict[str, str]]:
    """What to measure next: the step whose result would change the answer most, each with the candidate it could change to."""
    if recommendation.verdict == "unknown" and not recommendation.verdicts:
        return [_step("sizeup load staging --plan steps", "no valid window was measured", "unknown")]
    could = _could_change_to(recommendation)
    wanted = {
        "synthetic": ("sizeup look", "the demo's stack isn't yours: look at a host of your own, one minute, no load"),
        "no_peak": (f"sizeup load staging --rates {peak_per_s:g}", "the forecast peak was never loaded"),
        "no_deployment": ("sizeup load staging", "no deployment was seen: deploy once while it runs"),
        "too_short": ("sizeup load staging --step-time 10m", "under 30 minutes of valid windows"),
    }
    return [_step(command, why, could) for code, (command, why) in wanted.items() if evidence_codes.get(code) is False]


def _step(command: str, why: str, could: str) -> dict[str, str]:
    return {"command": command, "why": why, "could_change_to": could}


def _could_change_to(recommendation: Recommendation) -> str:
    """The cheaper candidate that came nearest to fitting, else the next dearer one that fits."""
    best = recommendation.recommended
    cheaper = [v for v in recommendation.verdicts if v.fits is False and (best is None or (v.monthly_usd or 0) < (best.monthly_usd or 0))]
    if cheaper:
        return max(cheaper, key=lambda v: v.probability or 0.0).candidate.type
    dearer = [v for v in recommendation.verdicts if v.fits and v is not best]
    return dearer[0].candidate.type if dearer else "nothing"
