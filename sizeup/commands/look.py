"""`sizeup look`: one minute, no account, no load: what this machine holds, and which type would hold it."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evidence import SizeupError
from sizeup.context import Context, pass_context

if TYPE_CHECKING:
    from catalogue import Catalogue, InstanceType
    from collectors import LookMoment
    from evidence import RunFolder
    from sizeup.hosts import Reached
    from sizeup.settings import Settings
    from sizing.jvm import JvmMemory
    from sizing.look import HostMemory, LookResult, TypeFit

FEW = 8
"""Up to so many types are all shown."""


@click.command(
    "look",
    short_help="Watch a host for a minute: which type would hold it?",
    epilog="\b\nExample:\n  sizeup look --seconds 60 --as t2.micro,t3.micro,t3.small",
)
@click.argument("host", required=False)
@click.option("--seconds", type=click.FloatRange(0.5, 86_400), default=60.0, show_default=True, help="How long to watch.")
@click.option("--as", "types", metavar="TYPE,..", help="Types to judge (default: the T families).")
@pass_context
def command(ctx: Context, host: str | None, seconds: float, types: str | None) -> None:
    """Watch every process of HOST (default: this machine) without loading anything; the answer is provisional.

    Another host, such as ec2-user@10.0.1.5, is watched over ssh by the host agent, which leaves nothing there.
    """
    from sizeup.output import emit, envelope
    from sizeup.prices import old_type_prices, open_catalogue

    reached = _reach_other(ctx, host)
    name = reached.host if reached else platform.node() or "localhost"
    settings = ctx.settings()
    region, warnings = ctx.region(settings)
    catalogue = open_catalogue(region)
    judged = judged_types(catalogue, types)
    run, memory, arch = record(ctx, name, seconds, settings, catalogue, judged, reached)
    result = judge(memory, settings, catalogue, judged)
    now = datetime.now(UTC)
    warned = [*warnings, *result.warnings, *old_type_prices(catalogue, [t.name for t in judged], now.date())]
    document = envelope(
        "sizeup.look/1", now, [run.id], settings, catalogue, None, result.unknowns, warned, result.as_json(),
    )  # fmt: skip
    text = look_text(result, run, arch, next_command(ctx, settings, run, result, arch), [w.message for w in warned])
    emit(ctx, document, text, document["types"])


def _reach_other(ctx: Context, host: str | None) -> Reached | None:
    """Reach another host than this one over ssh; it must have a Python that the agent runs on."""
    from collectors import ask_agent, check_python
    from sizeup.hosts import is_here, reach

    if host is None or is_here(host):
        return None
    reached = reach(ctx, host, "ssh")
    check_python(host, ask_agent(reached.remote).python)
    return reached


def judged_types(catalogue: Catalogue, named: str | None) -> list[InstanceType]:
    """Return the types to judge: those named, else the T families with a price in the region.

    Raises
    ------
    SizeupError
        Where one of them is no type, with the nearest name.
    """
    if named is None:
        from sizing.decide.candidates import T_FAMILIES

        return [t for t in catalogue.types.values() if t.family in T_FAMILIES and catalogue.on_demand(t.name)]
    names = [name.strip() for name in named.split(",") if name.strip()]
    if not names:
        raise SizeupError("--as names no type; give for example --as t2.micro,t3.micro.")
    return [catalogue.require(name) for name in dict.fromkeys(names)]


def record(
    ctx: Context, host: str, seconds: float, settings: Settings, catalogue: Catalogue, types: Sequence[InstanceType],
    reached: Reached | None,
) -> tuple[RunFolder, HostMemory, str]:  # fmt: skip
    """Watch a host into a run folder; return it sealed, with the fullest moment and the host's architecture."""
    from evidence import create_run, seal, settle

    settle(ctx.results, datetime.now(UTC))
    run = create_run(ctx.results, re.sub(r"[^A-Za-z0-9.]+", "-", host).strip("-.") or "host", "look", datetime.now(UTC))
    describe(ctx, run, seconds, catalogue, types)
    status = "crashed"
    try:
        ctx.say(f"watching {host} for {seconds:g} s{f', {reached.says}' if reached else ''}, without loading it; {run.path}")
        if reached:
            memory, arch = _watch_there(ctx, run, reached, seconds, settings)
        else:
            memory, arch = _watch(ctx, run, host, seconds, settings), here_arch()
        status = "complete"
    except KeyboardInterrupt:
        status = "stopped"
        raise
    finally:
        seal(run, status, datetime.now(UTC))
    return run, memory, arch


def describe(ctx: Context, run: RunFolder, seconds: float, catalogue: Catalogue, types: Sequence[InstanceType]) -> None:
    """Put beside the measurement what its judgement needs to be replayed."""
    from sizeup.measure import describe as describe_run
    from sizeup.settings import public_toml

    run.update(plan={"name": "look", "seconds": seconds})
    describe_run(catalogue, [t.name for t in types], run, public_toml(ctx.config) if ctx.config else "", None)


def _watch(ctx: Context, run: RunFolder, host: str, seconds: float, settings: Settings) -> HostMemory:
    from collectors import watch_memory

    rules = [rule for each in settings.class_.values() for rule in each.groups]
    host_class = next(iter(settings.class_)) if len(settings.class_) == 1 else "host"
    return _write(ctx, run, watch_memory(seconds, rules=rules, host=host, host_class=host_class))


def _watch_there(ctx: Context, run: RunFolder, reached: Reached, seconds: float, settings: Settings) -> tuple[HostMemory, str]:
    """Have the agent watch another host, and write what it saw."""
    from tempfile import TemporaryDirectory

    from collectors import look_beat_s, spool_moments, watch_host
    from sizeup.hosts import wanted_agent

    wanted = wanted_agent(settings, reached.host, look_beat_s(seconds))
    try:
        with TemporaryDirectory(prefix="sizeup-look-") as folder:
            watch_host(reached.remote, Path(folder), seconds, wanted)
            moments, arch = spool_moments(Path(folder))
    finally:
        reached.remote.close()
    return _write(ctx, run, moments), arch


def _write(ctx: Context, run: RunFolder, moments: Iterable[LookMoment]) -> HostMemory:
    """Put each moment's rows into the run; return the fullest."""
    from collectors import fullest
    from evidence import SpoolWriter
    from sizeup.output import mib

    hosts, processes = SpoolWriter(run.spool / "hosts.spool", "hosts"), SpoolWriter(run.spool / "processes.spool", "processes")
    memories = []
    for moment in moments:
        for writer, rows in ((hosts, moment.hosts), (processes, moment.processes)):
            for row in rows:
                writer.append_named(row)
            writer.flush()
        memories.append(moment.memory)
        ctx.say(f"  {moment.memory.seconds:4.1f} s  processes and kernel hold {mib(moment.memory.held_bytes)}")
    hosts.close()
    processes.close()
    return fullest(memories)


def judge(memory: HostMemory, settings: Settings, catalogue: Catalogue, types: Sequence[InstanceType]) -> LookResult:
    """Judge the types at the catalogue's prices, less the account's discount."""
    from sizing.decide.candidates import MONTH_H
    from sizing.look import judge_look

    paid = MONTH_H * (1 - Decimal(str(settings.pricing.discount_ratio)))
    prices = {t.name: catalogue.on_demand(t.name) for t in types}
    monthly = {name: None if price is None else price.usd * paid for name, price in prices.items()}
    deploys = {each.deploy for each in settings.class_.values()} or {"blue_green"}
    return judge_look(memory, types, monthly, two_copies="blue_green" in deploys)


def look_text(result: LookResult, run: RunFolder, arch: str, next_step: str, warnings: Sequence[str]) -> str:
    """Write the answer for people: the verdict, what was held, each type, what to do next."""
    from sizeup.output import mib, table

    memory = result.memory
    rows = shown(result.types)
    parts = [
        f"{memory.host}  {mib(memory.held_bytes)} held of {mib(memory.total_bytes)}; {headline(result.types, arch)}",
        table(_group_rows(memory), right=(1, 2), indent="  "),
        table(_type_rows(rows), right=(1, 2, 4, 6), indent="  "),
    ]
    if len(rows) < len(result.types):
        parts.append(f"  and {len(result.types) - len(rows)} smaller or dearer types: --json has them all")
    parts += [f"note: {sentence}" for sentence in warnings]
    parts += [f"provisional: {memory.seconds:g} s without load; what it holds at its peak was not seen ({run.path})", f"next: {next_step}"]
    return "\n".join(parts)


def headline(types: Sequence[TypeFit], arch: str) -> str:
    """Say which type is the cheapest that holds it, and which cheaper one would with a lever; of the processor that runs there."""
    own = [fit for fit in types if fit.arch == arch]
    whole = next((fit for fit in own if fit.whole), None)
    cheaper = own[: own.index(whole)] if whole else own
    levered = next((fit for fit in cheaper if fit.lever and fit.fits != "no"), None)
    by_lever = f"{levered.type} with {levered.lever}" if levered else ""
    if whole is None:
        return f"none of these types holds it as it is{f', {by_lever} would' if levered else ''}"
    unjudged = ", deployments not judged" if whole.fits_deploy == "unknown" else ""
    return f"{whole.type} is the cheapest that holds it{unjudged}{f'; {by_lever} would too' if levered else ''}"


def here_arch() -> str:
    """Return this machine's architecture as EC2 names it."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def shown(types: Sequence[TypeFit]) -> Sequence[TypeFit]:
    """Return the types worth reading: from just below the first that holds it in any way to just above the first that does as it is."""
    if len(types) <= FEW:
        return types
    first = next((n for n, fit in enumerate(types) if fit.fits != "no"), 0)
    whole = next((n for n, fit in enumerate(types) if fit.whole), len(types))
    return types[max(0, first - 2) : whole + 4]


def next_command(ctx: Context, settings: Settings, run: RunFolder, result: LookResult, arch: str) -> str:
    """Return the step that the answer leads to: a load where a target is named, else the gate before anything is paid."""
    if settings.target:
        return f"sizeup load {next(iter(settings.target))}"
    best = next((fit for fit in result.types if fit.whole and fit.arch == arch), None)
    where = "" if str(ctx.results) == "results/runs" else f" --results {ctx.results}"
    return f"sizeup gate {run.id} --buy {best.type if best else 't3.small'}:1:1y:all-upfront{where}"


def _group_rows(memory: HostMemory) -> list[list[str]]:
    from sizeup.output import mib

    rows = [["group", "PSS", "RSS", "", ""]]
    for group in memory.groups:
        pss = "not readable" if group.pss_bytes is None else mib(group.pss_bytes)
        count = f"{group.pids} process{'' if group.pids == 1 else 'es'}"
        rows.append([f"{group.group} {group.color or ''}".strip(), pss, mib(group.rss_bytes), count, _heap(group.jvm)])
    rows.append(["kernel and system", mib(memory.system_bytes), "", "", ""])
    rows.append(["page cache floor", mib(memory.page_cache_floor_bytes), "", "", ""])
    return rows


def _heap(jvm: JvmMemory | None) -> str:
    from sizeup.output import mib

    if jvm is None:
        return ""
    live = "not known before a collection" if jvm.live_bytes is None else mib(jvm.live_bytes)
    return f"{jvm.gc} heap {mib(jvm.committed_bytes)} of {mib(jvm.max_bytes)}, alive {live}"


def _type_rows(types: Sequence[TypeFit]) -> list[list[str]]:
    from sizeup.output import mib, money

    words = {"yes": "fits", "with_lever": "with lever", "no": "no", "unknown": "unknown"}
    rows = [["type", "usable", "at rest", "", "two copies", "", "a month", "lever"]]
    for fit in types:
        twice = "" if fit.need_deploy_bytes is None else mib(fit.need_deploy_bytes)
        lever = "" if fit.lever is None else f"{fit.lever}: {mib(fit.need_with_lever_bytes)}"
        rows.append([
            fit.type, mib(fit.usable_bytes), mib(fit.need_bytes), words[fit.fits], twice, words[fit.fits_deploy],
            money(fit.monthly_usd), lever,
        ])  # fmt: skip
    return rows
