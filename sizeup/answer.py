"""From run folders to a finished answer: settings, prices and runs read here, decided in `sizing`, put into one document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    from sizing import Answer, Question
    from sizing.money import Cover, Holding

SCHEMA = "sizeup.recommend/1"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with what it was made from; `document` is the JSON document of docs/reference/json.md."""

    document: dict[str, Any]
    answer: Answer
    runs: Sequence[Run]
    catalogue: Catalogue
    settings: Settings
    held: Sequence[Holding]


def recommend_runs(ctx: Context, specs: Sequence[str], question: Question) -> Answered:
    """Answer for the named runs, else for those of `chosen_runs`.

    Raises
    ------
    SizeupError
        Where there is no run, or one can't be read.
    """
    settle(ctx.results, datetime.now(UTC))
    paths = chosen_runs(ctx, specs) or [ctx.run(None)]
    return recommend_paths(ctx, paths, question)


def recommend_paths(ctx: Context, paths: Sequence[Path], question: Question) -> Answered:
    """Answer for these run folders.

    Raises
    ------
    SizeupError
        Where one can't be read, or a named type or class is not known.
    """
    from sizeup.prices import open_catalogue
    from sizing import recommend
    from sizing.money import apply_held, holdings
    from sizing.purchase import usage

    now = datetime.now(UTC)
    runs = sorted((open_run(path) for path in paths), key=lambda r: r.id, reverse=True)
    settings = settings_for(ctx, runs[0])
    region, warnings = region_for(ctx, settings, runs[0])
    catalogue = open_catalogue(region)
    answer = recommend(runs, settings, catalogue, question, timezone=settings.project.timezone)
    held = holdings(settings.held, runs[0].topology)
    covers = apply_held(held, usage(answer), now)
    body = answer.as_json() | extras(answer, runs[0], settings, catalogue, covers)
    document = envelope(
        SCHEMA, now, [r.id for r in runs], settings, catalogue, question.seed, [*answer.unknowns, *body.pop("unknown_costs")],
        [*warnings, *answer.warnings, *_stale(body, region, now)], body,
    )  # fmt: skip
    return Answered(document, answer, runs, catalogue, settings, held)


def settings_for(ctx: Context, run: Run) -> Settings:
    """Read the settings file where there is one, else those that the run was made with."""
    from sizeup.settings import load_settings

    if ctx.config is None and run.settings_toml:
        return load_settings(run.path / "settings.toml")
    return ctx.settings()


def region_for(ctx: Context, settings: Settings, run: Run) -> tuple[str, list[Warn]]:
    """The region asked for, else the settings', else the one the run's account lies in."""
    region, warnings = ctx.region(settings)
    where = run.topology.get("region")
    return (str(where), []) if warnings and where else (region, warnings)


def extras(answer: Answer, run: Run, settings: Settings, catalogue: Catalogue, covers: Sequence[Cover]) -> dict[str, Any]:
    """What stands beside the hosts: held reservations, the stack's month, and one year reserved against on demand."""
    from sizeup.stack import cost_json, price_stack

    cost = price_stack(run, settings, catalogue, datetime.now(UTC).date()) if run.topology else None
    return {
        "held": [cover.as_json() for cover in covers],
        "stack": None if cost is None else cost_json(cost),
        "commitment": commitment(answer, catalogue),
        "unknown_costs": [] if cost is None else [{**entry, "path": f"stack.{entry['path']}"} for entry in cost.unknowns],
    }  # fmt: skip


def commitment(answer: Answer, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Compare, for each recommended host, a month on demand with one year reserved."""
    from sizing.money import compare_offers

    chosen = [(h.recommendation.host_class, h.recommendation.recommended) for h in answer.hosts]
    return [
        {"class": name, "type": v.candidate.type, "rows": [row.as_json() for row in compare_offers(catalogue, v.candidate.type)]}
        for name, v in chosen
        if v is not None
    ]


def _stale(body: Mapping[str, Any], region: str, now: datetime) -> list[Warn]:
    """Warn where a price that this answer rests on is over 90 days old: the chosen hosts' offers and the stack's lines."""
    from sizeup.prices import old_prices

    offers = [{"item": f"{chosen['type']} {row['payment']}", **row} for chosen in body["commitment"] for row in chosen["rows"]]
    lines = [{"item": line["what"], **line} for line in (body["stack"] or {"lines": ()})["lines"]]
    return old_prices([*offers, *lines], now.date(), region)


def failed_on(document: dict[str, Any], words: Sequence[str]) -> bool:
    """Tell whether `--fail-on` names the verdict of any host class."""
    return any(host["verdict"] in words for host in document["hosts"])
