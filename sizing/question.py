"""What is asked and what is stated: the question, the settings that a decision reads, and the traffic that follows from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from evidence import Run, SizeupError, Warn
from sizing.model.fit import WORLDS
from sizing.model.gather import topology_groups
from sizing.model.history import forecast_history, read_history
from sizing.model.streams import stream
from sizing.model.traffic import run_traffic, stated_traffic
from sizing.money import GateSettings
from sizing.settings import Account, HostClass, Objective, Policy, Pricing, TrafficSettings
from sizing.types import Evidence, Traffic


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


def with_defaults(stated: tuple[Objective, ...]) -> tuple[Objective, ...]:
    """Add the default error objective where only latency is stated; latency is never added to what a team leaves out."""
    names = {o.name for o in stated}
    return stated if "errors" in names else (*stated, Objective(name="errors", limit_ratio=0.01))


def latency_limits(objectives: Sequence[Objective]) -> list[tuple[float, float]]:
    """Quantile and limit in seconds of each latency objective."""
    return [(o.quantile, o.limit_s) for o in objectives if o.name == "latency" and o.limit_s is not None]


def named_classes(run: Run) -> list[str]:
    """Host classes that the run sampled, in name order; where it sampled no host, those that its topology names."""
    named = [i["class"] for i in run.topology.get("instances", []) if i.get("class")]
    return sorted(set(run.hosts["class"].to_list() or named))


def class_names(run: Run) -> list[str]:
    """As `named_classes`.

    Raises
    ------
    SizeupError
        Where there is none.
    """
    names = named_classes(run)
    if names:
        return names
    if not run.topology:
        raise SizeupError(f"run {run.id}: hosts.parquet is empty, so there is nothing to size; load again with a sampler on the hosts.")
    lacks = "hosts.parquet is empty and topology.json names no instance of a host class, so there is nothing to size"
    raise SizeupError(f"run {run.id}: {lacks}; name target_group in [class.NAME] of sizeup.toml, then collect or load again.")


def target_groups(run: Run, stated: Stated) -> dict[str, str]:
    """Host class to target group: settings first, then what the topology says."""
    return topology_groups(run) | {name: c.target_group for name, c in stated.class_.items() if c.target_group}


def choose_traffic(
    stated: Stated, question: Question, evidence: Evidence, runs: Sequence[Run] = (), timezone: str = "UTC"
) -> tuple[Traffic, list[Warn]]:
    """Take the first that exists: --peak, a history among the runs, [traffic], the run itself (docs/reference/definitions.md)."""
    t, rng = stated.traffic, stream(question.seed, "traffic")
    # What a load sent is no history of what comes by itself.
    history = None if question.peak_per_s else read_history((r.metrics for r in runs if r.requests.is_empty()), timezone)
    if history is not None:
        return forecast_history(history, n=question.worlds, rng=rng, growth_ratio_per_year=t.growth_ratio_per_year), []
    peak = question.peak_per_s or t.peak_per_s
    if peak is not None:
        return stated_traffic(peak, mean_per_s=t.mean_per_s, growth_ratio_per_year=t.growth_ratio_per_year, n=question.worlds, rng=rng), []
    highest = evidence.highest_external_per_s
    message = (
        f"No traffic is stated, so the run's highest valid rate ({highest:g}/s) stands for the peak; state it with --peak or [traffic]."
    )
    return run_traffic(highest, question.worlds), [Warn("traffic_from_run", message)]
