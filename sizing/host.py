"""One host class answered: fitted, put into worlds with every candidate, judged, decided, and what would change that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from catalogue import Catalogue
from evidence import Run
from sizing.decide.candidates import candidates, of_type
from sizing.decide.decide import decide, unknown
from sizing.decide.judge import judge, priced_alone
from sizing.decide.levers import levers
from sizing.decide.options import options
from sizing.decide.regret import regret
from sizing.decide.shortlist import simulate_shortlist
from sizing.decide.worlds import scenarios
from sizing.model.fit import fit
from sizing.model.machine import disk_use, system_parts
from sizing.model.streams import stream
from sizing.question import Question, Stated, latency_limits
from sizing.settings import HostClass, Objective, Policy
from sizing.types import Candidate, Evidence, HostModel, Traffic, World
from sizing.verdicts import Recommendation, Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """All that an answer rests on beside one class's evidence."""

    run: Run
    stated: Stated
    question: Question
    policy: Policy
    objectives: Sequence[Objective]
    catalogue: Catalogue
    traffic: Traffic

    def of_class(self, name: str) -> HostClass:
        return self.stated.class_.get(name, HostClass())

    def judged(self, world: World) -> list[Verdict]:
        """Judge worlds by the policy."""
        return judge(world, confidence=self.policy.confidence, free_tier=self.stated.account.free_tier)


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """One host class: the recommendation, and what it was fitted from (None where nothing could be fitted)."""

    recommendation: Recommendation
    evidence: Evidence
    model: HostModel | None
    world: World | None = None


def answer_host(name: str, evidence: Evidence, asked: Asked) -> HostAnswer:
    """Answer for one host class; what to measure next is left to the whole answer."""
    present = present_candidate(asked, name)
    model = fit_host(name, evidence, asked, present)
    if model is None:
        now = None if present is None else priced_alone(present, asked.stated.account.free_tier)
        return HostAnswer(unknown(name, asked.of_class(name).deploy, now), evidence, None)
    wanted = wanted_candidates(asked, present.count if present else evidence.hosts)
    # The present candidate is judged though nobody asked for it, but never recommended then.
    keys = {c.key for c in wanted}
    extra = [present] if present is not None and present.key not in keys else []
    world = make_world(asked, name, model, [*wanted, *extra], present)
    verdicts = asked.judged(world)
    found = decide(name, world.deploy, [v for v in verdicts if v.candidate.key in keys], None)
    full = decide(name, world.deploy, verdicts, present)
    merged = replace(full, recommended=found.recommended, binding=found.binding, width_ratio=found.width_ratio)
    asked_world = world.only(keys) if extra else world
    told = replace(
        merged,
        levers=tuple(levers(asked_world, merged, asked.judged)),
        options=tuple(options(asked_world, found, asked.judged)),
        regret=regret(found.verdicts, found.recommended),
        simulated=tuple(simulate_shortlist(world, merged, asked.question.seed)),
    )
    return HostAnswer(told, evidence, model, asked_world)


def present_candidate(asked: Asked, name: str) -> Candidate | None:
    """The type that the class runs on today, by the run's topology; None where it isn't known or the class mixes types."""
    catalogue = asked.catalogue
    found = [i for i in asked.run.topology.get("instances", []) if i.get("class") == name]
    if not found or len({i["type"] for i in found}) != 1 or found[0]["type"] not in catalogue.types:
        return None
    instance = catalogue.types[found[0]["type"]]
    mode = found[0].get("credit_mode") or (instance.burst.default_mode if instance.burst else None)
    same = of_type(catalogue, instance, count=len(found), discount_ratio=asked.stated.pricing.discount_ratio)
    return next((c for c in same if c.credit_mode == mode), None)


def wanted_candidates(asked: Asked, count: int) -> list[Candidate]:
    """What was asked for, as many hosts of each as run today; two at the least where the loss of a zone must be survived."""
    hosts = max(count, 2) if asked.policy.survive_zone_loss else count
    question, discount = asked.question, asked.stated.pricing.discount_ratio
    return candidates(asked.catalogue, question.candidates, count=hosts, all_types=question.all_types, discount_ratio=discount)


def fit_host(name: str, evidence: Evidence, asked: Asked, present: Candidate | None) -> HostModel | None:
    """Fit the class's requests, and what its machine shows beside them."""
    worlds, seed = asked.question.worlds, asked.question.seed
    model = fit(
        evidence,
        n=worlds,
        seed=seed,
        quantiles=[q for q, _ in latency_limits(asked.objectives)],
        measured_family=present.instance.family if present else None,
        measured_arch=present.instance.arch if present else None,
        threads_per_core=present.instance.threads_per_core if present else 1,
    )
    if model is None:
        return None
    hosts = asked.run.hosts.filter(pl.col("class") == name)
    processes = asked.run.processes.filter(pl.col("host").is_in(hosts["host"].unique().implode()))
    system = system_parts(hosts, processes, evidence, worlds, stream(seed, name, "system"))
    disk = disk_use(hosts, evidence, worlds, stream(seed, name, "disk"))
    return replace(model, memory=[*model.memory, *system], disk=disk)


def make_world(asked: Asked, name: str, model: HostModel, wanted: Sequence[Candidate], present: Candidate | None) -> World:
    """Put a class's model and the candidates into common worlds."""
    return scenarios(
        model,
        asked.traffic,
        wanted,
        asked.catalogue,
        present.instance if present else None,
        latency_limits(asked.objectives),
        next(o.limit_ratio for o in asked.objectives if o.name == "errors" and o.limit_ratio is not None),
        asked.of_class(name).deploy,
        asked.policy.survive_zone_loss,
        asked.question.seed,
    )
