"""`sizeup collect`: production's own history out of the account, without load, as a run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sizeup.context import Context, pass_context
from sizeup.values import AGE, TIME

if TYPE_CHECKING:
    from sizeup.collecting import Collected


@click.command(
    "collect",
    short_help="Read production's history from the account, without load, as a run.",
    epilog="\b\nExample:\n  sizeup collect staging --since 14d --dry-run",
)
@click.argument("target")
@click.option("--since", type=AGE, metavar="AGE", help="How far back: 6h, 14d, 8w (14d).")
@click.option("--start", type=TIME, metavar="TIME", help="First moment, as 2026-11-01T00:00:00Z.")
@click.option("--end", type=TIME, metavar="TIME", help="Last moment; without it, where CloudWatch has told everything.")
@click.option("--dry-run", is_flag=True, help="Say what would be read and what it costs, read no metric.")
@pass_context
def command(ctx: Context, target: str, since: float | None, start: datetime | None, end: datetime | None, dry_run: bool) -> None:
    """Read what TARGET did by itself: CloudWatch's metrics, deployments, alarms and access logs of its account, and what stands there.

    It only reads. What CloudWatch bills for it is said first. Interrupted or refused, it keeps what was read, and the same call
    goes on with it.
    """
    from evidence import SizeupError
    from sizeup.collect_plan import DEFAULT_SINCE_S, CollectOptions
    from sizeup.collecting import run_collect
    from sizeup.output import emit, envelope

    if since is not None and start is not None:
        raise SizeupError("--since and --start: both say where to begin; give one of them.")
    settings = ctx.settings(required=True)
    done = run_collect(ctx, target, CollectOptions(DEFAULT_SINCE_S if since is None else since, start, end, dry_run))
    warnings = [*ctx.region(settings)[1], *done.warnings]
    runs = [done.folder.id] if done.folder else []
    document = envelope("sizeup.collect/1", datetime.now(UTC), runs, settings, None, None, [], warnings, done.as_json())
    emit(ctx, document, _text(ctx, done), [done.plan.as_json()])


def _text(ctx: Context, done: Collected) -> str:
    from sizeup.collect_plan import bill_words

    warnings = [f"warning: {warning.message}" for warning in done.warnings]
    if done.folder is None or done.read is None:
        return "\n".join([f"would read {bill_words(done.plan)}; nothing was read", *warnings, f"next: sizeup collect {done.target}"])
    found = [f"  {name}: {rows:,}" for name, rows in done.folder.meta["collected"].items()]
    head = f"{done.folder.id}  {done.start:%Y-%m-%d %H:%M} to {done.end:%Y-%m-%d %H:%M} UTC"
    return "\n".join([head, *found, f"  read {bill_words(done.read)}", *warnings, _next(ctx, done.folder.id)])


def _next(ctx: Context, run: str) -> str:
    """Name the newest measured run beside this one: history says how much comes, a load what one request costs."""
    from evidence import list_runs, read_meta

    loads = [meta["id"] for path in list_runs(ctx.results) if (meta := read_meta(path))["counts"]["requests"]]
    return f"next: sizeup recommend {run}" + (f" {loads[0]}" if loads else "")
