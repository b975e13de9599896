"""How a decision's parts are said, alike in the terminal and in the report: candidates, constraints, money beside it.

Everything here reads the JSON document, so what people read is what programs get.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sizeup.output import mib, money, percent

Json = Mapping[str, Any]

NAMES = {
    "memory_steady": "memory",
    "memory_deploy": "memory during a deployment",
    "memory_growth": "memory after growth",
    "cpu": "CPU at the peak",
    "latency": "latency",
    "errors": "errors",
    "credits": "CPU credits",
    "network": "network",
    "ebs": "disk throughput",
    "zone_loss": "loss of a zone",
    "arch_unmeasured": "architecture",
    "price_missing": "price",
}
"""Each constraint as people call it."""

REASONS = {
    "no_run": "a run was measured",
    "synthetic": "the run is of a real stack",
    "too_short": "minutes of valid windows",
    "too_few_days": "days of history",
    "no_peak": "highest valid rate against the forecast peak",
    "no_deployment": "deployments seen",
    "memory_unmeasured": "share of valid windows with measured memory",
    "interval_wide": "width of the binding need's interval",
    "unstable": "demand of the first half against the second",
    "above_floor": "units bought and held against units used",
    "lever_pending": "saving of a lever that nobody tried yet",
    "free_tier_running": "free months left for this type",
    "price_stale": "age of the price",
}
"""What each of the gate's codes asks."""

PAYMENTS = {"on_demand": "on demand", "all_upfront": "all upfront", "partial_upfront": "partial upfront", "no_upfront": "no upfront"}
DISCIPLINES = {"processor_sharing": "requests share the CPUs", "first_come_first_served": "requests are served in turn"}
OPTIONS = {"zone_loss": "survive a lost zone", "more_hosts": "one host more", "shared_host": "both classes on one host"}
"""What another number or placement of hosts is for."""

VERDICTS = {
    "rightsized": "the right size",
    "oversized": "larger than it need be",
    "undersized": "too small",
    "unknown": "not known: the evidence doesn't carry an answer",
}


def label(candidate: Json) -> str:
    """Name a candidate: `t3.micro standard`, `2 × t3.micro standard`."""
    count = f"{candidate['count']} × " if candidate["count"] > 1 else ""
    mode = f" {candidate['credit_mode']}" if candidate["credit_mode"] else ""
    return f"{count}{candidate['type']}{mode}"


def quantity(value: float | None, unit: str) -> str:
    """Write a constraint's need or have with as many digits as it bears."""
    if value is None:
        return "unknown"
    if unit == "bytes":
        return mib(value)
    if unit == "s":
        return f"{value * 1000:,.0f} ms" if value < 10 else f"{value:,.0f} s"
    if unit == "ratio":
        return f"{value * 100:.1f} %"
    if unit == "bit_per_s":
        return f"{value / 1e6:,.1f} Mbit/s"
    if unit == "credits":
        return f"{value:,.0f} credits"
    return f"{value:,.2f} {unit.replace('vcpus', 'vCPU').replace('_', ' ')}"


def shortfall(bound: Json, arch: str) -> str:
    """Say why a constraint doesn't hold, in a few words."""
    name = bound["constraint"]
    if name == "arch_unmeasured":
        return f"{arch} was never measured"
    if name == "price_missing":
        return "no price is known"
    need, have = bound["need"], bound["have"]
    if need is None or have is None:
        return f"{NAMES[name]} unknown"
    if name.startswith("memory_"):
        return f"{NAMES[name]} {mib(need - have)} short"
    if name == "credits":
        return f"CPU credits run out: {need:,.0f} drawn, {have:,.0f} held"
    if name in ("latency", "errors"):
        return f"{NAMES[name]} {quantity(need, bound['unit'])}, limit {quantity(have, bound['unit'])}"
    return f"{NAMES[name]} {quantity(need, bound['unit'])} needed, {quantity(have, bound['unit'])} there"


def why_not(candidate: Json, *, most: int | None = None) -> str:
    """Say what keeps a candidate from fitting, the tightest first, and what can't be judged; at most `most` of them."""
    unjudged = [k for k in candidate["constraints"] if k["ok"] is None]
    failing = sorted((k for k in candidate["constraints"] if k["ok"] is False), key=_cause_first)
    if unjudged or failing:
        return "; ".join(shortfall(k, candidate["arch"]) for k in [*failing, *unjudged][:most])
    return f"holds in only {percent(candidate['probability'])} of sampled weeks"


def _cause_first(bound: Json) -> tuple[bool, float]:
    """Latency follows from CPU and credits that run out: what it follows from is said first, else the tightest."""
    return bound["constraint"] == "latency", bound["margin_ratio"] or 0.0


def binding_words(host: Json) -> str | None:
    """Say what binds: what is spare on the recommended type, or what the dearest smaller one lacks."""
    bound = host["binding"]
    if bound is None:
        return None
    failing = dearest_smaller(host)
    if _costs(bound) and failing is not None:
        bound = min((k for k in failing["constraints"] if k["ok"] is False), key=lambda k: k["margin_ratio"] or 0.0, default=bound)
    source = "measured" if bound["constraint"].startswith("memory_") else "computed"
    name, need, have = NAMES[bound["constraint"]], quantity(bound["need"], bound["unit"]), quantity(bound["have"], bound["unit"])
    if bound["constraint"] in ("latency", "errors"):
        return f"{name}: {need}, limit {have} ({source}){_cause(host, bound)}"
    if _costs(bound):
        return f"{name}: {need} needed of {have}, the rest is charged ({source})"
    if bound["ok"]:
        return f"{name}: {need} needed of {have} ({source})"
    smaller = failing if host["recommended"] else None
    return f"{name}: {need} needed, {label(smaller) if smaller else 'the nearest'} has {have} ({source})"


def _costs(bound: Json) -> bool:
    """Whether a constraint is overdrawn and holds all the same: credits in unlimited mode."""
    return bound["ok"] is True and bound["margin_ratio"] is not None and bound["margin_ratio"] < 0


def _cause(host: Json, bound: Json) -> str:
    """What a latency that doesn't hold follows from: CPU or credits that run out on the dearest smaller candidate."""
    failing = dearest_smaller(host) if bound["constraint"] == "latency" and bound["ok"] is False else None
    causes = [k for k in failing["constraints"] if k["constraint"] in ("cpu", "credits") and k["ok"] is False] if failing else []
    return f": {shortfall(min(causes, key=lambda k: k['margin_ratio']), failing['arch'])}" if failing and causes else ""


def dearest_smaller(host: Json) -> Json | None:
    """Return the dearest candidate below the recommended one that was judged and doesn't fit."""
    below = cheaper(host)
    return next((c for c in reversed(below) if c["fits"] is False), None)


def cheaper(host: Json) -> list[Json]:
    """Return the candidates that come before the recommended one, cheapest first; all of them where nothing fits."""
    chosen, candidates = host["recommended"], host["candidates"]
    if chosen is None:
        return list(candidates)
    at = next(i for i, c in enumerate(candidates) if label(c) == label(chosen))
    return list(candidates[:at])


def refusals(host: Json) -> list[tuple[str, str]]:
    """Return (type, why not) for each cheaper candidate; credit modes that fail alike stand together."""
    found: dict[tuple[str, str], list[Json]] = {}
    for candidate in cheaper(host):
        if candidate["fits"] is not True:
            found.setdefault((candidate["type"], why_not(candidate)), []).append(candidate)
    return [(_shared_label(group), why) for (_, why), group in found.items()]


def _shared_label(group: Sequence[Json]) -> str:
    return label(group[0]) if len(group) == 1 else label({**group[0], "credit_mode": None})


def headline(host: Json, confidence: float) -> str:
    """Say one host class's answer: from what to what, what that saves, how surely it holds."""
    present, chosen = host["present"], host["recommended"]
    now = label(present) if present else "present type unknown"
    if chosen is None:
        return f"{now}: {'nothing was measured that could be judged' if not host['candidates'] else 'no candidate fits'}"
    holds = f"holds in {percent(chosen['probability'])} of sampled weeks (policy {percent(confidence)})"
    if present and label(present) == label(chosen):
        return f"stays on {now}, {money(chosen['monthly_usd'])} a month, {holds}"
    return f"{now} → {label(chosen)}, {difference(present, chosen)}, {holds}"


def option_words(option: Json) -> str:
    """Say what another number or placement of hosts would be, and cost."""
    chosen, adds = option["candidate"], Decimal(option["adds_monthly_usd"])
    change = f"{money(adds)} more" if adds >= 0 else f"saves {money(-adds)}"
    return f"{OPTIONS[option['code']]}: {label(chosen)}, {money(chosen['monthly_usd'])} a month, {change}; needs {option['needs']}"


def regret_words(regret: Json) -> str | None:
    """Say what being wrong would cost; None where no sampled week is any dearer than it need be."""
    parts = []
    if regret["probability"] > 0:
        more = f"{regret['to']} for {money(regret['monthly_usd'])} more a month" if regret["to"] else "nothing dearer holds either"
        parts.append(f"in {percent(regret['probability'])} of weeks it doesn't hold, and then {more}")
    if Decimal(regret["overpaid_monthly_usd"]) > 0:
        parts.append(f"{money(regret['overpaid_monthly_usd'])} a month over what each week's cheapest costs")
    return "; ".join(parts) or None


def difference(present: Json | None, chosen: Json) -> str:
    """Say what a change saves or costs a month."""
    if present is None or present["monthly_usd"] is None:
        return f"{money(chosen['monthly_usd'])} a month"
    saved = Decimal(present["monthly_usd"]) - Decimal(chosen["monthly_usd"])
    if saved == 0:
        return "at the same price"
    return f"saves {money(saved)} a month" if saved > 0 else f"costs {money(-saved)} a month more"


def estimate_words(value: Json | None, write: Any = "{:.3g}".format) -> str:
    """Write an estimate with its interval: `0.012 (0.009 to 0.014)`."""
    if value is None:
        return "unknown"
    if value["lo"] == value["hi"]:
        return str(write(value["mid"]))
    return f"{write(value['mid'])} ({write(value['lo'])} to {write(value['hi'])})"


def milliseconds(seconds: float) -> str:
    """Write a time as people read it: `2.69 ms`."""
    return f"{seconds * 1000:.3g} ms"


def latency_words(host: Json) -> str | None:
    """Say how long a request takes at the peak on the recommended type, and by which order of serving."""
    told = next(iter(_recommended(host)), None)
    if told is None:
        return None
    simulated = f", {milliseconds(told['simulated_s']['mid'])} simulated" if told["simulated_s"] else ""
    return f"p{told['quantile'] * 100:g} {estimate_words(told['formula_s'], milliseconds)}{simulated}; {discipline_words(host)}"


def _recommended(host: Json) -> list[Json]:
    latency, chosen = host.get("latency"), host["recommended"]
    return [s for s in latency["simulated"] if chosen and label(s) == label(chosen)] if latency else []


def discipline_words(host: Json) -> str:
    """Say in which order the CPU serves, and what tells so."""
    latency = host["latency"]
    return f"{DISCIPLINES[latency['discipline']]} ({latency['why']})"


def scalability_words(host: Json) -> str | None:
    """Say what the scalability law found on the steps; None where they were too few."""
    law = host.get("scalability")
    if law is None:
        return None
    peak = f"its throughput would peak at {law['peak_per_s']:.3g}/s" if law["peak_per_s"] else "no peak in its throughput"
    far = ", past twice the measured concurrency and so not to be relied on" if law["peak_per_s"] and law["extrapolated"] else ""
    contention, coherency = (estimate_words(law[name], "{:.2g}".format) for name in ("contention", "coherency"))
    return f"Over {law['steps']} steps contention is {contention} and coherency {coherency}: {peak}{far}; {law['why']}"


def payment_words(row: Json) -> str:
    """Say one way to pay: what now, what a month, what it saves, when it has paid itself back."""
    monthly = f"{money(row['monthly_usd'])} a month"
    if row["payment"] == "on_demand":
        return monthly
    upfront = f"{money(row['upfront_usd'])} now, " if Decimal(row["upfront_usd"] or 0) else ""
    saves = f", saves {money(row['saving_monthly_usd'])}"
    even = f", worth it from month {row['break_even_month']:.1f} in use" if row["break_even_month"] else ""
    return f"{upfront}{monthly}{saves}{even}{' (estimated)' if row['estimated'] else ''}"


def phase_name(phase: Json) -> str:
    """Name a phase, and say where it is the part in which a deployment ran."""
    return f"{phase['name']}{', deploying' if phase.get('kind') == 'deploy' else ''}"


def removable_words(item: Json | str) -> str:
    """Say what could go from the stack, and what that saves."""
    return item if isinstance(item, str) else f"{item['what']}, {money(item['monthly_usd'])} a month"


def held_words(held: Json) -> str:
    """Say what a held reservation covers."""
    covers = ", ".join(f"{c['count']:g} × {c['type']} ({c['class']})" for c in held["covers"])
    unused = f"; {held['unused_units']:g} of its {held['units']:g} units stay unused" if held["unused_units"] else ""
    return f"{held['count']} × {held['type']} reserved{_until(held)} covers {covers or 'none of the recommended hosts'}{unused}"


def _until(held: Json) -> str:
    return f" until {held['ends_at'][:10]}" if held.get("ends_at") else ""
