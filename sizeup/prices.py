"""What does the catalogue say of a type, a class or a service, and how is it read anew from AWS?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence import SizeupError, Warn
from sizeup.output import envelope

if TYPE_CHECKING:
    from catalogue import Catalogue, Price, ReservedPrice, ServicePrice
    from catalogue.refresh import Refreshed
    from sizeup.context import Context

SCHEMA = "sizeup.prices/1"
REFRESH_SCHEMA = "sizeup.prices_refresh/1"
OLD_DAYS = 90
SURPLUS = "surplus CPU credits (unlimited; what is borrowed also on stop, terminate and switch to standard)"
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Shown:
    """The prices of one thing; `document` is the JSON document."""

    document: dict[str, Any]
    rows: Rows
    warnings: Sequence[Warn]


def show_prices(ctx: Context, name: str) -> Shown:
    """Gather every price of a type, a database class, a cache node or a service.

    Raises
    ------
    SizeupError
        For a region without prices, and a name that the catalogue doesn't know, with the nearest.
    """
    settings = ctx.settings()
    region, warnings = ctx.region(settings)
    catalogue, now = open_catalogue(region), datetime.now(UTC)
    rows, unknowns = price_rows(catalogue, name)
    warnings = [*warnings, *old_prices(rows, now.date(), region)]
    body = {
        "region": region, "name": name, "refreshed_on": None if catalogue.refreshed_on is None else catalogue.refreshed_on.isoformat(),
        "type": type_facts(catalogue, name), "prices": rows,
    }  # fmt: skip
    document = envelope(SCHEMA, now, [], settings, catalogue, None, unknowns, warnings, body)
    return Shown(document, rows, warnings)


def open_catalogue(region: str) -> Catalogue:
    """Open a region's catalogue, what was refreshed with it."""
    from catalogue import cache_folder, load_catalogue

    return load_catalogue(region, cache_folder(os.environ))


def refresh_prices(ctx: Context, files: Sequence[Path]) -> tuple[dict[str, Any], Refreshed]:
    """Read a region's prices from AWS, or from its published offer files, into the user's cache folder.

    Raises
    ------
    SizeupError
        Where AWS doesn't answer (what was read stays), a file is no offer file, or the folder can't be written to.
    """
    from catalogue import cache_folder, read_offer_files
    from catalogue.refresh import only_refresh, store_pages

    settings = ctx.settings()
    region, warnings = ctx.region(settings)
    folder, now = cache_folder(os.environ), datetime.now(UTC)
    with only_refresh(folder, region):
        if files:
            found = read_offer_files(region, files, folder, now)
        else:
            warnings = [*warnings, *_fetch(ctx, region, folder, now)]
            found = store_pages(region, folder, now)
    if found.left_out:
        message = f"{', '.join(found.left_out)}: burstable, but nobody stated their credit rules; no decision offers them."
        warnings = [*warnings, Warn("burst_rules_missing", message)]
    for warning in warnings:
        ctx.say(f"warning: {warning.message}")
    body = {"region": region, **found.as_json()}
    return envelope(REFRESH_SCHEMA, now, [], settings, open_catalogue(region), None, [], warnings, body), found


def _fetch(ctx: Context, region: str, folder: Path, now: datetime) -> list[Warn]:
    """Ask AWS through one session an endpoint's region."""
    from catalogue import fetch_pages
    from collectors import AwsSession

    sessions: dict[str, AwsSession] = {}

    def ask(where: str, service: str, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if where not in sessions:
            sessions[where] = AwsSession(where, os.environ.get("AWS_ENDPOINT_URL"), ctx.profile)
        return sessions[where].call(service, operation, **arguments)

    return [Warn("refresh_partial", sentence) for sentence in fetch_pages(region, ask, folder, now, ctx.say)]


def price_rows(catalogue: Catalogue, name: str) -> tuple[Rows, list[dict[str, str]]]:
    """Return every price of a name, and what of it has no price here.

    Raises
    ------
    SizeupError
        For a name that the catalogue doesn't know.
    """
    if name.startswith("db."):
        return _require(catalogue, name, _database_rows(catalogue, name)), []
    if name.startswith("cache."):
        return _require(catalogue, name, _cache_rows(catalogue, name)), []
    if "." in name:
        catalogue.require(name)
        return _type_rows(catalogue, name), _missing(catalogue, name)
    tiers = [tier for key, found in catalogue.services.items() if key[0] == name for tier in found]
    return _require(catalogue, name, [_row(t.service, _tier_words(t), t) for t in tiers]), []


def _require(catalogue: Catalogue, name: str, rows: Rows) -> Rows:
    if rows:
        return rows
    import difflib

    known = sorted({service for service, _ in catalogue.services})
    near = difflib.get_close_matches(name, [*known, *catalogue.types], 1, 0.6)
    mend = f'did you mean "{near[0]}"?' if near else f"name a type (t3.small, db.t3.micro, cache.t3.micro) or one of {', '.join(known)}."
    raise SizeupError(f'no price of "{name}" in {catalogue.region}; {mend}')


def _type_rows(catalogue: Catalogue, name: str) -> Rows:
    from sizing.money.buy import OFFERINGS, PAYMENTS

    rows = [_row("ec2", f"{name} on demand", price) for price in [catalogue.on_demand(name)] if price]
    for offering in OFFERINGS.values():
        for years in (1, 3):
            for words, payment in PAYMENTS.items():
                found = catalogue.reserved(name, term_years=years, payment=payment, offering=offering)
                rows += [] if found is None else [_reserved_row(f"{name} {offering}, {years} y, {words}", found)]
    for plan in ("compute", "ec2"):
        for years in (1, 3):
            for words, payment in PAYMENTS.items():
                rate = catalogue.savings_plan(name, plan=plan, term_years=years, payment=payment)
                rows += [] if rate is None else [_row("savings plan", f"{name} {plan} plan, {years} y, {words}", rate)]
    surplus = catalogue.surplus_credit_usd_per_vcpu_h(catalogue.types[name].family) if name in catalogue.types else None
    return rows + ([] if surplus is None else [_row("ec2", SURPLUS, surplus)])


def _missing(catalogue: Catalogue, name: str) -> list[dict[str, str]]:
    """What of a type has no price: the savings-plan rates, which nobody publishes outside the account."""
    if any(key[1] == name for key in catalogue.savings_plans):
        return []
    why = f"no savings-plan rate of {name} in {catalogue.region} is known here"
    return [{"path": "prices", "why": why, "lift": f"sizeup prices refresh --region {catalogue.region}"}]


def _database_rows(catalogue: Catalogue, name: str) -> Rows:
    """On demand and reserved, each engine and deployment by itself."""
    found = sorted((key, row) for key, row in catalogue.databases.items() if key[1] == name and key[3] != "storage")
    return [_listed("rds", f"{name} {engine}, {zones}", row) for (engine, _, zones, *_), row in found]


def _cache_rows(catalogue: Catalogue, name: str) -> Rows:
    found = sorted((key, row) for key, row in catalogue.nodes.items() if key[1] == name)
    return [_listed("elasticache", f"{name} {engine}", row) for (engine, *_), row in found]


def _listed(service: str, what: str, found: tuple[dict[str, str], Any]) -> dict[str, Any]:
    """A row of a table of databases or caches, with its term where it is a reservation."""
    from catalogue.prices import price_of

    row = found[0]
    term = f", reserved {row['term_years']} y, {row['payment']}-upfront" if row["kind"] == "reserved" else ""
    parts = {"upfront_usd": row["upfront_usd"] or None, "hourly_usd": row["recurring_usd_per_hour"] or None}
    return {**_row(service, f"{what}{term}", price_of(found)), **parts}


def type_facts(catalogue: Catalogue, name: str) -> dict[str, Any] | None:
    """What a type, a class or a node holds; None for a service."""
    from catalogue import cache_nodes, database_classes

    if name in catalogue.types:
        found = catalogue.types[name]
        return {"vcpus": found.vcpus, "memory_bytes": found.memory_bytes, "usable_bytes": found.usable_bytes,
                "usable_basis": found.usable_basis, "arch": found.arch, "threads_per_core": found.threads_per_core,
                "network_baseline_bit_per_s": found.network_baseline_bit_per_s, "ebs_baseline_bit_per_s": found.ebs_baseline_bit_per_s,
                "current_generation": found.current_generation, "source": found.source}  # fmt: skip
    held = database_classes().get(name) or cache_nodes().get(name)
    return None if held is None else {"vcpus": held.vcpus, "memory_bytes": held.memory_bytes, "source": held.source}


def old_prices(rows: Iterable[Mapping[str, Any]], today: date, region: str) -> list[Warn]:
    """Warn where a price is over 90 days old, naming the oldest and the mend."""
    days = {row["item"]: (today - date.fromisoformat(row["as_of"])).days for row in rows if row["as_of"]}
    old = {item: age for item, age in days.items() if age > OLD_DAYS}
    if not old:
        return []
    item = max(old, key=lambda name: old[name])
    message = f"{len(old)} of {len(days)} dated prices are over {OLD_DAYS} days old ({item}: {old[item]} days)"
    return [Warn("price_old", f"{message}; sizeup prices refresh --region {region} reads today's.")]


def old_type_prices(catalogue: Catalogue, names: Iterable[str], today: date) -> list[Warn]:
    """Warn where a type's price on demand is over 90 days old."""
    priced = [(name, catalogue.on_demand(name)) for name in names]
    rows = [{"item": name, "as_of": price.as_of and price.as_of.isoformat()} for name, price in priced if price is not None]
    return old_prices(rows, today, catalogue.region)


def _row(service: str, item: str, price: Price | ServicePrice) -> dict[str, Any]:
    return {
        "service": service, "item": item, "usd": format(price.usd, "f"), "unit": price.unit, "upfront_usd": None, "hourly_usd": None,
        "estimated": bool(getattr(price, "estimated", False)), "quoted": price.quoted,
        "as_of": None if price.as_of is None else price.as_of.isoformat(), "source": price.source,
    }  # fmt: skip


def _reserved_row(item: str, price: ReservedPrice) -> dict[str, Any]:
    return {
        "service": "ec2", "item": item, "usd": format(price.effective_hourly_usd, "f"), "unit": "hour",
        "upfront_usd": None if price.upfront_usd is None else format(price.upfront_usd, "f"),
        "hourly_usd": None if price.hourly_usd is None else format(price.hourly_usd, "f"), "estimated": price.estimated,
        "quoted": price.quoted,
        "as_of": None if price.as_of is None else price.as_of.isoformat(), "source": price.source,
    }  # fmt: skip


def _tier_words(tier: ServicePrice) -> str:
    if tier.tier_from is None and tier.tier_to is None:
        return tier.item
    return f"{tier.item}, from {tier.tier_from or 0:f}" + ("" if tier.tier_to is None else f" to {tier.tier_to:f}")
