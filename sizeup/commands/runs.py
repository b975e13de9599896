"""`sizeup runs`: what was measured so far, and whether its files hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sizeup.context import Context, pass_context, run_argument

if TYPE_CHECKING:
    from sizeup.runs import Finding, RunLine


@click.group(
    "runs",
    short_help="List, show and check what was measured.",
    epilog="\b\nExample:\n  sizeup runs list",
)
def command() -> None:
    """List, show and check the runs under --results."""


@command.command("list", epilog="\b\nExample:\n  sizeup runs list")
@pass_context
def list_command(ctx: Context) -> None:
    """List every run, newest first: how it ended, its size, its valid windows."""
    from sizeup.output import emit, envelope
    from sizeup.runs import run_lines

    _settle(ctx)
    lines = run_lines(ctx.results)
    rows = [line.as_json() for line in lines]
    document = envelope("sizeup.runs_list/1", datetime.now(UTC), [line.id for line in lines], None, None, None, [], [], {"items": rows})
    emit(ctx, document, _list_text(lines, ctx), rows)


@command.command("show", epilog="\b\nExample:\n  sizeup runs show results/sample")
@click.argument("run", required=False)
@pass_context
def show_command(ctx: Context, run: str | None) -> None:
    """Show one run (default: the newest complete one): its plan, phases and tables."""
    from evidence import open_run
    from sizeup.output import emit, envelope
    from sizeup.runs import run_line, table_rows

    _settle(ctx)
    opened = open_run(ctx.run(run))
    line = run_line(opened.path)
    body = {"item": line.as_json(), "run": dict(opened.meta), "tables": table_rows(opened)}
    document = envelope("sizeup.runs_show/1", datetime.now(UTC), [opened.id], None, None, None, [], [], body)
    text = _show_text(line, body["tables"], opened.meta["phases"], run_argument(ctx.results, opened.path))
    emit(ctx, document, text, opened.meta["phases"])


@command.command("check", epilog="\b\nExample:\n  sizeup runs check results/sample")
@click.argument("run", required=False)
@pass_context
def check_command(ctx: Context, run: str | None) -> int:
    """Check one run's columns, files and joins (default: the newest complete one); exit 1 where a fault is found."""
    from sizeup.output import emit, envelope
    from sizeup.runs import check_run

    _settle(ctx)
    path = ctx.run(run)
    findings = check_run(path)
    faults = [f for f in findings if f.level == "fault"]
    rows = [f.as_json() for f in findings]
    body = {"ok": not faults, "findings": rows}
    document = envelope("sizeup.runs_check/1", datetime.now(UTC), [path.name], None, None, None, [], [], body)
    emit(ctx, document, _check_text(run_argument(ctx.results, path), findings, len(faults)), rows)
    return 1 if faults else 0


def _settle(ctx: Context) -> None:
    """Seal what crashed first, so that the answer speaks of finished folders."""
    from evidence import settle

    for name in settle(ctx.results, datetime.now(UTC)):
        ctx.say(f"{name} had crashed; what it measured is kept.")


def _list_text(lines: list[RunLine], ctx: Context) -> str:
    from sizeup.output import mib, table

    if not lines:
        return f"no run lies under {ctx.results}\nnext: sizeup demo --quick"
    head = ["run", "status", "lasted", "requests", "errors", "valid windows", "size"]
    rows = [
        [line.id, line.status, _duration(line.seconds), _number(line.requests), _number(line.errors), _windows(line), mib(line.size_bytes)]
        for line in lines
    ]
    return f"{table([head, *rows], right=(2, 3, 4, 5, 6))}\nnext: sizeup runs show {lines[0].id}"


def _show_text(line: RunLine, tables: dict[str, int], phases: list[dict[str, object]], name: str) -> str:
    from sizeup.output import mib
    from sizeup.text import phase_table

    head = [
        f"{line.id}  {line.status}{', synthetic' if line.synthetic else ''}",
        f"  {_number(line.requests)} requests, {_number(line.errors)} errors in {_duration(line.seconds)}; {mib(line.size_bytes)} on disk",
        f"  rows: {', '.join(f'{name} {count:,}' for name, count in tables.items())}",
    ]
    return "\n".join([*head, phase_table(phases), f"next: sizeup recommend {name}"])


def _check_text(name: str, findings: list[Finding], faults: int) -> str:
    verdict = f"{faults} fault{'s' if faults > 1 else ''}" if faults else "no fault"
    lines = [f"  {f.level}  {f.file}: {f.what}; {f.mend}" for f in findings]
    return "\n".join([f"{name}: {verdict} in its columns, files and joins", *lines, f"next: sizeup runs show {name}"])


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _windows(line: RunLine) -> str:
    return "–" if line.windows is None else f"{line.valid_windows} of {line.windows}"
