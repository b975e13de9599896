"""What an answer can't say, each with what lifts it, and what its reader must be warned of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evidence import Run, Unknown, Warn
from sizing.host import HostAnswer
from sizing.settings import Objective
from sizing.verdicts import Bound, Verdict

UNREAD = Unknown("neither a host nor CloudWatch's CPUUtilization was read", "sizeup collect staging, or an agent on the host")
NO_MEMORY = Unknown("memory was not measured: CloudWatch counts none", "sizeup agent install on the host, then sizeup load again")
NO_TIMES = Unknown("no response time was measured", "turn on the load balancer's access log, or sizeup load staging")
UNMEASURED = Unknown("no valid window was measured", "sizeup load staging --plan steps")
UNASKED = Unknown("no request of the class was counted", "sizeup load staging, or sizeup collect a span with traffic")
NO_PRESENT = Unknown("the run's topology.json doesn't name the class's instances", "load a stack whose account can be read")
NOTHING_FITS = Unknown("no candidate fits", "sizeup recommend --all-types")
NO_SOAK = Unknown("whether its memory grows: no copy was watched for an hour", "sizeup load staging --step-time 1h")
NO_DISK = Unknown("what its disks move: their bytes were not sampled", "sizeup agent install on the host, then sizeup load staging")


def unknowns(answers: Sequence[HostAnswer]) -> list[dict[str, str]]:
    """Return the entries of the envelope's `unknowns`: where the document has null, why, and what lifts it."""
    return [unknown.entry(f"hosts[{i}].{path}") for i, answer in enumerate(answers) for path, unknown in _of_host(answer)]


def _of_host(answer: HostAnswer) -> Iterator[tuple[str, Unknown]]:
    found, model = answer.recommendation, answer.model
    if model is None:
        unfitted = UNREAD if answer.evidence.source == "none" else UNMEASURED if answer.evidence.requests else UNASKED
        now = "present" if found.present is None else "present.fits"
        yield now, NO_PRESENT if found.present is None else unfitted
        yield from ((path, unfitted) for path in ("background_cores", "memory", "recommended"))
        return
    if found.present is None:
        yield "present", NO_PRESENT
    if found.recommended is None:
        yield "recommended", NOTHING_FITS
    if all(part.growth_bytes_per_h_draws is None for part in model.memory):
        yield "memory.growth_bytes_per_h", NO_SOAK
    if model.disk is None:
        yield "disk", NO_DISK
    for j, verdict in enumerate(found.verdicts):
        yield from ((f"candidates[{j}].fits", _unjudged(b, verdict)) for b in verdict.bounds if b.ok is None)


def _unjudged(bound: Bound, verdict: Verdict) -> Unknown:
    name, instance = verdict.candidate.type, verdict.candidate.instance
    if bound.constraint.startswith("memory_"):
        return NO_MEMORY
    if bound.constraint == "latency":
        return NO_TIMES
    if bound.constraint == "arch_unmeasured":
        return Unknown(f"{instance.arch} was never measured", f"load the service on {name}")
    if bound.constraint == "price_missing":
        return Unknown(f"no price for {name} in this mode", "sizeup prices refresh")
    return Unknown(f"no benchmark compares {name} with the measured type", f"load the service on {name}")


def left_out(measured: Sequence[Run]) -> list[Warn]:
    """Say which measured runs stand behind the newest: hosts and demand are read from one, traffic's history from all."""
    apart = [run.id for run in measured[1:] if run.id != measured[0].id]
    message = f"Hosts and demand are those of {measured[0].id}; {', '.join(apart)} gives at most traffic's history."
    return [Warn("older_runs", message)] if apart else []


def judged_wider(objectives: Sequence[Objective]) -> list[Warn]:
    """Say of each objective on one request, or at the client, that a decision judges more: all requests, as the load balancer saw them."""
    apart = [f"{o.name} of {o.request} at the {o.at}" for o in objectives if o.request != "*" or (o.name == "latency" and o.at == "client")]
    message = "is judged over all requests of a host class, at the load balancer; sizeup load says what was measured of it alone."
    return [Warn("objective_widened", f"The objective {', '.join(apart)} {message}")] if apart else []


def warnings(answers: Sequence[HostAnswer]) -> list[Warn]:
    """Return each warning of the evidence once, and that a demo's run is one."""
    found: dict[str, Warn] = {}
    for answer in answers:
        for warning in answer.evidence.warnings:
            found.setdefault(warning.code, warning)
        for apart in (s for s in answer.recommendation.simulated if s.agrees is False):
            name, quantile = answer.recommendation.host_class, apart.quantile * 100
            message = f"{name} on {apart.candidate.type}: p{quantile:g} of latency {apart.why}."
            found.setdefault("latency_disagrees", Warn("latency_disagrees", message))
    if any(a.evidence.synthetic for a in answers):
        found["synthetic"] = Warn(
            "synthetic", "The run is a demo's: its hosts are processes of this machine, whose speed stands for the present type's."
        )
    return list(found.values())
