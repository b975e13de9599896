"""Every constraint on common sampled worlds, so that the chance that all of them hold is honest."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from sizing.constraints import constraints
from sizing.constraints.credits import earned_credits, spent_credits
from sizing.decide.candidates import MONTH_H
from sizing.model.credits import surplus_charged
from sizing.types import F8, Bools, Bound, Candidate, Verdict, World

CENT = Decimal("0.01")


def judge(world: World, *, confidence: float, free_tier: str = "unknown") -> list[Verdict]:
    """Judge every candidate; cheapest first (ties: standard before unlimited, then by name)."""
    oks: list[Bools] = []
    bounds: list[list[Bound]] = [[] for _ in world.candidates]
    for name, constraint in constraints().items():
        if not constraint.applies(world):
            continue
        need, have = np.broadcast_to(constraint.need(world), world.size), np.broadcast_to(constraint.have(world), world.size)
        ok = need <= have if constraint.excused is None else (need <= have) | constraint.excused(world)
        oks.append(ok)
        at_confidence, lo, mid, hi = np.quantile(need, [confidence, 0.05, 0.5, 0.95], axis=1)
        for row, kept in enumerate(bounds):
            if not np.isfinite(need[row]).all():
                kept.append(Bound(name, None, None, constraint.unit, None, None))
            elif np.isfinite(have[row, 0]):
                chance = float(ok[row].mean())
                width = float((hi[row] - lo[row]) / mid[row]) if mid[row] > 0 else 0.0
                kept.append(
                    Bound(name, float(at_confidence[row]), float(have[row, 0]), constraint.unit, chance, chance >= confidence, width)
                )
    every: Bools = np.all(oks, axis=0)
    surplus = surplus_monthly_credits(world)
    verdicts = [
        _verdict(world, row, bounds[row], every[row], float(surplus[row].mean()), confidence, free_tier) for row in range(len(bounds))
    ]
    return dominate(sorted(verdicts, key=_by_cost))


def surplus_monthly_credits(world: World) -> F8:
    """Surplus credits charged in a month of 730 hours to each candidate, shape (C, S); 0 but in unlimited mode."""
    spent, earned = spent_credits(world), earned_credits(world)
    unlimited = np.array([[c.credit_mode == "unlimited"] for c in world.candidates])
    counts = np.array([[float(c.count)] for c in world.candidates])
    if spent.shape[0] == 1:
        charged = np.maximum(spent[0] - earned, 0.0)
    else:
        charged = surplus_charged(
            spent, earned, np.array([[c.instance.burst.cap_credits if c.instance.burst else 0.0] for c in world.candidates])
        )
    monthly: F8 = charged * unlimited * counts * (MONTH_H * 3600 / (world.traffic.step_s * spent.shape[0]))
    return monthly


def _verdict(world: World, row: int, bounds: list[Bound], every: Bools, surplus: float, confidence: float, free_tier: str) -> Verdict:
    candidate = world.candidates[row]
    chance = float(every.mean())
    monthly = _monthly_usd(candidate, surplus)
    unjudged: list[Bound] = []
    if world.model.measured_arch not in (None, candidate.instance.arch):
        unjudged.append(Bound("arch_unmeasured", None, None, "arch", None, None))
    if monthly is None:
        unjudged.append(Bound("price_missing", None, None, "usd", None, None))
    unknown = bool(unjudged) or any(b.ok is None for b in bounds)
    fits = None if unknown else chance >= confidence
    measured = candidate.instance.family == world.model.measured_family
    speed = "measured" if measured else ("benchmark" if np.isfinite(world.speed_draws[row]).all() else "none")
    return Verdict(
        candidate,
        monthly,
        free_tier_usd(candidate, monthly, surplus, free_tier),
        (*bounds, *unjudged),
        None if unknown else chance,
        fits,
        speed,  # type: ignore[arg-type]  # one of the three words above
    )


def _monthly_usd(candidate: Candidate, surplus_credits: float) -> Decimal | None:
    if candidate.on_demand_monthly_usd is None:
        return None
    if candidate.credit_mode != "unlimited":
        return candidate.on_demand_monthly_usd.quantize(CENT)
    if candidate.surplus_usd_per_credit is None or not np.isfinite(surplus_credits):
        return None
    return (candidate.on_demand_monthly_usd + Decimal(repr(surplus_credits)) * candidate.surplus_usd_per_credit).quantize(CENT)


def free_tier_usd(candidate: Candidate, monthly: Decimal | None, surplus_credits: float, free_tier: str) -> Decimal | None:
    """What is left to pay under a legacy free tier: 750 hours a month of t2.micro, all instances together.

    Source: AWS Free Tier for accounts opened before 2025-07-15. None where the account's kind is not known.
    """
    if monthly is None or free_tier == "unknown":
        return None
    if free_tier != "legacy" or candidate.type != "t2.micro" or candidate.on_demand_monthly_usd is None:
        return monthly
    free = candidate.on_demand_monthly_usd / candidate.count
    return max(monthly - free.quantize(CENT), Decimal(0))


def _by_cost(verdict: Verdict) -> tuple[bool, Decimal, bool, str]:
    candidate = verdict.candidate
    return (verdict.monthly_usd is None, verdict.monthly_usd or Decimal(0), candidate.credit_mode == "unlimited", candidate.type)


def dominate(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Say of each candidate which fitting one is no dearer and at least as large in everything (CONTRACT section 2)."""
    from dataclasses import replace

    # Named first: one whose speed was measured, then the cheapest.
    fitting = sorted((v for v in verdicts if v.fits), key=lambda v: v.speed != "measured")
    return [replace(v, dominated_by=next((x.candidate.type for x in fitting if _dominates(x, v)), None)) for v in verdicts]


def _dominates(x: Verdict, v: Verdict) -> bool:
    a, b = x.candidate.instance, v.candidate.instance
    if a.name == b.name or a.arch != b.arch or x.monthly_usd is None or v.monthly_usd is None or x.monthly_usd > v.monthly_usd:
        return False
    # Where the free tier pays for it, a dearer list price isn't dearer.
    if v.monthly_usd_free_tier is not None and x.monthly_usd_free_tier is not None and x.monthly_usd_free_tier > v.monthly_usd_free_tier:
        return False
    credits_a, credits_b = (i.burst.credits_per_h if i.burst else float("inf") for i in (a, b))
    network_a, network_b = (i.network_baseline_bit_per_s or 0.0 for i in (a, b))
    return a.vcpus >= b.vcpus and credits_a >= credits_b and a.memory_bytes >= b.memory_bytes and network_a >= network_b
