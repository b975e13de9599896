"""`sizeup commitments`: what to reserve, if anything."""

from __future__ import annotations

from pathlib import Path

import click

from sizeup.context import Context, pass_context


@click.command(
    "commitments",
    short_help="What to reserve, when it has paid, and what being wrong costs.",
    epilog="\b\nExample:\n  sizeup commitments --term 1y --payment all-upfront,no-upfront",
)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "--offers", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Prices that the catalogue lacks, in [[offer]] tables.",
)
@click.option("--term", metavar="1y,3y", help="Terms considered.")
@click.option("--payment", metavar="PAYMENT,..", help="Of all-upfront, partial-upfront and no-upfront.")
@click.option("--leave", metavar="3%/month", help="Chance a month that the service leaves its type; replaces the policy's.")
@click.option("--detail", is_flag=True, help="Add coverage, each other way, what is lost in which case, and every price that is missing.")
@pass_context
def command(
    ctx: Context, runs: tuple[str, ...], offers: Path | None, term: str | None, payment: str | None, leave: str | None, detail: bool
) -> int:
    """Say what to reserve for what is recommended, or to wait, or that nothing pays.

    Without RUN the newest complete run that is not synthetic is taken. The least expected bill over the term, with the chance of
    leaving, is found exactly and billed again hour by hour. Nothing is ever bought.
    """
    from sizeup.commit import Asked, commit_runs
    from sizeup.output import emit
    from sizing.money.commit_words import sentences

    found = commit_runs(ctx, runs, Asked(offers, term, payment, leave))
    for warning in found.document["warnings"]:
        ctx.say(f"warning: {warning['message']}")
    emit(ctx, found.document, "\n".join(sentences(found.commitments, detail)), found.document["offers"])
    return 0
