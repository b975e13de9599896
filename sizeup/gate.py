"""May this be bought? The purchase, what the runs say about it, and what is held, put into one document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence import Warn, open_run, settle
from sizeup.chosen import chosen_runs
from sizeup.output import envelope

if TYPE_CHECKING:
    from catalogue import Catalogue
    from evidence import Run
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
    """Judge a purchase on the named runs, else on those of `chosen_runs` that are not synthetic, else on none.

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
    paths = chosen_runs(ctx, specs, synthetic=False)
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
    from sizing.question import named_classes

    runs = [open_run(path) for path in paths]
    if not any(named_classes(run) and (run.hosts.height or run.metrics.height) for run in runs):
        return _without_hosts(ctx, runs)
    answered = recommend_paths(ctx, paths, Question())
    account = answered.settings.account
    months = free_months_left(buy.type, account.free_tier, account.ends_at, now.date(), answered.catalogue)
    warnings = [Warn(w["code"], w["message"]) for w in answered.document["warnings"]]
    return Measured(
        answered.settings, answered.catalogue, answered.document["runs"],
        gate_evidence(answered.answer, buy, free_months_left=months), answered.held, usage(answered.answer), warnings,
    )  # fmt: skip


def _without_hosts(ctx: Context, runs: Sequence[Run]) -> Measured:
    """Take runs without a host's CPU (a load from afar): they exist, and bring no window or deployment that could be sized by."""
    from dataclasses import replace

    from sizing.model.history import read_history
    from sizing.money import GateEvidence

    without = _without_run(ctx)
    history = read_history((run.metrics for run in runs if run.requests.is_empty()), without.settings.project.timezone)
    seen = GateEvidence(
        runs=len(runs), synthetic=any(run.synthetic for run in runs), valid_minutes=0.0, deployments=0,
        history_days=0.0 if history is None else float(history.days),
    )  # fmt: skip
    return replace(without, runs=[run.id for run in runs], evidence=seen)
