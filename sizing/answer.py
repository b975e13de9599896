"""The whole way from runs to an answer: gather → fit → traffic → judge → decide → levers, for every host class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from catalogue import Catalogue
from evidence import Reason, Run, SizeupError, Unknown, Warn
from sizing.decide.candidates import candidates as all_candidates
from sizing.decide.candidates import of_type
from sizing.decide.decide import decide, unknown, worst
from sizing.decide.judge import judge as judge_world
from sizing.decide.levers import levers, next_steps
from sizing.decide.shortlist import simulate_shortlist
from sizing.decide.worlds import scenarios
from sizing.document import estimate, host_json, objective_json
from sizing.model.fit import WORLDS, fit
from sizing.model.gather import gather
from sizing.model.history import forecast_history, read_history
from sizing.model.streams import stream
from sizing.model.traffic import forecast, run_traffic
from sizing.money import GateEvidence, GateSettings, run_reasons
from sizing.quality import run_evidence
from sizing.settings import Account, HostClass, Objective, Policy, Pricing, TrafficSettings
from sizing.types import Bound, Candidate, Evidence, HostModel, Recommendation, Traffic, Verdict, World


class Stated(Protocol):
    """What a decision reads of the settings; sizeup.toml's own model has these and more."""

    @property
    def class_(self) -> Mapping[str, HostClass]: ...
    @property
    def traffic(self) -> TrafficSettings: ...
    @property
    def objective(self) -> tuple[Objective, ...]: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def account(self) -> Account: ...
    @property
    def pricing(self) -> Pricing: ...
    @property
    def gate(self) -> GateSettings: ...


@dataclass(frozen=True, slots=True)
class Question:
    """What `recommend` was asked, beyond the settings."""

    classes: Sequence[str] | None = None
    candidates: Sequence[str] | None = None
    all_types: bool = False
    confidence: float | None = None
    peak_per_s: tuple[float, float, float] | None = None
    seed: int = 0
    worlds: int = WORLDS


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """One host class: the recommendation, and what it was fitted from (None where nothing could be fitted)."""

    recommendation: Recommendation
    evidence: Evidence
    model: HostModel | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What `recommend` found; `as_json` is the body of `sizeup.recommend/1`."""

    verdict: str
    policy: Policy
    objectives: tuple[Objective, ...]
    traffic: Traffic
    timezone: str
    hosts: Sequence[HostAnswer]
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
            },
            "hosts": [host_json(h.recommendation, h.model, h.evidence) for h in self.hosts],
            "evidence": [{k: v for k, v in r.as_json().items() if k != "lift"} for r in self.reasons],
            "next": [step for h in self.hosts for step in h.recommendation.next],
        }


def recommend(runs: Sequence[Run], stated: Stated, catalogue: Catalogue, question: Question, *, timezone: str = "UTC") -> Answer:
    """Answer for every host class of the runs which type to run, why, and what would make a cheaper one fit.

    Parameters
    ----------
    runs : Sequence[Run]
        Opened runs, the newest first.
    stated : Stated
        Policy, objectives, traffic and host classes, as sizeup.toml states them.

    Raises
    ------
    SizeupError
        Where a named class or type is not known.
    """
    # What is collected from production has no hosts of its own: it says how much comes, a load run what that costs.
    loaded = [r for r in runs if r.hosts.height] or list(runs)
    run = loaded[0]
    policy = stated.policy if question.confidence is None else stated.policy.model_copy(update={"confidence": question.confidence})
    objectives = with_defaults(stated.objective)
    latency = [(o.quantile, o.limit_s) for o in objectives if o.name == "latency" and o.limit_s is not None]
    groups = target_groups(run, stated)
    evidence = {
        name: gather(loaded, name, target_groups=groups, latency_limit_s=latency[0][1] if latency else 0.5)
        for name in question.classes or class_names(run)
    }
    traffic, warnings = choose_traffic(stated, question, next(iter(evidence.values())), runs)
    answers = [_answer(name, e, run, stated, policy, objectives, catalogue, question, traffic) for name, e in evidence.items()]
    peak = float(np.median(traffic.peak_draws))
    seen = run_evidence([(a.evidence, a.recommendation) for a in answers], peak, 0.0)
    reasons = run_reasons(GateEvidence(**seen), stated.gate)
    codes = {r.code: r.ok for r in reasons}
    finished = [
        replace(a, recommendation=replace(a.recommendation, next=tuple(next_steps(a.recommendation, codes, peak)))) for a in answers
    ]
    return Answer(
        verdict=worst([a.recommendation.verdict for a in finished]),
        policy=policy,
        objectives=objectives,
        traffic=traffic,
        timezone=timezone,
        hosts=finished,
        reasons=reasons,
        unknowns=_unknowns(finished),
        warnings=(*warnings, *_warnings(finished)),
        synthetic=any(r.synthetic for r in runs),
    )


def with_defaults(stated: tuple[Objective, ...]) -> tuple[Objective, ...]:
    """Add the default error objective where only latency is stated; latency is never added to what a team leaves out."""
    names = {o.name for o in stated}
    return stated if "errors" in names else (*stated, Objective(name="errors", limit_ratio=0.01))


def class_names(run: Run) -> list[str]:
    """Host classes that the run sampled, in name order; where it sampled no host, those that its topology names.

    Raises
    ------
    SizeupError
        Where there is none.
    """
    named = [i["class"] for i in run.topology.get("instances", []) if i.get("class")]
    names = sorted(set(run.hosts["class"].to_list() or named))
    if not names:
        raise SizeupError(f"run {run.id}: hosts.parquet is empty, so there is nothing to size; load again with a sampler on the hosts.")
    return names


def target_groups(run: Run, stated: Stated) -> dict[str, str]:
    """Host class to target group: settings first, then what the topology says."""
    known = {g["class"]: g["name"] for g in run.topology.get("target_groups", []) if g.get("class")}
    return known | {name: c.target_group for name, c in stated.class_.items() if c.target_group}


def choose_traffic(stated: Stated, question: Question, evidence: Evidence, runs: Sequence[Run] = ()) -> tuple[Traffic, list[Warn]]:
    """Take the first that exists: --peak, a history among the runs, [traffic], the run itself (docs/reference/definitions.md)."""
    t = stated.traffic
    history = None if question.peak_per_s else next((h for r in runs if (h := read_history(r.metrics)) is not None), None)
    if history is not None:
        return forecast_history(history, n=question.worlds, rng=stream(question.seed, "traffic")), []
    peak = question.peak_per_s or t.peak_per_s
    if peak is not None:
        rng = stream(question.seed, "traffic")
        return forecast(peak, mean_per_s=t.mean_per_s, growth_ratio_per_year=t.growth_ratio_per_year, n=question.worlds, rng=rng), []
    highest = evidence.highest_external_per_s
    message = (
        f"No traffic is stated, so the run's highest valid rate ({highest:g}/s) stands for the peak; state it with --peak or [traffic]."
    )
    return run_traffic(highest, question.worlds), [Warn("traffic_from_run", message)]


def _class(stated: Stated, name: str) -> HostClass:
    return stated.class_.get(name, HostClass())


def present_candidate(run: Run, name: str, catalogue: Catalogue, discount_ratio: float = 0.0) -> Candidate | None:
    """The type that the class runs on today, by the run's topology; None where it isn't known or the class mixes types."""
    found = [i for i in run.topology.get("instances", []) if i.get("class") == name]
    if not found or len({i["type"] for i in found}) != 1 or found[0]["type"] not in catalogue.types:
        return None
    instance = catalogue.types[found[0]["type"]]
    mode = found[0].get("credit_mode") or (instance.burst.default_mode if instance.burst else None)
    same = of_type(catalogue, instance, count=len(found), discount_ratio=discount_ratio)
    return next((c for c in same if c.credit_mode == mode), None)


def _answer(
    name: str,
    evidence: Evidence,
    run: Run,
    stated: Stated,
    policy: Policy,
    objectives: tuple[Objective, ...],
    catalogue: Catalogue,
    question: Question,
    traffic: Traffic,
) -> HostAnswer:
    deploy = _class(stated, name).deploy
    discount = stated.pricing.discount_ratio
    present = present_candidate(run, name, catalogue, discount)
    latency = [(o.quantile, o.limit_s) for o in objectives if o.name == "latency" and o.limit_s is not None]
    family, arch = (present.instance.family, present.instance.arch) if present else (None, None)
    model = fit(
        evidence, n=question.worlds, seed=question.seed, quantiles=[q for q, _ in latency], measured_family=family, measured_arch=arch,
        threads_per_core=present.instance.threads_per_core if present else 1,
    )
    if model is None:
        return HostAnswer(unknown(name, deploy), evidence, None)
    count = present.count if present else evidence.hosts
    asked = all_candidates(catalogue, question.candidates, count=count, all_types=question.all_types, discount_ratio=discount)
    extra = [present] if present is not None and present.key not in {c.key for c in asked} else []
    limit = next(o.limit_ratio for o in objectives if o.name == "errors" and o.limit_ratio is not None)
    world = scenarios(
        model,
        traffic,
        [*asked, *extra],
        catalogue,
        present.instance if present else None,
        latency,
        limit,
        deploy,
        policy.survive_zone_loss,
        question.seed,
    )

    def judged(w: World) -> list[Verdict]:
        return judge_world(w, confidence=policy.confidence, free_tier=stated.account.free_tier)

    # The present candidate is judged though nobody asked for it, but never recommended then.
    keys = {c.key for c in asked}
    verdicts = judged(world)
    found = decide(name, deploy, [v for v in verdicts if v.candidate.key in keys], None)
    full = decide(name, deploy, verdicts, present)
    merged = replace(full, recommended=found.recommended, binding=found.binding)
    asked_world = world.only(keys) if extra else world
    simulated = tuple(simulate_shortlist(world, merged, question.seed))
    return HostAnswer(replace(merged, levers=tuple(levers(asked_world, merged, judged)), simulated=simulated), evidence, model)


def _unknowns(answers: Sequence[HostAnswer]) -> list[dict[str, str]]:
    found = []
    for i, a in enumerate(answers):
        if a.model is None:
            for field in ("background_cores", "memory", "recommended"):
                found.append(_unfitted(a.evidence).entry(f"hosts[{i}].{field}"))
        elif a.recommendation.present is None:
            found.append(
                Unknown("the run's topology.json doesn't name the class's instances", "load a stack whose account can be read").entry(
                    f"hosts[{i}].present"
                )
            )
        if a.recommendation.recommended is None and a.model is not None:
            found.append(Unknown("no candidate fits", "sizeup recommend --all-types").entry(f"hosts[{i}].recommended"))
        for j, verdict in enumerate(a.recommendation.verdicts):
            found += [_unjudged(b, verdict).entry(f"hosts[{i}].candidates[{j}].fits") for b in verdict.bounds if b.ok is None]
    return found


def _unfitted(evidence: Evidence) -> Unknown:
    if evidence.source == "none":
        return Unknown("neither a host nor CloudWatch's CPUUtilization was read", "sizeup collect staging, or an agent on the host")
    return Unknown("no valid window was measured", "sizeup load staging --plan steps")


def _unjudged(bound: Bound, verdict: Verdict) -> Unknown:
    if bound.constraint.startswith("memory_"):
        return Unknown("memory was not measured: CloudWatch counts none", "sizeup agent install on the host, then sizeup load again")
    if bound.constraint == "latency":
        return Unknown("no response time was measured", "turn on the load balancer's access log, or sizeup load staging")
    if bound.constraint not in ("arch_unmeasured", "price_missing"):
        return Unknown(
            f"no benchmark compares {verdict.candidate.type} with the measured type", f"load the service on {verdict.candidate.type}"
        )
    if bound.constraint == "arch_unmeasured":
        return Unknown(f"{verdict.candidate.instance.arch} was never measured", f"load the service on {verdict.candidate.type}")
    return Unknown(f"no price for {verdict.candidate.type} in this mode", "sizeup prices refresh")


def _warnings(answers: Sequence[HostAnswer]) -> list[Warn]:
    found: dict[str, Warn] = {}
    for a in answers:
        for warning in a.evidence.warnings:
            found.setdefault(warning.code, warning)
        for apart in (s for s in a.recommendation.simulated if s.agrees is False):
            message = f"{a.recommendation.host_class} on {apart.candidate.type}: p{apart.quantile * 100:g} of latency {apart.why}."
            found.setdefault("latency_disagrees", Warn("latency_disagrees", message))
    if any(a.evidence.synthetic for a in answers):
        found["synthetic"] = Warn(
            "synthetic", "The run is a demo's: its hosts are processes of this machine, whose speed stands for the present type's."
        )
    return list(found.values())
