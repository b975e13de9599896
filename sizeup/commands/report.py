"""`sizeup report`: the answer and all it rests on in one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from sizeup.context import Context, pass_context


@click.command(
    "report",
    short_help="The answer and all it rests on, in one HTML file.",
    epilog="\b\nExample:\n  sizeup report results/sample -o report.html",
)
@click.argument("run", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it (RUN/report.html).")
@click.option("--open", "open_browser", is_flag=True, help="Open it in a browser.")
@pass_context
def command(ctx: Context, run: str | None, output: Path | None, open_browser: bool) -> None:
    """Write the report of one run (default: the newest complete one)."""
    from datetime import UTC, datetime

    from sizeup.output import emit, envelope
    from sizeup.report.write import write_report

    path, found = write_report(ctx, run, output, open_browser=open_browser)
    runs, body = found.document["runs"], {"path": str(path)}
    document = envelope("sizeup.report/1", datetime.now(UTC), runs, found.settings, found.catalogue, 0, [], [], body)
    emit(ctx, document, str(path), [{"run": runs[0], **body}])
