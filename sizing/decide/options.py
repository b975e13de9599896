"""The same answer with other hosts: what a lost zone costs to survive, and whether more hosts, or one for two classes, are cheaper.

What is recommended keeps as many hosts as run today. Another count changes more than a type, a second volume and address
among it, so it stands beside the answer with its price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from sizing.decide.judge import sampling_se
from sizing.decide.worlds import hosts_left
from sizing.types import Candidate, MemoryPart, World
from sizing.verdicts import Option, Recommendation, Verdict

Judge = Callable[[World], list[Verdict]]
ONCE = ("kernel_and_system", "page_cache_floor")
"""Parts of a host's memory that two classes on it share."""


def options(world: World, recommendation: Recommendation, judge: Judge) -> list[Option]:
    """Return the recommended type over two zones, and one more host each of something cheaper; each only where it fits."""
    found = [_zone_loss(world, recommendation, judge), _more_hosts(world, recommendation, judge)]
    return [option for option in found if option is not None]


def _zone_loss(world: World, recommendation: Recommendation, judge: Judge) -> Option | None:
    """As many hosts again in another zone (N+1 for one host), judged with the fuller zone gone."""
    chosen = recommendation.recommended
    if chosen is None or world.survive_zone_loss:
        return None
    doubled = with_counts(world.only({chosen.candidate.key}), lambda count: 2 * count, survive_zone_loss=True)
    return _option("zone_loss", judge(doubled), chosen, "a second zone, and a service that runs in several copies")


def _more_hosts(world: World, recommendation: Recommendation, judge: Judge) -> Option | None:
    """One host more of each type: where a vCPU is short, two small hosts may be cheaper than a large one."""
    chosen = recommendation.recommended
    verdicts = recommendation.verdicts
    smaller = [v.candidate.key for v in verdicts if not v.fits and (chosen is None or (v.monthly_usd or 0) < (chosen.monthly_usd or 0))]
    if not smaller or world.survive_zone_loss:
        return None
    found = _option(
        "more_hosts", judge(with_counts(world.only(smaller), lambda count: count + 1)), chosen,
        "a service that runs in several copies; one more volume and address, not counted here",
    )  # fmt: skip
    return found if found is not None and (chosen is None or found.adds_monthly_usd < 0) else None


def with_counts(world: World, count: Callable[[int], int], *, survive_zone_loss: bool = False) -> World:
    """The same worlds with other numbers of hosts."""
    changed = [_times(c, count(c.count)) for c in world.candidates]
    left = hosts_left(changed, survive_zone_loss)
    return replace(world, candidates=changed, hosts_left=left, survive_zone_loss=survive_zone_loss)


def _times(candidate: Candidate, count: int) -> Candidate:
    monthly = candidate.on_demand_monthly_usd
    return replace(candidate, count=count, on_demand_monthly_usd=None if monthly is None else monthly / candidate.count * count)


def _option(code: str, verdicts: Sequence[Verdict], chosen: Verdict | None, needs: str) -> Option | None:
    fitting = next((v for v in verdicts if v.fits and v.monthly_usd is not None), None)
    if fitting is None or fitting.monthly_usd is None:
        return None
    before = chosen.monthly_usd if chosen is not None and chosen.monthly_usd is not None else Decimal(0)
    return Option(code, fitting, fitting.monthly_usd - before, needs)  # type: ignore[arg-type]  # a code of those above


def shared_host(first: World, second: World, chosen: Sequence[Recommendation], judge: Judge, confidence: float) -> Option | None:
    """Both classes on one host, judged as each sees it; only where that holds for both together and is cheaper than one each."""
    each = [r.recommended for r in chosen]
    if any(v is None or v.monthly_usd is None for v in each) or any(c.count != 1 for c in [*first.candidates, *second.candidates]):
        return None
    if first.measured_on is None or second.measured_on is None or first.measured_on.family != second.measured_on.family:
        return None
    seen = {v.candidate.key: v for v in judge(beside(second, first))}
    both = [_both(v, seen[v.candidate.key], confidence) for v in judge(beside(first, second)) if v.candidate.key in seen]
    found = _option("shared_host", both, None, "both deployed to one host: they share its vCPUs, and a lost host is both")
    apart = sum((v.monthly_usd for v in each if v is not None and v.monthly_usd is not None), Decimal(0))
    return None if found is None or found.adds_monthly_usd >= apart else replace(found, adds_monthly_usd=found.adds_monthly_usd - apart)


def beside(own: World, other: World) -> World:
    """One class's view of a host that it shares: what the other takes is work, background and memory that isn't its own."""
    a, b = own.model, other.model
    sent = sum(m.bytes_per_request * float(m.per_external.sum()) for m in (a, b)) / max(float(a.per_external.sum()), 1e-12)
    model = replace(
        a, background_cores_draws=a.background_cores_draws + b.background_cores_draws, memory=_memory(own, other), bytes_per_request=sent
    )
    shared = [replace(c, placement="shared") for c in own.candidates]
    deploy = "blue_green" if "blue_green" in (own.deploy, other.deploy) else own.deploy
    return replace(own, model=model, candidates=shared, work_draws=own.work_draws + other.work_draws, deploy=deploy)


def _memory(own: World, other: World) -> list[MemoryPart]:
    """Both classes' groups, and what a host holds once, once; a group doubles only where its own class deploys so."""
    return [
        replace(part, doubled=part.doubled and world.deploy == "blue_green")
        for world in (own, other)
        for part in world.model.memory
        if part.group not in ONCE or world is own
    ]


def _both(one: Verdict, other: Verdict, confidence: float) -> Verdict:
    """The less likely of the two views, with the chance that both hold."""
    if one.fits is None or other.fits is None or one.holds is None or other.holds is None:
        return replace(one, fits=None, probability=None, probability_se=None)
    holds = one.holds & other.holds
    chance = float(holds.mean())
    less = min(one, other, key=lambda v: v.probability or 0.0)
    fits = chance >= confidence
    return replace(less, holds=holds, probability=chance, probability_se=sampling_se(chance, holds.size), fits=fits)
