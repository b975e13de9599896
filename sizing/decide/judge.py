"""Every constraint on common sampled worlds, so that the chance that all of them hold is honest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from sizing.constraints import Constraint, constraints
from sizing.constraints.credits import surplus_monthly_credits
from sizing.decide.candidates import MONTH_H
from sizing.types import F8, Bools, Candidate, World
from sizing.verdicts import Bound, Verdict

CENT = Decimal("0.01")


def judge(world: World, *, confidence: float, free_tier: str = "unknown") -> list[Verdict]:
    """Judge every candidate; cheapest first (ties: standard before unlimited, then by name)."""
    every: Bools = np.ones(world.size, dtype=bool)
    bounds: list[list[Bound]] = [[] for _ in world.candidates]
    for name, constraint in constraints().items():
        if not constraint.applies(world):
            continue
        need, have = constraint.need(world), constraint.have(world)
        ok = need <= have if constraint.excused is None else (need <= have) | constraint.excused(world)
        every &= ok
        for kept, bound in zip(bounds, _bounds(name, constraint, need, have, ok, confidence, len(bounds)), strict=True):
            kept += [] if bound is None else [bound]
    surplus = surplus_monthly_credits(world, MONTH_H).mean(axis=1)
    verdicts = [_verdict(world, row, bounds[row], every[row], float(surplus[row]), confidence, free_tier) for row in range(len(bounds))]
    return dominate(sorted(verdicts, key=_by_cost))


def _bounds(name: str, constraint: Constraint, need: F8, have: F8, ok: Bools, confidence: float, rows: int) -> Iterator[Bound | None]:
    """One constraint of each candidate; None where nothing bounds it, so that it says nothing."""
    finite, chance = np.isfinite(need).all(axis=1), ok.mean(axis=1)
    at_confidence, lo, mid, hi = np.quantile(need, [confidence, 0.05, 0.5, 0.95], axis=1)
    width = (hi - lo) / np.where(mid > 0, mid, np.inf)
    for told, need_at, wide, limit, share in zip(
        *(np.broadcast_to(v, rows).tolist() for v in (finite, at_confidence, width, have[:, 0], chance)), strict=True
    ):
        if not told:
            yield Bound(name, None, None, constraint.unit, None, None)
        elif np.isfinite(limit):
            yield Bound(name, need_at, limit, constraint.unit, share, share >= confidence, wide)
        else:
            yield None


def _verdict(world: World, row: int, bounds: list[Bound], every: Bools, surplus: float, confidence: float, free_tier: str) -> Verdict:
    candidate = world.candidates[row]
    chance = float(every.mean())
    monthly = _monthly_usd(candidate, surplus)
    unjudged: list[Bound] = []
    # Where nobody knows which type was measured, it stands for x86-64: an arm64 must never be advised by default.
    if (world.model.measured_arch or "x86_64") != candidate.instance.arch:
        unjudged.append(Bound("arch_unmeasured", None, None, "arch", None, None))
    if monthly is None:
        unjudged.append(Bound("price_missing", None, None, "usd", None, None))
    unknown = bool(unjudged) or any(b.ok is None for b in bounds)
    fits = None if unknown else chance >= confidence
    measured = candidate.instance.family == world.model.measured_family
    compared = world.measured_on is not None and np.isfinite(world.speed_draws[row]).all()
    speed = "measured" if measured else ("benchmark" if compared else "none")
    return Verdict(
        candidate,
        monthly,
        free_tier_usd(candidate, monthly, surplus, free_tier),
        (*bounds, *unjudged),
        None if unknown else chance,
        fits,
        speed,  # type: ignore[arg-type]  # one of the three words above
        probability_se=None if unknown else sampling_se(chance, every.size),
        holds=every,
    )


def priced_alone(candidate: Candidate, free_tier: str = "unknown") -> Verdict:
    """A candidate of which only the price is known; surplus credits come on top in unlimited mode, so that isn't either."""
    monthly = _monthly_usd(candidate, math.nan)
    return Verdict(candidate, monthly, free_tier_usd(candidate, monthly, 0.0, free_tier), (), None, None, "measured")


def sampling_se(chance: float, worlds: int) -> float:
    """Return the standard error of a share of sampled worlds; with Jeffreys' half added, since 0 of 1,024 is no certainty."""
    share = (chance * worlds + 0.5) / (worlds + 1)
    return math.sqrt(share * (1 - share) / worlds)


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
    """Say of each candidate which fitting one is no dearer and at least as large in everything (docs/reference/json.md)."""
    # Named first: one whose speed was measured, then the cheapest.
    fitting = sorted((v for v in verdicts if v.fits and v.monthly_usd is not None), key=lambda v: v.speed != "measured")
    if not fitting:
        return list(verdicts)
    ours, theirs = _sizes(fitting), _sizes(verdicts)
    names = np.array([v.candidate.type for v in fitting])
    # All at once: of a region's thousand types a pair at a time takes a second.
    larger = np.all([a[:, None] >= b[None, :] for a, b in zip(ours, theirs, strict=True)], axis=0)
    arch = np.array([v.candidate.instance.arch for v in fitting])[:, None] == [v.candidate.instance.arch for v in verdicts]
    free = [np.array([_cents(v.monthly_usd_free_tier) for v in row]) for row in (fitting, verdicts)]
    # Where the free tier pays for it, a dearer list price isn't dearer.
    paid_for = free[0][:, None] > free[1][None, :]
    other = names[:, None] != [v.candidate.type for v in verdicts]
    over = larger & arch & other & ~paid_for
    return [replace(v, dominated_by=str(names[over[:, k].argmax()]) if over[:, k].any() else None) for k, v in enumerate(verdicts)]


def _sizes(verdicts: Sequence[Verdict]) -> list[F8]:
    """Cheapness, vCPUs, credits an hour, memory and network of each."""
    types = [v.candidate.instance for v in verdicts]
    return [
        np.array([-_cents(v.monthly_usd) for v in verdicts]),
        np.array([float(i.vcpus) for i in types]),
        np.array([i.burst.credits_per_h if i.burst else np.inf for i in types], dtype=float),
        np.array([float(i.memory_bytes) for i in types]),
        np.array([i.network_baseline_bit_per_s or 0.0 for i in types], dtype=float),
    ]


def _cents(usd: Decimal | None) -> float:
    """Whole cents are exact in a float; no price compares with none."""
    return float("nan") if usd is None else float(usd * 100)
