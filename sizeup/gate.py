"""May this be bought? The purchase, what the runs say about it, and what is held, put into one document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence import Warn, find_run, open_run, settle
from sizeup.output import envelope

if TYPE_CHECKING:
    from catalogue import Catalogue
    from sizeup.context import Context
    from sizeup.settings import Settings
    from sizing.money import Buy, GateEvidence, Holding, Usage
    from sizing.money.gate import Gate

SCHEMA = "sizeup.gate/1"


@dataclass(frozen=True, slots=True)
class Measured:
    """What the runs bring to a purchase; all empty where nothing was measured."""

    settings: Settings
    catalogue: Catalogue
    runs: Sequence[str] = ()
    evidence: GateEvidence | None = None
    held: Sequence[Holding] = ()
    usage: Sequence[Usage] = ()
    warnings: Sequence[Warn] = ()


@dataclass(frozen=True, slots=True)
class Gated:
    """The verdict with its JSON document; `warnings` are those that the verdict's own sentences don't say."""

    gate: Gate
    document: dict[str, Any]
    warnings: Sequence[Warn]


def gate_purchase(ctx: Context, specs: Sequence[str], buy_text: str, upfront: str | None, hourly: str | None) -> Gated:
    """Judge a purchase on the named runs, else on the newest complete one that is not synthetic, else on none.

    Raises
    ------
    SizeupError
        Where the purchase is written wrongly, its price is neither known nor given, or a run can't be read.
    """
    from sizing import gate
    from sizing.money import parse_buy, purchase_price
    from sizing.money.buy import parse_usd

    now = datetime.now(UTC)
    buy = parse_buy(buy_text)
    given = parse_usd("--upfront", upfront), parse_usd("--hourly", hourly)
    settle(ctx.results, now)
    paths = [ctx.run(spec) for spec in specs] or [p for p in [find_run(ctx.results, None, synthetic=False)] if p]
    measured = _from_runs(ctx, paths, buy, now) if paths else _without_run(ctx)
    price = purchase_price(measured.catalogue, buy, upfront_usd=given[0], hourly_usd=given[1])
    judged = gate(
        buy, price, settings=measured.settings.gate, catalogue=measured.catalogue, generated_at=now, evidence=measured.evidence,
        held=measured.held, usage=measured.usage,
    )  # fmt: skip
    document = envelope(
        SCHEMA, now, measured.runs, measured.settings, measured.catalogue, 0 if paths else None, judged.unknown_entries(),
        [*measured.warnings, *judged.warnings], judged.as_json(),
    )  # fmt: skip
    return Gated(judged, document, measured.warnings)


def _without_run(ctx: Context) -> Measured:
    from sizeup.prices import open_catalogue
    from sizing.money import holdings

    settings = ctx.settings()
    region, warnings = ctx.region(settings)
    return Measured(settings, open_catalogue(region), held=holdings(settings.held), warnings=warnings)


def _from_runs(ctx: Context, paths: Sequence[Path], buy: Buy, now: datetime) -> Measured:
    """Answer for the runs as `recommend` does, and take from it what a purchase is judged by."""
    from sizeup.answer import recommend_paths
    from sizing import Question
    from sizing.money.free_tier import free_months_left
    from sizing.purchase import gate_evidence, usage

    if all(open_run(path).hosts.is_empty() for path in paths):
        return _without_hosts(ctx, paths)
    answered = recommend_paths(ctx, paths, Question())
    account = answered.settings.account
    months = free_months_left(buy.type, account.free_tier, account.ends_at, now.date(), answered.catalogue)
    warnings = [Warn(w["code"], w["message"]) for w in answered.document["warnings"]]
    return Measured(
        answered.settings, answered.catalogue, answered.document["runs"],
        gate_evidence(answered.answer, buy, free_months_left=months), answered.held, usage(answered.answer), warnings,
    )  # fmt: skip


def _without_hosts(ctx: Context, paths: Sequence[Path]) -> Measured:
    """Take runs without a host sample (a load from afar): they exist, and bring no window or deployment that could be sized by."""
    from dataclasses import replace

    from sizing.money import GateEvidence

    synthetic = any(open_run(path).synthetic for path in paths)
    seen = GateEvidence(runs=len(paths), synthetic=synthetic, valid_minutes=0.0, history_days=0.0, deployments=0)
    return replace(_without_run(ctx), runs=[path.name for path in paths], evidence=seen)
