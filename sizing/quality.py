"""What the runs behind an answer are worth: how long, how high, how steady, with which memory read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sizing.types import Evidence
from sizing.verdicts import Recommendation


def run_evidence(hosts: Sequence[tuple[Evidence, Recommendation]], peak_per_s: float, history_days: float) -> Mapping[str, Any]:
    """Return the fields of `sizing.money.GateEvidence` that the runs alone answer, whatever is bought."""
    first = hosts[0][0]
    deploying = [(e, r) for e, r in hosts if r.deploy != "none"]
    shifts = [s for e, _ in hosts if (s := instability(e)) is not None]
    widths = [r.width_ratio for _, r in hosts if r.width_ratio is not None]
    return {
        "runs": len(first.runs),
        "synthetic": first.synthetic,
        "valid_minutes": sum(w.seconds for w in first.windows if w.valid and w.kind == "steady") / 60.0,
        "history_days": history_days,
        "highest_valid_per_s": first.highest_external_per_s,
        "peak_per_s": peak_per_s or None,
        "deployments": min((e.deployments for e, _ in deploying), default=0),
        "deploy": deploying[0][1].deploy if deploying else "none",
        "memory_ratio": min(memory_share(e) for e, _ in hosts),
        "interval_ratio": max(widths, default=None),
        "instability_ratio": max(shifts, default=None),
    }


def memory_share(evidence: Evidence) -> float:
    """Share of the steady windows' samples in which a group's PSS (or live heap) was read or followed, 0 to 1."""
    steady = evidence.memory.filter(evidence.memory["kind"] == "steady")
    return float((steady["basis"] == "pss").sum()) / steady.height if steady.height else 0.0


def instability(evidence: Evidence) -> float | None:
    """Demand of the first half of each window's bins against the second's, relative; None with under eight bins."""
    if len(evidence.cpu_s) < 8:
        return None
    late = np.zeros(len(evidence.cpu_s), dtype=bool)
    for block in np.unique(evidence.blocks):
        rows = np.flatnonzero(evidence.blocks == block)
        late[rows[len(rows) // 2 :]] = True
    arrivals = evidence.counts.sum(axis=1)
    first, second = (evidence.cpu_s[m].sum() / max(arrivals[m].sum(), 1e-12) for m in (~late, late))
    return float(abs(first - second) / max(first, 1e-12))
