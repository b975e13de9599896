"""`sizeup load`: send a plan's requests to a target that the settings name, and record a run."""

from __future__ import annotations

import sys

import click

from sizeup.context import Context, pass_context
from sizeup.values import DURATION, RATES


@click.command(
    "load",
    short_help="Load a target that sizeup.toml names, and record a run.",
    epilog="\b\nExample:\n  sizeup load staging --rates 5,10,20 --step-time 3m --dry-run",
)
@click.argument("target")
@click.option("--plan", type=click.Choice(["steps"]), default="steps", show_default=True, help="How the rate moves.")
@click.option("--rates", type=RATES, default="5,10,20", show_default=True, metavar="R,R,R", help="Steps, in requests a second.")
@click.option("--step-time", type=DURATION, default="3m", show_default=True, help="How long each step lasts.")
@click.option("--max-rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Refuse a plan above this rate.")
@click.option("--scenario", metavar="NAME", help="Only this scenario.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Generator processes.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the arrivals.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, send nothing.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask before sending.")
@pass_context
def command(
    ctx: Context, target: str, plan: str, rates: tuple[float, ...], step_time: float, max_rate: float | None, scenario: str | None,
    workers: int, seed: int, dry_run: bool, yes: bool,
) -> int:  # fmt: skip
    """Load TARGET, one of sizeup.toml's [target.NAME], through its load balancer.

    Once it is over, what CloudWatch, the access log and the agents at the classes' addresses saw of it comes into the run.
    CloudWatch's price is said first; it tells the last minutes five minutes late, and ^C goes without.

    Exit 1 where an objective is missed.
    """
    from dataclasses import replace
    from datetime import UTC, datetime

    from sizeup.loading import LoadOptions, load_document, missed, run_load
    from sizeup.output import emit, envelope
    from sizeup.text import load_text

    options = LoadOptions(rates, step_time, max_rate, scenario, workers, dry_run, seed)
    if not (yes or dry_run) and sys.stdin.isatty():
        run_load(ctx, target, replace(options, dry_run=True))
        click.confirm("Send it?", abort=True, err=True)
    path = run_load(ctx, target, options)
    if path is None:
        return 0
    document = envelope("sizeup.load/1", datetime.now(UTC), [path.name], ctx.settings(), None, seed, [], [], load_document(path))
    emit(ctx, document, load_text(document), document["phases"])
    return 1 if missed(document) else 0
