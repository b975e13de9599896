"""What would let a cheaper candidate fit: the same judgement again with one thing changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from sizing.jvm import JvmMemory, collector_bytes, held_when_capped_bytes
from sizing.types import MemoryPart, World
from sizing.verdicts import Lever, Recommendation, Verdict

Judge = Callable[[World], list[Verdict]]


def levers(world: World, recommendation: Recommendation, judge: Judge) -> list[Lever]:
    """Return each lever that lets something cheaper fit (where nothing fits, anything at all); the largest saving first."""
    found = [
        _stop_first(world, recommendation, judge),
        _cap_heap(world, recommendation, judge),
        _serial_collector(world, recommendation, judge),
        _unlimited(recommendation),
        _measure_arm64(recommendation),
    ]
    return sorted((lever for lever in found if lever is not None), key=lambda lever: -lever.saves_monthly_usd)


def _stop_first(world: World, recommendation: Recommendation, judge: Judge) -> Lever | None:
    if world.deploy != "blue_green" or not any(part.doubled for part in world.model.memory):
        return None
    detail, needs = "stop the old copy before the new one starts", "seconds without service at each deployment"
    return _tried("stop_first", detail, needs, recommendation, judge(replace(world, deploy="stop_first")))


def _cap_heap(world: World, recommendation: Recommendation, judge: Judge) -> Lever | None:
    detail, needs = "cap the heap at twice its live set (-Xmx)", "one run under load with the new cap"
    changed = with_jvms(world, _capped)
    return None if changed is None else _tried("cap_heap", detail, needs, recommendation, judge(changed))


def _serial_collector(world: World, recommendation: Recommendation, judge: Judge) -> Lever | None:
    """What G1 keeps beside its heap goes; only a server-class host has any: elsewhere a JVM takes Serial by itself."""
    detail, needs = "take the serial collector (-XX:+UseSerialGC)", "one run under load: its pauses are longer"
    changed = with_jvms(world, _serial)
    return None if changed is None else _tried("serial_collector", detail, needs, recommendation, judge(changed))


def with_jvms(world: World, change: Callable[[MemoryPart, JvmMemory], MemoryPart]) -> World | None:
    """The same worlds with every JVM changed; None where that changes none."""
    memory = [part if part.jvm is None else change(part, part.jvm) for part in world.model.memory]
    if all(after is before for after, before in zip(memory, world.model.memory, strict=True)):
        return None
    return replace(world, model=replace(world.model, memory=memory))


def _capped(part: MemoryPart, jvm: JvmMemory) -> MemoryPart:
    held = int(np.median(part.bytes_draws))
    capped = held_when_capped_bytes(held, jvm)
    # A capped heap follows no host, so nothing more is taken off elsewhere.
    return part if capped is None or capped >= held else replace(part, bytes_draws=part.bytes_draws - (held - capped), jvm=None)


def _serial(part: MemoryPart, jvm: JvmMemory) -> MemoryPart:
    freed = collector_bytes(jvm)
    return replace(part, bytes_draws=part.bytes_draws - freed, jvm=replace(jvm, gc="Serial")) if freed else part


def _tried(code: str, detail: str, needs: str, recommendation: Recommendation, verdicts: Sequence[Verdict]) -> Lever | None:
    found = next((v for v in verdicts if v.fits), None)
    saving = _saving(recommendation, found)
    if found is None or saving is None:
        return None
    return Lever(code, detail, found.candidate.type, saving, needs)  # type: ignore[arg-type]  # a code of those above


def _saving(recommendation: Recommendation, other: Verdict | None) -> Decimal | None:
    """What `other` saves a month against the recommended, or the present where nothing fits; None where it saves nothing."""
    base = recommendation.recommended or recommendation.present
    if other is None or other.monthly_usd is None:
        return None
    if base is None or base.monthly_usd is None:
        return Decimal(0)
    saving = base.monthly_usd - other.monthly_usd
    return saving if saving > 0 or recommendation.recommended is None else None


def _unlimited(recommendation: Recommendation) -> Lever | None:
    """What is recommended pays for surplus credits: what that saves against the cheapest that fits and never pays any."""
    best = recommendation.recommended
    if best is None or best.monthly_usd is None or best.candidate.credit_mode != "unlimited":
        return None
    without = next((v for v in recommendation.verdicts if v.fits and v.candidate.credit_mode != "unlimited"), None)
    saving = Decimal(0) if without is None or without.monthly_usd is None else without.monthly_usd - best.monthly_usd
    detail = "pay for surplus credits instead of being throttled"
    return Lever("unlimited", detail, best.candidate.type, saving, "modify-instance-credit-specification; no restart")


def _measure_arm64(recommendation: Recommendation) -> Lever | None:
    """A cheaper type of the other architecture whose every judged constraint holds at the benchmarks' speed."""
    for verdict in recommendation.verdicts:
        if verdict.fits is None and verdict.bound("arch_unmeasured") and all(b.ok for b in verdict.bounds if b.ok is not None):
            saving = _saving(recommendation, verdict)
            if saving is not None:
                arch = verdict.candidate.instance.arch
                needs = f"a build for {arch} and one run on {verdict.candidate.type}"
                return Lever("measure_arm64", f"measure the service on {arch}", verdict.candidate.type, saving, needs)
    return None
