"""An answer's parts as the reference's JSON: plain values, money as strings, an estimate with its interval."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from evidence import Estimate
from sizing.constraints.latency import GIVEN_UP_S
from sizing.decide.shortlist import TOLERANCE_RATIO, Simulated
from sizing.model.memory import need_bytes
from sizing.settings import Objective
from sizing.types import F8, DiskUse, Evidence, HostModel
from sizing.verdicts import Bound, Option, Recommendation, Regret, Verdict


def estimate(draws: F8, level: float = 0.9) -> Estimate:
    """Median and central interval of draws."""
    lo, mid, hi = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return Estimate(float(mid), float(lo), float(hi), level)


def objective_json(o: Objective) -> dict[str, Any]:
    if o.name == "latency":
        return {"name": o.name, "request": o.request, "quantile": o.quantile, "at": o.at, "limit": o.limit_s, "unit": "s"}
    return {"name": o.name, "request": o.request, "quantile": None, "at": o.at, "limit": o.limit_ratio, "unit": "ratio"}


def bound_json(b: Bound | None) -> dict[str, Any] | None:
    if b is None:
        return None
    return {
        "constraint": b.constraint,
        "need": b.need,
        "have": b.have,
        "unit": b.unit,
        "margin_ratio": b.margin_ratio,
        "probability": b.probability,
        "ok": b.ok,
    }


def verdict_json(v: Verdict | None) -> dict[str, Any] | None:
    """Write a candidate as the reference's C."""
    if v is None:
        return None
    c = v.candidate
    return {
        "type": c.type,
        "count": c.count,
        "placement": c.placement,
        "arch": c.instance.arch,
        "credit_mode": c.credit_mode,
        "monthly_usd": None if v.monthly_usd is None else str(v.monthly_usd),
        "monthly_usd_free_tier": None if v.monthly_usd_free_tier is None else str(v.monthly_usd_free_tier),
        "fits": v.fits,
        "probability": v.probability,
        "probability_se": v.probability_se,
        "speed": v.speed,
        "dominated_by": v.dominated_by,
        "constraints": [bound_json(b) for b in v.bounds],
    }


def host_json(r: Recommendation, m: HostModel | None, evidence: Evidence) -> dict[str, Any]:
    """Write one host class as the reference's hosts[]."""
    return {
        "class": r.host_class,
        "deploy": r.deploy,
        "verdict": r.verdict,
        "present": verdict_json(r.present),
        "recommended": verdict_json(r.recommended),
        "binding": bound_json(r.binding),
        "demand": []
        if m is None
        else [
            {"request": name, "cpu_s": estimate(draws).as_json(), "merged_with": list(others)}
            for name, draws, others in zip(m.names, _counted(m)[0], m.merged, strict=True)
        ],
        "demand_change": bend_json(m),
        "background_cores": None if m is None else estimate(_counted(m)[1]).as_json(),
        "excluded_ratio": evidence.excluded_ratio,
        "memory": None if m is None else memory_json(m, r.deploy),
        "disk": None if m is None or m.disk is None else disk_json(m.disk),
        "candidates": [verdict_json(v) for v in r.verdicts],
        "server": None if evidence.server is None else asdict(evidence.server),
        "latency": latency_json(r, m),
        "scalability": scalability_json(m),
        "regret": None if r.regret is None else regret_json(r.regret),
        "options": [option_json(o) for o in r.options],
        "levers": [
            {"code": v.code, "detail": v.detail, "type": v.type, "saves_monthly_usd": str(v.saves_monthly_usd), "needs": v.needs}
            for v in r.levers
        ],
    }


def _counted(m: HostModel) -> tuple[F8, F8]:
    """Demand and background as the kernel counted them, so that requests times demand is the CPU that a monitor shows."""
    if m.counted is None:
        return m.demand_s_draws, m.background_cores_draws
    return m.counted.demand_s_draws, m.counted.background_cores_draws / m.hosts


def bend_json(m: HostModel | None) -> dict[str, Any] | None:
    """Write how a request's cost changes from the lowest to the highest measured rate; None where it isn't seen to."""
    if m is None or m.bend is None:
        return None
    low, high = m.bend.lowest_per_s, m.bend.highest_per_s
    change = m.bend.ratio(np.array(high)) / m.bend.ratio(np.array(low))
    return {"from_per_s": low, "to_per_s": high, "ratio": estimate(change).as_json()}


def latency_json(r: Recommendation, m: HostModel | None) -> dict[str, Any] | None:
    """Write in which order the CPU serves, and how formula and simulation compare on the shortlist."""
    if m is None or m.response is None or m.choice is None:
        return None
    found = m.choice
    return {
        "discipline": found.discipline,
        "loops": found.loops,
        "decided_by": found.decided_by,
        "why": found.why,
        "tolerance_ratio": TOLERANCE_RATIO,
        "simulated": [_simulated_json(s) for s in r.simulated],
    }


def scalability_json(m: HostModel | None, level: float = 0.9) -> dict[str, Any] | None:
    """Write the scalability law of the measured host; no coefficient is below 0."""
    if m is None or m.scaling is None:
        return None
    law = m.scaling.law
    mids = {"rate_per_s": law.rate, "contention": law.contention, "coherency": law.coherency}
    about = dict(zip(("contention", "coherency", "rate_per_s"), law.interval(level).values(), strict=True))
    finite, limit = math.isfinite(law.peak), m.scaling.limit_per_s_draws
    return {
        **{name: Estimate(mid, max(about[name][0], 0.0), about[name][1], level).as_json() for name, mid in mids.items()},
        "steps": m.scaling.steps,
        "measured_concurrency": law.measured_to,
        "peak_concurrency": law.peak if finite else None,
        "peak_per_s": float(law.throughput(np.array(law.peak))) if finite else None,
        "extrapolated": law.extrapolates(law.peak),
        "limit_per_s": None if limit is None else estimate(limit).as_json(),
        "why": m.scaling.why,
    }


def _simulated_json(s: Simulated) -> dict[str, Any]:
    simulated = None if s.ratio is None else estimate(np.minimum(s.formula_s_draws * s.ratio, GIVEN_UP_S)).as_json()
    return {
        "type": s.candidate.type,
        "count": s.candidate.count,
        "credit_mode": s.candidate.credit_mode,
        "quantile": s.quantile,
        "formula_s": estimate(s.formula_s_draws).as_json(),
        "simulated_s": simulated,
        "ratio": s.ratio,
        "ratio_se": s.ratio_se,
        "throttled_ratio": s.throttled_ratio,
        "agrees": s.agrees,
        "why": s.why,
    }


def memory_json(m: HostModel, deploy: str) -> dict[str, Any] | None:
    need = need_bytes(m.memory, copies=deploy == "blue_green")
    if not np.isfinite(need).all():
        return None
    parts = [{"group": p.group, "bytes": estimate(p.bytes_draws).as_json(), "basis": p.basis, "source": p.source} for p in m.memory]
    grown = [p.growth_bytes_per_h_draws for p in m.memory if p.growth_bytes_per_h_draws is not None]
    growth = estimate(np.sum(grown, axis=0)).as_json() if grown else None
    return {"need_bytes": estimate(need).as_json(), "growth_bytes_per_h": growth, "parts": parts}


def disk_json(disk: DiskUse) -> dict[str, Any]:
    """Write what a host's disks move, read and written."""
    return {
        "bytes_per_arrival": estimate(disk.bytes_per_arrival_draws).as_json(),
        "background_bytes_per_s": estimate(disk.background_bytes_per_s_draws).as_json(),
    }


def regret_json(r: Regret) -> dict[str, Any]:
    return {
        "overpaid_monthly_usd": str(r.overpaid_monthly_usd),
        "probability": r.probability,
        "to": r.to,
        "monthly_usd": None if r.monthly_usd is None else str(r.monthly_usd),
    }


def option_json(o: Option) -> dict[str, Any]:
    return {"code": o.code, "candidate": verdict_json(o.verdict), "adds_monthly_usd": str(o.adds_monthly_usd), "needs": o.needs}
