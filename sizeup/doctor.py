"""`sizeup doctor`: what works, what to mend and how, and what would make the evidence better at which price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from evidence import SizeupError, Warn
from sizeup.output import envelope

if TYPE_CHECKING:
    from catalogue import Catalogue
    from collectors import AwsSession
    from sizeup.context import Context
    from sizeup.settings import Settings

SCHEMA = "sizeup.doctor/1"
SHORT_MONTH_H = 720
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Examined:
    """The answer; `document` is the JSON document, `ok` whether nothing is to be mended."""

    document: dict[str, Any]
    ok: bool


def examine(ctx: Context, name: str | None) -> Examined:
    """Examine a target (default: the only one): permissions, stack, clocks, agents, addresses, and what could be better.

    Raises
    ------
    SizeupError
        Where there are no settings, they don't name the target, or the credentials are not accepted.
    """
    from sizeup.targets import place_of, prices_of, session_of

    settings = ctx.settings(required=True)
    target = chosen_target(name, settings)
    named = place_of(ctx, settings, settings.target[target]) if target else None
    aws, place = (named.aws, named.load_balancer) if named else (session_of(ctx, settings), None)
    catalogue = prices_of(aws.region)
    ctx.say(f"asks AWS in {aws.region} for each permission, once and for nothing")
    account = _account(aws, place, settings)
    topology = account.topology
    hosts = [_host(ctx, host_class, each.address) for host_class, each in settings.class_.items()]
    clocks = [account.clock, *(clock for clock, _ in hosts if clock)]
    parts = {"permissions": account.permissions, "clocks": clocks, "agents": [agent for _, agent in hosts]}
    ok = all(row["ok"] is not False for rows in parts.values() for row in rows)
    body = {
        "target": target, "ok": ok, **parts, "addresses": _addresses(topology, catalogue),
        "improvements": _improvements(topology, catalogue, settings),
    }  # fmt: skip
    return Examined(envelope(SCHEMA, datetime.now(UTC), [], settings, catalogue, None, _unknowns(parts), account.warnings, body), ok)


@dataclass(frozen=True, slots=True)
class Account:
    """What the account answered: its stack (None where none was seen), permissions (none where its clock refuses all), and its clock."""

    topology: dict[str, Any] | None
    permissions: Rows
    clock: dict[str, Any]
    warnings: list[Warn]


def _account(aws: AwsSession, place: str | None, settings: Settings) -> Account:
    """Ask the account; where all is refused for this machine's clock, that is what there is to mend.

    Raises
    ------
    SizeupError
        Where the credentials are not accepted.
    """
    try:
        topology, warnings = _walked(aws, place, settings)
        return Account(topology, _permissions(aws, topology), _aws_clock(aws), warnings)
    except SizeupError as refused:
        if getattr(refused, "kind", None) != "clock":
            raise
        offset_s = getattr(refused, "offset_s", None)
        off = {"host": "aws", "offset_s": offset_s and round(offset_s, 3), "error_s": offset_s and 1.0, "ok": False, "why": str(refused)}
        return Account(None, [], off, [])


def chosen_target(name: str | None, settings: Settings) -> str | None:
    """Return the target that is meant; None where the settings name none.

    Raises
    ------
    SizeupError
        Where they don't name it, or name several and none was asked for.
    """
    from loadtests import check_target

    if name is not None:
        check_target(name, settings.target)
    elif len(settings.target) > 1:
        raise SizeupError(f"sizeup.toml names several targets; say which: {', '.join(sorted(settings.target))}.")
    return name or next(iter(settings.target), None)


def _walked(aws: AwsSession, place: str | None, settings: Settings) -> tuple[dict[str, Any] | None, list[Warn]]:
    """Walk the stack; where AWS refuses a call that it can't do without, there is none, and a warning."""
    from sizeup.targets import target_groups, topology_of

    if place is None:
        return None, [Warn("no_target", "sizeup.toml names no target, so no stack is examined; add [target.NAME], or run sizeup init.")]
    try:
        found = topology_of(aws, place, target_groups(settings))
    except SizeupError as refused:
        if getattr(refused, "ends_all", False):
            raise
        return None, [Warn("stack_unseen", str(refused))]
    told = [Warn(each["code"], each["message"]) for each in found["warnings"] if "AWS refused" not in each["message"]]
    return found, told


def _permissions(aws: AwsSession, topology: Mapping[str, Any] | None) -> Rows:
    from collectors import probe

    logs = topology["load_balancer"].get("access_logs") if topology else None
    return [probed.as_json(logs["bucket"] if logs else None) for probed in probe(aws, logs)]


def _aws_clock(aws: AwsSession) -> dict[str, Any]:
    from collectors import aws_clock

    try:
        return aws_clock(aws).as_json() | {"why": None}
    except SizeupError as refused:
        return {"host": "aws", "offset_s": None, "error_s": None, "ok": None, "why": str(refused)}


def _host(ctx: Context, host_class: str, address: str | None) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Ask a class's host for its clock and its agent; one that nobody gave an address of can't be asked."""
    from collectors import ask_agent, host_clock
    from sizeup.hosts import reach

    agent: dict[str, Any] = {"class": host_class, "host": address, "ok": None, "running": None, "silent_s": None, "command": None}
    if address is None:
        return None, agent | {"why": f"[class.{host_class}] names no address; add one: the agent there sees memory, CloudWatch doesn't"}
    ctx.say(f"asks {address}")
    try:
        remote = reach(ctx, address).remote
        try:
            clock, state = host_clock(address, remote), ask_agent(remote)
        finally:
            remote.close()
    except SizeupError as refused:
        return None, agent | {"ok": False, "why": str(refused)}
    lack = {} if state.running else {"command": f"sizeup agent install {address}"}
    agent |= {"ok": state.running, "running": state.running, "silent_s": state.silent_s, **lack}
    return clock.as_json() | {"why": None}, agent | {"why": None if state.running else "no agent runs there"}


def _addresses(topology: Mapping[str, Any] | None, catalogue: Catalogue | None) -> Rows:
    """Tell each public address with what it costs in a month of 730 and of 720 hours, and the command that drops a needless one."""
    from collectors import drop_command
    from sizing.money import address_usd
    from sizing.money.units import MONTH_H, cents

    if topology is None:
        return []
    months = {"monthly_usd": MONTH_H, "monthly_usd_720h": Decimal(SHORT_MONTH_H)}
    monthly = {name: cents(address_usd(catalogue, hours)) if catalogue else None for name, hours in months.items()}
    return [
        {**address, **monthly, "command": None if address["needed"] else drop_command(address, topology["region"])}
        for address in topology["addresses"]
    ]


def _improvements(topology: Mapping[str, Any] | None, catalogue: Catalogue | None, settings: Settings) -> Rows:
    """Tell what could be turned on, with its price of the catalogue, null where that has none."""
    from collectors import improvements_of

    rows: Rows = []
    for each in improvements_of(topology) if topology else ():
        unit = _unit_usd(catalogue, each.service, each.item)
        usd = None if unit is None else unit * Decimal(str(each.quantity)) * (1 - Decimal(str(settings.pricing.discount_ratio)))
        rows.append(
            {"code": each.code, "subject": each.subject, "why": each.why, "commands": list(each.commands), "per": each.per,
             "usd": None if usd is None else _said(usd)}
        )  # fmt: skip
    return rows


def _said(usd: Decimal) -> str:
    """Write dollars to the cent, below a cent to a hundredth of one."""
    return f"{usd:.2f}" if usd >= Decimal("0.01") else f"{usd:.4f}"


def _unit_usd(catalogue: Catalogue | None, service: str, item: str) -> Decimal | None:
    """Return the first tier's price of an item, whose name a region may follow with its tier."""
    if catalogue is None:
        return None
    return next((tiers[0].usd for (s, name), tiers in catalogue.services.items() if s == service and name.startswith(item)), None)


def _unknowns(parts: Mapping[str, Rows]) -> list[dict[str, str]]:
    return [
        {"path": f"{name}[{n}].ok", "why": str(row["why"]), "lift": "mend that, then run sizeup doctor again"}
        for name, rows in parts.items() for n, row in enumerate(rows) if row["ok"] is None
    ]  # fmt: skip
