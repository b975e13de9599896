"""What does the whole stack cost a month? From a run's topology and traffic, with what its managed services need and what
running it another way would cost."""

from __future__ import annotations

import calendar
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from evidence import Run, SizeupError, Warn, open_run, settle
from sizeup.output import envelope

if TYPE_CHECKING:
    from catalogue import Catalogue
    from sizeup.context import Context
    from sizeup.settings import Settings
    from sizing.managed import ManagedAnswer
    from sizing.money import Alternative, StackCost

SCHEMA = "sizeup.stack/1"
PLAN_REGION = "us-east-1"
"""Where the free tier's API answers."""
SYSTEM_GROUPS = ("kernel_and_system", "page_cache_floor")
"""Parts of a host's memory that a container's or a function's platform brings itself."""


@dataclass(frozen=True, slots=True)
class Stacked:
    """The answer; `document` is the JSON document."""

    document: dict[str, Any]
    cost: StackCost
    warnings: Sequence[Warn]


def stack_of_run(ctx: Context, spec: str | None) -> Stacked:
    """Price the stack of a run (default: the newest complete one).

    Raises
    ------
    SizeupError
        Where there is no run, or it holds no topology.
    """
    from sizeup.answer import region_for, settings_for
    from sizeup.prices import open_catalogue

    now = datetime.now(UTC)
    settle(ctx.results, now)
    run = open_run(ctx.run(spec))
    if not run.topology:
        raise SizeupError(f"run {run.id}: has no topology.json, so what stands there isn't known; load or collect with an account.")
    settings = settings_for(ctx, run)
    region, warnings = region_for(ctx, settings, run)
    catalogue = open_catalogue(region)
    plan, plan_warnings = asked_plan(ctx, run, settings)
    cost = price_stack(run, settings, catalogue, now.date(), plan=plan)
    managed, others = managed_answers(run, catalogue), other_services(ctx, run, catalogue)
    warnings = [*warnings, *plan_warnings, *old_price_warnings(cost, now.date(), region)]
    body = stack_body(cost, run, settings, catalogue, now.date(), managed, others)
    document = envelope(SCHEMA, now, [run.id], settings, catalogue, None, _unknowns(cost, managed, others), warnings, body)
    return Stacked(document, cost, warnings)


def asked_plan(ctx: Context, run: Run, settings: Settings) -> tuple[Mapping[str, Any] | None, list[Warn]]:
    """Ask the account which free tier it has, where neither the settings nor the run say so and the run is of a real one."""
    if settings.account.free_tier != "unknown" or run.synthetic or run.topology.get("account_plan"):
        return None, []
    from collectors import AwsSession, account_plan

    aws = AwsSession(PLAN_REGION, os.environ.get("AWS_ENDPOINT_URL"), ctx.profile)
    try:
        return account_plan(aws), []
    except SizeupError as refused:
        sentence = f"{str(refused).rstrip('.')}; or state [account] free_tier in sizeup.toml."
        return None, [Warn("free_tier_unknown", sentence)]


def price_stack(
    run: Run, settings: Settings, catalogue: Catalogue, day: date, *, hours: Decimal | None = None, plan: Mapping[str, Any] | None = None
) -> StackCost:
    """Price a run's stack at the settings' traffic, discount and free tier; a month has 730 hours unless told.

    `plan` is what the account says of its free tier, which goes before the settings.
    """
    from sizing.money import free_tier_of, run_use, stack_cost
    from sizing.money.units import MONTH_H

    use = run_use(run.access_log, run.metrics, run.topology, mean_per_s=settings.traffic.mean_per_s)
    account = settings.account
    return stack_cost(
        run.topology, catalogue, hours=hours or MONTH_H, lcu=None if use.lcu is None else use.lcu.units, transfer_gb=use.transfer_gb,
        cdn_gb=use.cdn_gb, metrics_read=use.metrics_read, day=day, basis=use.basis,
        discount_ratio=Decimal(str(settings.pricing.discount_ratio)),
        free_tier=free_tier_of(account.free_tier, account.ends_at, plan or run.topology.get("account_plan")),
    )  # fmt: skip


def managed_answers(run: Run, catalogue: Catalogue) -> list[ManagedAnswer]:
    """Size every database and cache that the run's topology names."""
    from sizing.managed import size_cache, size_database

    databases = [size_database(run.metrics, database, catalogue) for database in run.topology.get("rds", ())]
    return databases + [size_cache(run.metrics, cache, catalogue) for cache in run.topology.get("cache", ())]


def other_services(ctx: Context, run: Run, catalogue: Catalogue) -> list[Alternative]:
    """Price each measured host class on Fargate and on Lambda; none where the run holds no host's sample."""
    from sizeup.answer import recommend_paths
    from sizing import Question
    from sizing.money import other_ways

    if run.hosts.is_empty():
        return []
    answered = recommend_paths(ctx, [run.path], Question())
    mean_per_s = answered.settings.traffic.mean_per_s
    demands = [service_demand(host, run, answered.document["traffic"], mean_per_s) for host in answered.document["hosts"]]
    return [way for demand in demands if demand is not None for way in other_ways(demand, catalogue)]


def service_demand(host: Mapping[str, Any], run: Run, traffic: Mapping[str, Any], mean_per_s: float | None) -> Any:
    """Turn one host class of the recommend document into what another service would have to carry; None where it isn't known."""
    import polars as pl

    from sizing.money import ServiceDemand
    from sizing.money.month import outside

    groups = {g["class"]: g["name"] for g in run.topology.get("target_groups", ())}
    lines = run.access_log.filter((pl.col("target_group") == groups.get(host["class"])) & pl.col("target_s").is_not_null())
    judged = next((c for c in [host["recommended"], host["present"], *host["candidates"]] if c), None)
    cpu = next((k["need"] for k in judged["constraints"] if k["constraint"] == "cpu"), None) if judged else None
    if lines.is_empty() or cpu is None or traffic["peak_per_s"] is None:
        return None
    memory = sum(part["bytes"]["hi"] for part in host["memory"]["parts"] if part["group"] not in SYSTEM_GROUPS)
    share, peak = lines.height / outside(run.access_log).height, traffic["peak_per_s"]["mid"]
    duration_s = float(lines["target_s"].to_numpy().mean())
    arch = "arm64" if judged and judged["arch"] == "arm64" else "x86"
    return ServiceDemand(host["class"], cpu, memory, (mean_per_s or peak) * share, peak * share, duration_s, arch)  # type: ignore[arg-type]  # one of the two


def stack_body(
    cost: StackCost, run: Run, settings: Settings, catalogue: Catalogue, day: date, managed: Sequence[ManagedAnswer],
    others: Sequence[Alternative],
) -> dict[str, Any]:  # fmt: skip
    """Write what `sizeup stack --json` adds to the envelope."""
    days = calendar.monthrange(day.year, day.month)[1]
    exact = price_stack(run, settings, catalogue, day, hours=Decimal(24 * days))
    return {
        "region": catalogue.region, **cost_json(cost),
        "exact_month": {"month": f"{day:%Y-%m}", "hours": 24 * days, "monthly_usd": exact.as_json()["total_usd"]},
        "discount_ratio": settings.pricing.discount_ratio, "currency": currency(settings, cost.total_usd),
        "managed": [answer.as_json() for answer in managed], "alternatives": [way.as_json() for way in others],
    }  # fmt: skip


def cost_json(cost: StackCost) -> dict[str, Any]:
    """Write a month of the stack: its lines, their sum as far as it is known, and what could go."""
    found = cost.as_json()
    removable = [
        {"what": f"public address {r.ip} of {r.service} {r.owner}", "monthly_usd": r.as_json()["saves_monthly_usd"]} for r in cost.removable
    ]
    return {
        "hours": found["hours"], "monthly_usd": found["total_usd"], "lines": found["lines"], "removable": removable,
        "basis": found["basis"], "free_tier": found["free_tier"],
    }  # fmt: skip


def currency(settings: Settings, usd: Decimal) -> dict[str, Any] | None:
    """The month in the currency that the settings name, at their rate; None for dollars, which everything is reckoned in."""
    pricing = settings.pricing
    if pricing.currency == "USD" or pricing.currency_per_usd is None or pricing.currency_as_of is None:
        return None
    monthly = (usd * pricing.currency_per_usd).quantize(Decimal(1))
    return {
        "code": pricing.currency, "per_usd": format(pricing.currency_per_usd, "f"), "as_of": pricing.currency_as_of.isoformat(),
        "monthly": format(monthly, "f"),
    }  # fmt: skip


def old_price_warnings(cost: StackCost, day: date, region: str) -> list[Warn]:
    """Warn where a price that counts is over 90 days old."""
    old = cost.old_lines(day)
    if not old:
        return []
    oldest = min(old, key=lambda line: line.as_of or date.max)
    message = f"{len(old)} of {len(cost.lines)} prices are over 90 days old ({oldest.what}: of {oldest.as_of})"
    return [Warn("price_old", f"{message}; sizeup prices refresh --region {region} reads today's.")]


def _unknowns(cost: StackCost, managed: Sequence[ManagedAnswer], others: Sequence[Alternative]) -> list[dict[str, str]]:
    found = list(cost.unknowns)
    found += [a.unknown.entry(f"managed[{n}].recommended") for n, a in enumerate(managed) if a.unknown is not None]
    return found + [way.unknown.entry(f"alternatives[{n}].monthly_usd") for n, way in enumerate(others) if way.unknown is not None]
