"""`sizeup load`: a plan against a target that the settings name, recorded as a run; the embedded stack is measured as well."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from evidence import SizeupError, create_run, seal, settle, write_json
from loadtests import check_rates, check_target, scenario_mix, steps_plan
from sizeup.beside import gather_beside, told_price
from sizeup.measure import Load, Site, clock, describe, finished, judge_windows, measure, plan_json
from sizeup.targets import address_of, place_of, target_groups, topology_of

if TYPE_CHECKING:
    from collectors import AwsSession
    from loadtests import Target
    from sizeup.context import Context
    from sizeup.settings import Settings
    from staging import StackInfo

CONNECT_S = 5.0


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What `sizeup load` was asked."""

    rates_per_s: tuple[float, ...] = (5.0, 10.0, 20.0)
    step_s: float = 180.0
    max_rate_per_s: float | None = None
    scenario: str | None = None
    workers: int = 1
    dry_run: bool = False
    seed: int = 0


def run_load(ctx: Context, name: str, options: LoadOptions) -> Path | None:
    """Load the target called `name`; return the run's folder, None where it was only asked what would be done.

    Raises
    ------
    SizeupError
        Where the settings don't name the target, the plan exceeds its cap, it can't be reached, or nothing can be written.
    """
    settings = ctx.settings(required=True)
    target = check_target(name, settings.target)
    load = _load(options, settings)
    scenario_mix(load.simple, load.scenario)  # refused here, before a run is begun
    check_rates(name, target, load.steps)
    _within(options, load)
    url = address_of(ctx, settings, name, target)
    stack = stack_beside(ctx.config, url)
    for line in told(name, url, target.environment, load, stack):
        ctx.say(line)
    if options.dry_run:
        return None
    check_reachable(name, url)
    return _record(ctx, name, target, url, load, settings, stack)


def _load(options: LoadOptions, settings: Settings) -> Load:
    from loadtests.settings import plan_auth, plan_scenarios

    auth, secrets = plan_auth(settings.auth)
    return Load(
        steps_plan(options.rates_per_s, options.step_s), options.seed, scenario=options.scenario, workers=options.workers,
        simple=plan_scenarios(settings.scenario), auth=auth, secrets=secrets,
    )  # fmt: skip


def told(name: str, url: str, environment: str, load: Load, stack: StackInfo | None) -> list[str]:
    """Say what is about to be sent, to whom, and what will be measured beside it."""
    steps = ", ".join(f"{s.rate_per_s:g}/s for {s.seconds:g} s" for s in load.steps)
    requests = sum(s.rate_per_s * s.seconds for s in load.steps)
    measured = "its hosts are sampled and its access log is kept" if stack else "its hosts are not sampled from here"
    return [f"target {name}: {url} ({environment}); {steps}; about {requests:.0f} requests; {measured}"]


def check_reachable(name: str, url: str) -> None:
    """Open one connection before anything is recorded.

    Raises
    ------
    SizeupError
        Where none can be opened, with the reason.
    """
    place = urlsplit(url)
    port = place.port or (443 if place.scheme == "https" else 80)
    try:
        with socket.create_connection((str(place.hostname), port), CONNECT_S) as plain:
            if place.scheme == "https":
                ssl.create_default_context().wrap_socket(plain, server_hostname=place.hostname).close()
    except (OSError, ssl.SSLError) as refused:
        reason = getattr(refused, "strerror", None) or str(refused)
        raise SizeupError(f'target "{name}": {url} can\'t be reached ({reason}), nothing was sent; check url in [target.{name}].') from None


def stack_beside(config: Path | None, url: str) -> StackInfo | None:
    """Return the embedded stack whose own settings these are, where it serves that very address."""
    from staging import read_stack

    if config is None or not (config.parent / "stack.json").exists():
        return None
    try:
        info = read_stack(config.parent)
    except (SizeupError, json.JSONDecodeError):
        return None
    return info if info.alb_url == url else None


def _within(options: LoadOptions, load: Load) -> None:
    for step in load.steps:
        if options.max_rate_per_s is not None and step.rate_per_s > options.max_rate_per_s:
            raise SizeupError(
                f"--rates {step.rate_per_s:g}: over --max-rate {options.max_rate_per_s:g}, nothing was sent; lower one or raise the other."
            )


def _record(ctx: Context, name: str, target: Target, url: str, load: Load, settings: Settings, stack: StackInfo | None) -> Path:
    from sizeup.prices import open_catalogue
    from sizeup.settings import public_toml

    now = datetime.now(UTC)
    settle(ctx.results, now)
    region, _ = ctx.region(settings)
    catalogue = open_catalogue(region)
    folder = create_run(ctx.results, name, "steps", now, synthetic=stack is not None, clocks=clock(now))
    folder.update(plan=plan_json("steps", load))
    ctx.say(f"the run is {folder.path}")
    hosts = {str(key): value for key, value in target.hosts.items()} or {"frontend": str(urlsplit(url).hostname)}
    groups = target_groups(settings)
    lasts = timedelta(seconds=sum(step.seconds for step in load.steps))
    account = note_topology(ctx, settings, target, folder.path, lasts) if stack is None and (target.alb or groups) else None
    present = {str(instance["type"]) for instance in account[1]["instances"]} if account else set()
    types = [t for t in catalogue.types if t in present or t.startswith(("t2.", "t3.", "t3a.", "t4g."))]
    describe(catalogue, types, folder, public_toml(ctx.config) if ctx.config else "", None)
    site = Site(url, hosts, groups, stack.access_log if stack else None, stack.trees if stack else None)
    with finished(folder, settings.objective):
        measure(folder, site, load, ctx.say)
        if stack is not None:
            collect_account(folder.path, stack, now, ctx)
    if stack is None:
        for warning in gather_beside(ctx, name, settings, folder, account, now, datetime.now(UTC)):
            ctx.say(f"warning: {warning.message}")
        seal(folder, "complete", datetime.fromisoformat(folder.meta["ended_at"]))
        judge_windows(folder, settings.objective)
    return folder.path


def note_topology(
    ctx: Context, settings: Settings, target: Target, path: Path, lasts: timedelta = timedelta()
) -> tuple[AwsSession, dict[str, Any]] | None:
    """Put what stands behind a target's load balancer into the run, and say what reading its metrics will cost after a load that `lasts`.

    Where the account can't be read, say so, and return None: the load goes on.
    """
    from collectors import SideCalls, agent_metrics

    place = place_of(ctx, settings, target)
    try:
        topology = topology_of(place.aws, place.load_balancer, target_groups(settings))
        side = SideCalls(place.aws)
        topology["agent_metrics"] = agent_metrics(side)
    except SizeupError as refused:
        ctx.say(f"warning: {str(refused).rstrip('.')}; the run doesn't know what stands there.")
        return None
    topology["warnings"] += [dict(warning.as_json()) for warning in side.warnings]
    write_json(path / "topology.json", topology)
    now = datetime.now(UTC)
    ctx.say(f"{len(topology['instances'])} instances stand behind {topology['load_balancer']['name']}")
    ctx.say(told_price(topology, place.aws.region, now, now + lasts))
    return place.aws, topology


def collect_account(path: Path, info: StackInfo, began: datetime, ctx: Context) -> None:
    """Pull topology and CloudWatch of the stack's account into the run, by boto3."""
    from collectors import AwsSession, collect_cloudwatch
    from evidence import SpoolWriter

    aws = AwsSession(region=info.region, endpoint_url=info.aws_endpoint_url, profile=None)
    now, topology = datetime.now(UTC), topology_of(aws, info.load_balancer, info.target_groups)
    write_json(path / "topology.json", topology)
    # A metric's time is the start of its minute, which lies before the run's first second.
    rows = collect_cloudwatch(aws, topology, began.replace(second=0, microsecond=0), now)
    writer = SpoolWriter(path / ".spool" / "metrics.spool", "metrics")
    for row in rows:
        writer.append(row)
    writer.close()
    ctx.say(f"CloudWatch gave {len(rows)} points, the account {len(topology['addresses'])} public addresses")


def load_document(path: Path) -> dict[str, Any]:
    """Return what a finished load says of itself: run.json's words on its objectives and phases."""
    from evidence import read_meta

    meta = read_meta(path)
    kept = ("id", "status", "target", "plan", "counts", "phases", "knee_per_s", "saturation_per_s", "objectives", "generator", "synthetic")
    return {"path": str(path), **{key: meta.get(key) for key in kept}}


def missed(document: dict[str, Any]) -> bool:
    """Tell whether the load missed an objective."""
    objectives: Sequence[dict[str, Any]] = document["objectives"]
    return any(o["ok"] is False for o in objectives)
