"""The whole way from runs to an answer: gather → fit → traffic → judge → decide → levers, for every host class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalogue import Catalogue
from evidence import Reason, Run, Warn
from sizing import doubts
from sizing.decide.decide import worst
from sizing.decide.measure import merged, next_steps, step
from sizing.decide.options import shared_host
from sizing.document import estimate, host_json, objective_json, option_json
from sizing.host import Asked, HostAnswer, answer_host
from sizing.model.gather import gather
from sizing.money import GateEvidence, run_reasons
from sizing.quality import run_evidence
from sizing.question import Question, Stated, choose_traffic, class_names, latency_limits, target_groups, with_defaults
from sizing.settings import Objective, Policy
from sizing.types import Evidence, Traffic
from sizing.verdicts import Option

__all__ = ["Answer", "HostAnswer", "Question", "Stated", "recommend"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What `recommend` found; `as_json` is the body of `sizeup.recommend/1`."""

    verdict: str
    policy: Policy
    objectives: tuple[Objective, ...]
    traffic: Traffic
    timezone: str
    hosts: Sequence[HostAnswer]
    shared: Option | None
    reasons: Sequence[Reason]
    unknowns: Sequence[Mapping[str, str]]
    warnings: Sequence[Warn]
    synthetic: bool

    def host(self, name: str) -> HostAnswer:
        return next(h for h in self.hosts if h.recommendation.host_class == name)

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "policy": {
                "confidence": self.policy.confidence,
                "survive_zone_loss": self.policy.survive_zone_loss,
                "objectives": [objective_json(o) for o in self.objectives],
            },
            "traffic": {
                "source": self.traffic.source,
                "timezone": self.timezone,
                "peak_per_s": estimate(self.traffic.peak_draws).as_json(),
                "growth_ratio_per_year": self.traffic.growth_ratio_per_year,
                "history_days": self.traffic.history_days,
            },
            "hosts": [host_json(h.recommendation, h.model, h.evidence) for h in self.hosts],
            "shared_host": None if self.shared is None else option_json(self.shared),
            "evidence": [{k: v for k, v in r.as_json().items() if k != "lift"} for r in self.reasons],
            "next": merged([step for h in self.hosts for step in h.recommendation.next]),
        }


def recommend(runs: Sequence[Run], stated: Stated, catalogue: Catalogue, question: Question, *, timezone: str = "UTC") -> Answer:
    """Answer for every host class of the runs which type to run, why, and what would make a cheaper one fit.

    Parameters
    ----------
    runs : Sequence[Run]
        Opened runs, the newest first.
    stated : Stated
        Policy, objectives, traffic and host classes, as sizeup.toml states them.
    timezone : str
        Whose days and hours a history is read by.

    Raises
    ------
    SizeupError
        Where a named class or type is not known.
    """
    # What is collected from production has no hosts of its own: it says how much comes, a load run what that costs.
    # Where none has, the one of which CloudWatch told the most leads.
    told = sorted(runs, key=lambda r: int((r.metrics["metric"] == "CPUUtilization").sum()), reverse=True)
    loaded = [r for r in runs if r.hosts.height] or told
    policy = stated.policy if question.confidence is None else stated.policy.model_copy(update={"confidence": question.confidence})
    objectives = with_defaults(stated.objective)
    evidence = _gathered(loaded, stated, question, objectives)
    traffic, warned = choose_traffic(stated, question, next(iter(evidence.values())), runs, timezone)
    asked = Asked(loaded[0], stated, question, policy, objectives, catalogue, traffic)
    answers = [answer_host(name, found, asked) for name, found in evidence.items()]
    seen = run_evidence([(a.evidence, a.recommendation) for a in answers], float(np.median(traffic.peak_draws)), traffic.history_days)
    reasons = run_reasons(GateEvidence(**seen), stated.gate)
    finished = [_with_next(a, asked, {r.code: r.ok for r in reasons}) for a in answers]
    return Answer(
        verdict=worst([a.recommendation.verdict for a in finished]),
        policy=policy,
        objectives=objectives,
        traffic=traffic,
        timezone=timezone,
        hosts=finished,
        shared=_shared(finished, asked),
        reasons=reasons,
        unknowns=doubts.unknowns(finished),
        warnings=(*warned, *doubts.left_out(loaded), *doubts.judged_wider(objectives), *doubts.warnings(finished)),
        synthetic=any(r.synthetic for r in runs),
    )


def _gathered(loaded: Sequence[Run], stated: Stated, question: Question, objectives: Sequence[Objective]) -> dict[str, Evidence]:
    """The evidence of each class that was asked for."""
    limit_s = next((limit for _, limit in latency_limits(objectives)), 0.5)
    groups = target_groups(loaded[0], stated)
    names = question.classes or class_names(loaded[0])
    return {name: gather(loaded, name, target_groups=groups, latency_limit_s=limit_s) for name in names}


def _with_next(answer: HostAnswer, asked: Asked, codes: Mapping[str, bool | None]) -> HostAnswer:
    """The answer with what to measure next."""
    found = answer.recommendation
    if answer.world is None:
        steps = [step("sizeup load staging --plan steps", "no valid window was measured", "unknown")]
    else:
        steps = next_steps(answer.world, answer.evidence, found, asked.judged, codes)
    return replace(answer, recommendation=replace(found, next=tuple(steps)))


def _shared(answers: Sequence[HostAnswer], asked: Asked) -> Option | None:
    """Two classes of one host each on one host, where that is cheaper."""
    if len(answers) != 2 or any(a.world is None for a in answers):
        return None
    first, second = (a.world for a in answers if a.world is not None)
    return shared_host(first, second, [a.recommendation for a in answers], asked.judged, asked.policy.confidence)
