"""The doctor's answer for people: what is missing first, then clocks, agents, addresses, and what could be better."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sizeup.output import money

Json = Mapping[str, Any]
INDENT = " " * 14


def doctor_text(document: Json) -> str:
    """Write the document of `sizeup doctor` as lines."""
    lines = [*_permissions(document["permissions"]), *(_clock(row) for row in document["clocks"])]
    lines += [line for row in document["agents"] for line in _agent(row)]
    lines += [line for row in document["addresses"] for line in _address(row)]
    lines += [line for row in document["improvements"] for line in _improvement(row)]
    return "\n".join([*lines, f"next: {_next(document)}"])


def _permissions(rows: Sequence[Json]) -> list[str]:
    if not rows:
        return ["permissions   not known: AWS refuses whatever is asked while the clock is off"]
    missing, unknown = [row for row in rows if row["ok"] is False], [row for row in rows if row["ok"] is None]
    lines = [f"permissions   {len(rows) - len(missing) - len(unknown)} of {len(rows)} are there"]
    for row in missing:
        lines += [f"no            {row['action']} is missing; allow it:", f"{INDENT}{json.dumps(row['statement'])}"]
    return lines + [f"unknown       {row['action']}: {row['why']}" for row in unknown]


def _clock(row: Json) -> str:
    if row["ok"] is None or row["offset_s"] is None:
        return f"clock         {row['host']}: not known, {row['why']}"
    verdict = "" if row["ok"] else "; too far off, set this machine's or its clock (timedatectl set-ntp true)"
    return f"clock         {row['host']}: {row['offset_s']:+.2f} s (±{row['error_s']:.2f}){verdict}"


def _agent(row: Json) -> list[str]:
    head = f"agent         {row['class']}"
    if row["ok"]:
        wrote = "has written nothing yet" if row["silent_s"] is None else f"wrote {row['silent_s']} s ago"
        return [f"{head} {row['host']}: runs, {wrote}"]
    lines = [f"{head}: {row['why']}"]
    return [*lines, f"{INDENT}{row['command']}"] if row["command"] else lines


def _address(row: Json) -> list[str]:
    known = row["monthly_usd"] is not None
    price = f"{money(row['monthly_usd_720h'])} to {money(row['monthly_usd'])} a month" if known else "its price isn't known here"
    line = f"address       {row['ip']} of {row['service']} {row['owner']}: {'needed' if row['needed'] else 'not needed'}, {price}"
    if row["needed"]:
        return [line]
    inside = "; inside the network it is reached by its private one" if row["service"] in ("rds", "elasticache") else ""
    return [f"{line}{inside}", *([f"{INDENT}{row['command']}"] if row["command"] else [])]


def _improvement(row: Json) -> list[str]:
    price = "price not known" if row["usd"] is None else f"${row['usd']} a {row['per']}"
    name = str(row["code"]).replace("_", " ")
    return [f"better        {name} of {row['subject']}, {price}: {row['why']}", *(f"{INDENT}{command}" for command in row["commands"])]


def _next(document: Json) -> str:
    if any(row["ok"] is False for row in document["permissions"]):
        return "attach the policy in docs/iam/read.json, then sizeup doctor again"
    if any(row["ok"] is False for row in document["clocks"]):
        return "set the clock that is off (timedatectl set-ntp true), then sizeup doctor again"
    if silent := [row["command"] for row in document["agents"] if row["command"]]:
        return str(silent[0])
    target = document["target"]
    return "sizeup init" if target is None else f"sizeup collect {target} --since 14d"
