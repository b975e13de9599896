"""What to measure next: the step, soak, deployment, history or run elsewhere whose result would change the answer's price most.

Each doubt is pinned to the low and to the high end of what it may be, everything else as it was drawn, and the worlds
are judged again: half of what the two answers cost more or less is what the measurement is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from sizing.types import F8, Candidate, Evidence, HostModel, World
from sizing.verdicts import Recommendation, Verdict

Judge = Callable[[World], list[Verdict]]
ENDS = (0.05, 0.95)
SECOND_COPY = (0.69, 1.0)
"""What a second copy holds of the first where no deployment was seen: 69 to 92 % more was measured on real JVMs, a whole one is assumed."""
UNSTATED = (0.5, 2.0)
"""How far traffic may lie from a run's own highest rate where nobody states any."""
BEYOND = 0.18
"""Log deviation of a demand at twice the load that was measured (an extrapolated law errs by 12 % in the median there)."""
LEAK = 0.1
"""What a copy may gain in a week where none was watched for an hour, as a part of what it holds."""
CONTENDERS = 40
CENT = Decimal("0.01")
LOOK, LOAD = "sizeup look", "sizeup load staging"


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that is not known well: what would settle it, and the worlds at its low and high end."""

    command: str
    why: str
    ends: tuple[World, World]


def next_steps(
    world: World, evidence: Evidence, recommendation: Recommendation, judge: Judge, refused: Mapping[str, bool | None]
) -> list[dict[str, str | None]]:
    """Rank the measurements by what they may change a month, then name what a purchase asks for beside them.

    Parameters
    ----------
    refused : Mapping[str, bool or None]
        The evidence's codes; False where a purchase would be refused.
    """
    contenders = _contenders(recommendation)
    told = doubts(world.only(contenders), evidence, recommendation) if contenders else ()
    worth = [(doubt, *_worth(doubt, recommendation, judge)) for doubt in told]
    ranked = sorted((w for w in worth if w[1] > 0), key=lambda w: -w[1])
    steps = [step(d.command, d.why, could, usd) for d, usd, could in ranked]
    peak = float(np.median(world.traffic.peak_draws))
    return [*_first(refused, recommendation), *steps, *(s for s in _asked(refused, peak) if not _known(s, steps))]


def _known(asked: Mapping[str, str | None], steps: Sequence[Mapping[str, str | None]]) -> bool:
    """Whether a step that is worth something already does what a purchase asks for."""
    return any(asked["why"] == s["why"] or (asked["command"] == s["command"] != LOAD) for s in steps)


def step(command: str, why: str, could: str | None, usd: Decimal = Decimal(0)) -> dict[str, str | None]:
    """One entry of the document's `next`."""
    return {"command": command, "why": why, "could_change_to": could or "nothing", "changes_monthly_usd": str(usd.quantize(CENT))}


def merged(steps: Sequence[Mapping[str, str | None]]) -> list[Mapping[str, str | None]]:
    """Put the classes' steps together: each once, with the most that it may change; what comes first for all stays first."""
    best: dict[tuple[str | None, str | None], Mapping[str, str | None]] = {}
    for found in steps:
        known = best.get((found["command"], found["why"]))
        if known is None or _usd(found) > _usd(known):
            best[found["command"], found["why"]] = found
    return sorted(best.values(), key=lambda s: (s["command"] != LOOK, -_usd(s)))


def _usd(found: Mapping[str, str | None]) -> Decimal:
    return Decimal(found["changes_monthly_usd"] or 0)


def doubts(world: World, evidence: Evidence, recommendation: Recommendation) -> Iterator[Doubt]:
    """Yield what these worlds are unsure of, each pinned to its two ends."""
    peak, highest = float(np.median(world.traffic.peak_draws)), evidence.highest_external_per_s
    never = peak > highest
    why = "the forecast peak was never loaded" if never else "what a request costs is still unsure"
    yield Doubt(f"sizeup load staging --rates {peak:.3g}", why, _both(world, lambda w, q: with_demand(w, q, peak / max(highest, 1e-9))))
    yield Doubt("sizeup load staging --step-time 1h", "how much it holds after hours is still unsure", _both(world, with_memory))
    if evidence.deployments == 0 and world.deploy == "blue_green":
        copies = [with_copies(world, ratio) for ratio in SECOND_COPY]
        yield Doubt(LOAD, "no deployment was seen: deploy once while it runs", (copies[0], copies[1]))
    if world.traffic.source != "history":
        yield Doubt("sizeup collect staging --since 14d", "no history says how much comes", _both(world, with_traffic))
    chosen = recommendation.recommended
    if chosen is not None and chosen.speed == "benchmark":
        family = chosen.candidate.instance.family
        why = f"run it on a {chosen.candidate.type}: how fast {family} is beside the measured type, benchmarks alone say"
        yield Doubt(LOAD, why, _both(world, lambda w, q: with_speed(w, family, q)))


def _both(world: World, pinned: Callable[[World, float], World]) -> tuple[World, World]:
    return pinned(world, ENDS[0]), pinned(world, ENDS[1])


def with_demand(world: World, quantile: float, beyond: float) -> World:
    """The worlds with a request's demand pinned; wider where the peak lies `beyond` times what was loaded."""
    total = (world.model.demand_s_draws * world.model.per_external[:, None]).sum(axis=0)
    reach = BEYOND * max(float(np.log2(max(beyond, 1.0))), 0.0) * (1.64 if quantile > 0.5 else -1.64)
    ratio = np.quantile(total, quantile) * np.exp(reach) / np.maximum(total, 1e-12)
    return _remodelled(world, world.work_draws * ratio, demand_s_draws=world.model.demand_s_draws * ratio)


def with_memory(world: World, quantile: float) -> World:
    """The worlds with every group's level pinned; at the high end with a week's leak where no soak looked for one."""
    leak = 1.0 + (LEAK if quantile > 0.5 and all(p.growth_bytes_per_h_draws is None for p in world.model.memory) else 0.0)
    parts = [replace(p, bytes_draws=np.full_like(p.bytes_draws, np.quantile(p.bytes_draws, quantile) * leak)) for p in world.model.memory]
    return _remodelled(world, world.work_draws, memory=parts)


def with_copies(world: World, ratio: float) -> World:
    """The worlds with a deployment's second copy holding `ratio` of the first."""
    return _remodelled(world, world.work_draws, memory=[replace(p, copy_ratio=ratio) for p in world.model.memory])


def with_traffic(world: World, quantile: float) -> World:
    """The worlds with the peak pinned, the week's shape kept."""
    peaks = world.traffic.peak_draws
    unstated = UNSTATED[int(quantile > 0.5)] if world.traffic.source == "run" else 1.0
    ratio = np.quantile(peaks, quantile) * unstated / np.maximum(peaks, 1e-12)
    traffic = replace(world.traffic, rate_draws=world.traffic.rate_draws * ratio)
    return replace(world, traffic=traffic, work_draws=world.work_draws * ratio)


def with_speed(world: World, family: str, quantile: float) -> World:
    """The worlds with one family's speed pinned; the low end of what a measurement may show is a fast one."""
    rows = np.array([c.instance.family == family for c in world.candidates])
    speed = world.speed_draws.copy()
    speed[rows] = np.quantile(speed[rows], 1 - quantile, axis=1, keepdims=True)
    return replace(world, speed_draws=speed)


def _remodelled(world: World, work: F8, **changes: object) -> World:
    model: HostModel = replace(world.model, **changes)  # type: ignore[arg-type]  # fields of HostModel by their names
    return replace(world, model=model, work_draws=work)


def _worth(doubt: Doubt, recommendation: Recommendation, judge: Judge) -> tuple[Decimal, str | None]:
    """Half of what the answers at both ends cost more or less than today's, and the one that differs more."""
    found = [next((v for v in judge(world) if v.fits), None) for world in doubt.ends]
    changes = [(_change(v, recommendation), None if v is None else v.candidate.type) for v in found]
    most = max(changes, key=lambda change: change[0])
    return sum((usd for usd, _ in changes), Decimal(0)) / 2, most[1]


def _change(verdict: Verdict | None, recommendation: Recommendation) -> Decimal:
    """How far an answer's price lies from today's; where nothing fits, that of the dearest candidate stands for it."""
    dearest = max((v.monthly_usd or Decimal(0) for v in recommendation.verdicts), default=Decimal(0))
    now = recommendation.recommended
    before = dearest if now is None or now.monthly_usd is None else now.monthly_usd
    after = dearest if verdict is None or verdict.monthly_usd is None else verdict.monthly_usd
    return abs(after - before)


def _contenders(recommendation: Recommendation) -> set[tuple[str, int, str, str | None]]:
    """The candidates about the recommended one: everything cheaper and the next dearer ones, so many that judging them again is quick."""
    verdicts: Sequence[Verdict] = [v for v in recommendation.verdicts if v.fits is not None]
    at = verdicts.index(recommendation.recommended) if recommendation.recommended in verdicts else len(verdicts)
    first = max(0, at - CONTENDERS)
    found: list[Candidate] = [v.candidate for v in verdicts[first : first + 2 * CONTENDERS]]
    return {c.key for c in found}


def _first(refused: Mapping[str, bool | None], recommendation: Recommendation) -> list[dict[str, str | None]]:
    """A demo's stack is nobody's: nothing measured on it further would tell more."""
    if refused.get("synthetic") is not False:
        return []
    why = "the demo's stack isn't yours: look at a host of your own, one minute, no load"
    return [step(LOOK, why, _nearest(recommendation))]


def _nearest(recommendation: Recommendation) -> str | None:
    """The cheaper candidate that came nearest to fitting, else the next dearer one that fits."""
    best = recommendation.recommended
    cheaper = [v for v in recommendation.verdicts if v.fits is False and (best is None or (v.monthly_usd or 0) < (best.monthly_usd or 0))]
    dearer = [v for v in recommendation.verdicts if v.fits and v is not best]
    found = max(cheaper, key=lambda v: v.probability or 0.0) if cheaper else next(iter(dearer), None)
    return None if found is None else found.candidate.type


def _asked(refused: Mapping[str, bool | None], peak_per_s: float) -> list[dict[str, str | None]]:
    """What a purchase would be refused for, though the type would stay."""
    wanted = {
        "no_peak": (f"sizeup load staging --rates {peak_per_s:.3g}", "the forecast peak was never loaded"),
        "no_deployment": (LOAD, "no deployment was seen: deploy once while it runs"),
        "too_short": ("sizeup load staging --step-time 10m", "under 30 minutes of valid windows"),
        "too_few_days": ("sizeup collect staging --since 14d", "under 14 days of production's own history"),
    }
    return [step(command, why, None) for code, (command, why) in wanted.items() if refused.get(code) is False]
