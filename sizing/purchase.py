"""What an answer says about a purchase: which hosts would use it, and what the gate wants to know of the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from catalogue import family_of, size_units
from sizing.answer import Answer, HostAnswer
from sizing.money import Buy, GateEvidence, Usage
from sizing.money.demand import Future
from sizing.quality import run_evidence
from sizing.verdicts import Verdict


def usage(answer: Answer) -> list[Usage]:
    """Return the hosts that the answer recommends, as reservations would cover them."""
    chosen = [(h.recommendation.host_class, h.recommendation.recommended) for h in answer.hosts]
    return [Usage(name, v.candidate.type, v.candidate.count) for name, v in chosen if v is not None]


def gate_evidence(answer: Answer, buy: Buy, *, free_months_left: float | None) -> GateEvidence:
    """Collect what the gate tests of the runs behind an answer; None stands for what isn't known."""
    hosts = [(h.evidence, h.recommendation) for h in answer.hosts]
    seen = run_evidence(hosts, float(np.median(answer.traffic.peak_draws)), answer.traffic.history_days)
    bought_for = _class_of(answer, buy)
    return GateEvidence(
        **{**seen, "interval_ratio": _interval(bought_for), "units_used": _units_used(answer, family_of(buy.type))},
        lever_saving_monthly_usd=_pending(answer.hosts, buy.type), free_months_left=free_months_left,
    )  # fmt: skip


def _class_of(answer: Answer, buy: Buy) -> HostAnswer | None:
    """The class that the bought type is for: the one it is recommended for, else one that runs on it, else of its family."""
    for told in (_recommended, _present):
        for same in (lambda name: name == buy.type, lambda name: family_of(name) == family_of(buy.type)):
            found = next((h for h in answer.hosts if (name := told(h)) is not None and same(name)), None)
            if found is not None:
                return found
    return None


def _recommended(host: HostAnswer) -> str | None:
    verdict = host.recommendation.recommended
    return None if verdict is None else verdict.candidate.type


def _present(host: HostAnswer) -> str | None:
    verdict = host.recommendation.present
    return None if verdict is None else verdict.candidate.type


def _interval(host: HostAnswer | None) -> float | None:
    return None if host is None else host.recommendation.width_ratio


def _units_used(answer: Answer, family: str) -> Decimal | None:
    """Units of the family that the recommended hosts use, around the clock, so every hour is alike; None where none is recommended."""
    hosts = usage(answer)
    return sum((size_units(u.type) * u.count for u in hosts if family_of(u.type) == family), Decimal(0)) if hosts else None


def _pending(hosts: Sequence[HostAnswer], bought: str) -> Decimal:
    """The most that an untried lever saves which lets a smaller size than the bought one fit."""
    levers = [v for h in hosts for v in h.recommendation.levers if size_units(v.type) < size_units(bought)]
    return max((v.saves_monthly_usd for v in levers), default=Decimal(0))


def futures(answer: Answer, beside: Sequence[Usage] = ()) -> list[Future]:
    """What may run: the recommended hosts as likely as they hold, else the next dearer that holds in more worlds.

    Parameters
    ----------
    beside : sequence
        What runs in any case: databases and caches.
    """
    found = [Future(1.0, tuple(beside))]
    for host in answer.hosts:
        told = _either(host)
        found = [Future(f.probability * p, (*f.usage, use)) for f in found for p, use in told] if told else found
    return [f for f in found if f.usage and f.probability > 0]


def _either(host: HostAnswer) -> list[tuple[float, Usage]]:
    chosen = host.recommendation.recommended
    if chosen is None:
        return []
    name, holds = host.recommendation.host_class, chosen.probability
    after = [v for v in host.recommendation.verdicts if v.monthly_usd is not None and _dearer(v, chosen) and _surer(v, chosen)]
    instead = min(after, key=lambda v: v.monthly_usd or Decimal(0), default=None)
    first = Usage(name, chosen.candidate.type, chosen.candidate.count)
    if holds is None or instead is None:
        return [(1.0, first)]
    return [(holds, first), (1.0 - holds, Usage(name, instead.candidate.type, instead.candidate.count))]


def _dearer(verdict: Verdict, chosen: Verdict) -> bool:
    return (verdict.monthly_usd or Decimal(0)) > (chosen.monthly_usd or Decimal(0))


def _surer(verdict: Verdict, chosen: Verdict) -> bool:
    return (verdict.probability or 0.0) > (chosen.probability or 0.0)
