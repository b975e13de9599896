"""A recommendation as the terminal shows it, from its JSON document: one block a host class, then the money, then what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from evidence import SizeupError
from sizeup.output import money, percent, table
from sizeup.words import (
    NAMES,
    PAYMENTS,
    Json,
    binding_words,
    estimate_words,
    headline,
    held_words,
    label,
    latency_words,
    option_words,
    payment_words,
    phase_name,
    quantity,
    refusals,
    regret_words,
    removable_words,
    why_not,
)

NEXT_STEPS = 2
"""How many next commands are shown; all stand in the JSON document."""

SHOWN = 2
"""How many things of a kind are named before they are only counted."""
MOST_NAMED = 20
"""Of candidates in a sentence: the burstable families' x86 types and a few."""

Line = tuple[str, str, str]


def recommend_text(document: Json) -> str:
    """Write the whole answer: per class, the stack's cost, reservations, what is unknown, and the next command."""
    blocks: list[list[Line]] = [list(_host_lines(host, document["policy"]["confidence"])) for host in document["hosts"]]
    parts = (_shared_lines, _traffic_lines, _stack_lines, _commitment_lines, _held_lines, _warning_lines, _unknown_lines)
    blocks += [list(part(document)) for part in parts]
    first = max(len(line[0]) for block in blocks for line in block)
    return "\n".join([*(_layout(block, first) for block in blocks if block), *_next_lines(document)])


def explain_text(document: Json, type_name: str) -> str:
    """Write every constraint of one type's candidates: need, have, margin, probability.

    Raises
    ------
    SizeupError
        Where the type was no candidate.
    """
    blocks = []
    for host in document["hosts"]:
        for candidate in (c for c in host["candidates"] if c["type"] == type_name):
            blocks.append(f"{host['class']}  {label(candidate)}, {_fits(candidate)}\n{_constraint_table(candidate)}")
    if not blocks:
        raise SizeupError(f"--explain {type_name}: it is not among the candidates; {_explainable(document, type_name)}")
    return "\n".join(blocks)


def _explainable(document: Json, type_name: str) -> str:
    """The candidate that was meant, or those that there are; and how another type becomes one."""
    import difflib

    judged = sorted({c["type"] for host in document["hosts"] for c in host["candidates"]})
    near = difflib.get_close_matches(type_name, judged, 1, 0.7)
    meant = f"did you mean {near[0]}?" if near else f"they are {', '.join(judged[:MOST_NAMED])}{', …' if len(judged) > MOST_NAMED else ''}."
    return f"{meant} Another type of the region is judged with --candidates."


def candidate_rows(document: Json) -> list[dict[str, object]]:
    """Return every candidate of every class as a flat row, for csv and md."""
    return [
        {
            "class": host["class"], "type": c["type"], "count": c["count"], "credit_mode": c["credit_mode"], "arch": c["arch"],
            "monthly_usd": c["monthly_usd"], "fits": c["fits"], "probability": c["probability"], "speed": c["speed"],
            "dominated_by": c["dominated_by"], "why_not": "" if c["fits"] else why_not(c),
        }
        for host in document["hosts"]
        for c in host["candidates"]
    ]  # fmt: skip


def load_text(document: Json) -> str:
    """Write what a load came to: its phases, and each objective met or missed."""
    counts = document["counts"]
    head = f"{document['id']}  {document['status']}, {counts['requests']:,} requests, {counts['errors']:,} errors"
    objectives = [f"  {_objective(o)}" for o in document["objectives"]]
    return "\n".join([head, phase_table(document["phases"]), *objectives, *_reached(document), f"next: sizeup recommend {document['id']}"])


def _reached(document: Json) -> list[str]:
    """Say up to which rate the objectives held, and the highest throughput; nothing where no window told."""
    knee, most = document["knee_per_s"], document["saturation_per_s"]
    words = []
    if knee is not None:
        above = "no higher rate missed one" if knee["hi"] is None else f"missed at {knee['hi']:.3g}/s"
        words.append(f"  knee {knee['mid']:.3g}/s: every objective held, {above}")
    if most is not None:
        words.append(f"  highest throughput {most['mid']:.3g}/s ({most['lo']:.3g} to {most['hi']:.3g})")
    return words


def phase_table(phases: Sequence[Json]) -> str:
    """Write a run's phases: offered, achieved, and whether each window may be used."""
    if not phases:
        return "  no phases"
    rows = [
        [phase_name(p), f"{p['offered_per_s']:.3g}/s", f"{p['achieved_per_s']:.3g}/s", "valid" if p["valid"] else f"not valid: {p['why']}"]
        for p in phases
    ]
    return table([["phase", "offered", "achieved", "window"], *rows], right=(1, 2), indent="  ")


def _objective(o: Json) -> str:
    verdict = {True: "met", False: "missed", None: "not measured"}[o["ok"]]
    name = f"p{o['quantile'] * 100:g} of {o['request']}" if o["name"] == "latency" else "errors"
    unit = "s" if o["name"] == "latency" else "ratio"
    return f"{name}: {quantity(o['value'], unit)}, limit {quantity(o['limit_s'] if unit == 's' else o['limit_ratio'], unit)}: {verdict}"


def _host_lines(host: Json, confidence: float) -> Iterator[Line]:
    yield host["class"], "", headline(host, confidence)
    if (binds := binding_words(host)) is not None:
        yield "", "binds", binds
    if (waits := latency_words(host)) is not None:
        yield "", "latency", waits
    for name, why in refusals(host):
        yield "", f"not {name}", why
    for lever in host["levers"]:
        yield "", "lever", f"{lever['detail']}: {lever['type']}, saves {money(lever['saves_monthly_usd'])} a month; needs {lever['needs']}"
    for option in host.get("options") or []:
        yield "", "option", option_words(option)
    if host.get("regret") and (regret := regret_words(host["regret"])) is not None:
        yield "", "if wrong", regret


def _shared_lines(document: Json) -> Iterator[Line]:
    """Say whether both classes would do on one host."""
    if document.get("shared_host"):
        yield "hosts", "option", option_words(document["shared_host"])


def _traffic_lines(document: Json) -> Iterator[Line]:
    traffic = document["traffic"]
    peak = estimate_words(traffic["peak_per_s"], "{:.3g}/s".format)
    source = {"run": "the run's own highest valid rate", "stated": "stated", "history": "from history"}[traffic["source"]]
    yield "traffic", "peak", f"{peak}, {source}"


def _stack_lines(document: Json) -> Iterator[Line]:
    """Sum the stack by service; its single lines stand in the report and in JSON."""
    stack = document.get("stack")
    if not stack:
        return
    unknown = sum(line["monthly_usd"] is None for line in stack["lines"])
    yield "stack", "a month", f"{money(stack['monthly_usd'])}{f', and {unknown} parts that are not known' if unknown else ''}"
    for service in dict.fromkeys(line["service"] for line in stack["lines"]):
        lines = [line for line in stack["lines"] if line["service"] == service]
        known = [Decimal(line["monthly_usd"]) for line in lines if line["monthly_usd"] is not None]
        if known:
            yield "", service, f"{money(sum(known, Decimal(0)))}, {_some([str(line['what']) for line in lines], '; ')}"
    for item in stack["removable"]:
        yield "", "removable", removable_words(item)


def _commitment_lines(document: Json) -> Iterator[Line]:
    """Set the ways to pay side by side; classes that are recommended the same type stand together."""
    entries = document.get("commitment") or []
    for kind in dict.fromkeys(entry["type"] for entry in entries):
        same = [entry for entry in entries if entry["type"] == kind]
        yield "reserve", kind, f"one host for one year, of {', '.join(entry['class'] for entry in same)}"
        for row in same[0]["rows"]:
            yield "", PAYMENTS.get(row["payment"], row["payment"]), payment_words(row)


def _held_lines(document: Json) -> Iterator[Line]:
    for held in document.get("held") or []:
        yield "held", "", held_words(held)


def _warning_lines(document: Json) -> Iterator[Line]:
    for warning in document["warnings"]:
        yield "warning", warning["code"], warning["message"]


def _unknown_lines(document: Json) -> Iterator[Line]:
    """Say each unknown once, with all that would lift it; the paths that share it stand in the JSON document."""
    for why in dict.fromkeys(u["why"] for u in document["unknowns"]):
        lifts = dict.fromkeys(u["lift"] for u in document["unknowns"] if u["why"] == why)
        yield "unknown", "", f"{why}; {_some(list(lifts), ' or ')}"


def _next_lines(document: Json) -> list[str]:
    steps = dict.fromkeys((step["command"], step["why"]) for step in document["next"])
    return [f"next: {command}  ({why})" for command, why in list(steps)[:NEXT_STEPS]] or ["next: sizeup report"]


def _some(names: Sequence[str], glue: str) -> str:
    """Name the first few, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return glue.join(names[:SHOWN]) + more


def _layout(lines: list[Line], first: int) -> str:
    """Set a block in a column for the subject and one for the key; a line without a key takes its place."""
    second = max(len(key) for _, key, _ in lines)
    return "\n".join(f"{subject:<{first}}  {f'{key:<{second}}  ' if key else ''}{text}".rstrip() for subject, key, text in lines)


def _fits(candidate: Json) -> str:
    word = {True: "fits", False: "does not fit", None: "can't be judged"}[candidate["fits"]]
    # A document of an older version has no standard error.
    error = candidate.get("probability_se")
    off = "" if error is None else f", standard error {error * 100:.1f} points"
    chance = f" (every constraint together: {percent(candidate['probability'])}{off})" if candidate["probability"] is not None else ""
    return f"{money(candidate['monthly_usd'])} a month, {word}{chance}"


def _constraint_table(candidate: Json) -> str:
    head = ["constraint", "needs", "has", "margin", "holds in", ""]
    rows = [
        [
            NAMES[k["constraint"]], quantity(k["need"], k["unit"]), quantity(k["have"], k["unit"]), percent(k["margin_ratio"]),
            percent(k["probability"]), {True: "ok", False: "fails", None: "unknown"}[k["ok"]],
        ]
        for k in candidate["constraints"]
    ]  # fmt: skip
    return table([head, *rows], right=(1, 2, 3, 4), indent="  ")
