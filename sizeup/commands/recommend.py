"""`sizeup recommend`: which type should each host class run?"""

from __future__ import annotations

import click

from sizeup.context import Context, pass_context
from sizeup.values import NAMES, Parsed

VERDICTS = ("undersized", "oversized", "unknown")


def read_verdicts(text: str) -> tuple[str, ...]:
    """Read verdicts separated by commas."""
    words = tuple(word.strip() for word in text.split(","))
    wrong = next((word for word in words if word not in VERDICTS), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is no verdict to fail on; write some of {', '.join(VERDICTS)}")
    return words


@click.command(
    "recommend",
    short_help="The type, the binding constraint, why not cheaper, the levers.",
    epilog="\b\nExample:\n  sizeup recommend results/sample --peak 20/s",
)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--class", "classes", multiple=True, metavar="NAME", help="Only this host class; may be given again.")
@click.option("--candidates", type=NAMES, metavar="TYPE,...", help="Only these types.")
@click.option("--all-types", is_flag=True, help="Every type of the region, not the T families alone.")
@click.option("--confidence", type=click.FloatRange(0.5, 1, min_open=True, max_open=True), help="Share of sampled weeks that must hold.")
@click.option("--peak", metavar="RATE", help='The peak from outside: "20/s", or low, likely, high: "2,6,20/s".')
@click.option("--explain", metavar="TYPE", help="Show every constraint of this type.")
@click.option("--fail-on", type=Parsed("verdicts", read_verdicts), metavar="VERDICT,...", help="Exit 1 on undersized, oversized, unknown.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the sampled weeks.")
@pass_context
def command(
    ctx: Context, runs: tuple[str, ...], classes: tuple[str, ...], candidates: tuple[str, ...] | None, all_types: bool,
    confidence: float | None, peak: str | None, explain: str | None, fail_on: tuple[str, ...] | None, seed: int,
) -> int:  # fmt: skip
    """Name the cheapest type that holds for each host class of the runs.

    Without RUN the newest complete one is taken, and beside a history that `sizeup collect` read the newest load, beside a
    load the newest history: one says how much comes, the other what a request costs.
    """
    from evidence import SizeupError
    from sizeup.answer import failed_on, recommend_runs
    from sizeup.output import emit
    from sizeup.text import candidate_rows, explain_text, recommend_text
    from sizing import Question, parse_peak

    if candidates and all_types:
        raise SizeupError("--candidates and --all-types: name types or ask for all of them, not both.")
    question = Question(
        classes=classes or None, candidates=candidates, all_types=all_types, confidence=confidence,
        peak_per_s=parse_peak(peak) if peak else None, seed=seed,
    )  # fmt: skip
    document = recommend_runs(ctx, runs, question).document
    text = explain_text(document, explain) if explain else recommend_text(document)
    emit(ctx, document, text, candidate_rows(document))
    return 1 if fail_on and failed_on(document, fail_on) else 0
