"""What should be reserved? The runs' answer, the offers, and what is held, put into one document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evidence import SizeupError, Table, open_run, read_toml, settle, validate
from sizeup.chosen import chosen_runs
from sizeup.output import envelope

if TYPE_CHECKING:
    from sizeup.context import Context
    from sizeup.settings import Settings
    from sizing.money.commit_answer import Commitments, CommitQuestion
    from sizing.money.offers import Given

SCHEMA = "sizeup.commitments/1"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says: prices of one's own, terms and payments considered, the chance of leaving a month."""

    offers: Path | None = None
    term: str | None = None
    payment: str | None = None
    leave: str | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """The answer with its JSON document."""

    commitments: Commitments
    document: dict[str, Any]


class OfferRow(Table):
    """[[offer]] of an offers file: a price that the catalogue lacks, one instance; of a plan the hourly rate of the type."""

    kind: Literal["ri_standard", "ri_convertible", "sp_compute", "sp_ec2", "sp_database"]
    type: str
    term: Literal["1y", "3y"]
    payment: Literal["all-upfront", "partial-upfront", "no-upfront"]
    upfront_usd: Decimal = Decimal(0)
    hourly_usd: Decimal = Decimal(0)


class OffersFile(Table):
    """An offers file."""

    offer: tuple[OfferRow, ...] = ()


def commit_runs(ctx: Context, specs: Sequence[str], asked: Asked) -> Committed:
    """Answer for the named runs, else for the newest complete one that is not synthetic, else say that nothing is known.

    Raises
    ------
    SizeupError
        Where an option or the offers file is written wrongly, or a run can't be read.
    """
    from sizing.money import holdings
    from sizing.money.commit import commitments

    now = datetime.now(UTC)
    settle(ctx.results, now)
    given = read_offers(asked.offers)
    paths = chosen_runs(ctx, specs, synthetic=False)
    if not paths or all(open_run(path).hosts.is_empty() for path in paths):
        return _without_run(ctx, asked, given, now)
    from sizeup.answer import recommend_paths
    from sizeup.stack import managed_answers
    from sizing import Question
    from sizing.managed import managed_usage
    from sizing.money.held_plans import held_plans
    from sizing.purchase import futures

    answered = recommend_paths(ctx, paths, Question())
    settings = answered.settings
    run = answered.runs[0]
    databases = managed_usage(run.topology, managed_answers(run, answered.catalogue))
    found = commitments(
        futures(answered.answer, databases), answered.catalogue, now=now, question=question(settings, asked),
        held=holdings(settings.held, run.topology), plans=held_plans(run.topology), given=given, reasons=answered.answer.reasons,
    )  # fmt: skip
    keep = ("schema", "generated_at", "sizeup_version", "runs", "settings_sha256", "catalogue", "seed", "warnings")
    head = {key: answered.document[key] for key in keep} | {"schema": SCHEMA}
    return Committed(found, head | {"unknowns": found.unknown_entries()} | found.as_json())


def _without_run(ctx: Context, asked: Asked, given: Mapping[tuple[str, str, int, str], Given], now: datetime) -> Committed:
    from sizeup.prices import open_catalogue
    from sizing.money import holdings
    from sizing.money.commit import commitments

    settings = ctx.settings()
    region, warnings = ctx.region(settings)
    catalogue = open_catalogue(region)
    found = commitments((), catalogue, now=now, question=question(settings, asked), held=holdings(settings.held), given=given)
    return Committed(found, envelope(SCHEMA, now, [], settings, catalogue, None, found.unknown_entries(), warnings, found.as_json()))


def question(settings: Settings, asked: Asked) -> CommitQuestion:
    """Put the command line over the policy.

    Raises
    ------
    SizeupError
        For a term, a payment or a chance that isn't one.
    """
    from sizing.money.buy import PAYMENTS, TERMS
    from sizing.money.commit_answer import CommitQuestion

    policy = settings.policy
    base = CommitQuestion(
        leave_ratio_per_month=policy.leave_ratio_per_month, capital_ratio_per_year=policy.capital_ratio_per_year,
        owed_most_usd=policy.worst_loss_usd, days=settings.gate.days,
    )  # fmt: skip
    years = base.years if asked.term is None else [TERMS[word] for word in _words("--term", asked.term, TERMS)]
    payments = base.payments if asked.payment is None else [PAYMENTS[word] for word in _words("--payment", asked.payment, PAYMENTS)]
    leave = base.leave_ratio_per_month if asked.leave is None else leave_ratio(asked.leave)
    return replace(base, years=tuple(sorted(set(years))), payments=payments, leave_ratio_per_month=leave)


def leave_ratio(text: str) -> float:
    """Read `3%/month` or `0.03`.

    Raises
    ------
    SizeupError
        Where it is neither, or not from 0 to below 1.
    """
    found = re.fullmatch(r"([0-9.]+)(%?)(?:/month)?", text.strip())
    try:
        ratio = float(found[1]) / (100 if found[2] else 1) if found else 1.0
    except ValueError:
        ratio = 1.0
    if not 0 <= ratio < 1:
        raise SizeupError(f'--leave "{text}": not a chance a month; write it as 3%/month or 0.03.')
    return ratio


def read_offers(path: Path | None) -> dict[tuple[str, str, int, str], Given]:
    """Read an offers file: prices by kind, type, years and payment.

    Raises
    ------
    SizeupError
        The first thing that is wrong in it.
    """
    from sizing.money.buy import PAYMENTS, TERMS
    from sizing.money.offers import Given

    if path is None:
        return {}
    rows = validate(OffersFile, read_toml(path), path.name).offer
    return {
        (row.kind, row.type, TERMS[row.term], PAYMENTS[row.payment]): Given(row.upfront_usd, row.hourly_usd, f"given: {path.name}")
        for row in rows
    }


def _words(option: str, text: str, known: Mapping[str, Any]) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    wrong = [word for word in words if word not in known]
    if wrong:
        raise SizeupError(f'{option} "{text}": unknown "{wrong[0]}"; write one or more of {", ".join(known)}.')
    return words
