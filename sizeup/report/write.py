"""From a run folder to its report on disk."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from evidence import SizeupError, write_atomic
from sizeup.report.page import render_report
from sizeup.report.section import Page

if TYPE_CHECKING:
    from sizeup.answer import Answered
    from sizeup.context import Context


def write_report(ctx: Context, spec: str | None, output: Path | None, *, open_browser: bool = False) -> tuple[Path, Answered]:
    """Answer for one run and write its report; return where it lies and the answer.

    Raises
    ------
    SizeupError
        Where the run can't be read, or the file can't be written.
    """
    from sizeup.answer import recommend_runs
    from sizing import Question

    answered = recommend_runs(ctx, [spec] if spec else [], Question())
    run = answered.runs[0]
    path = output or run.path / "report.html"
    try:
        write_atomic(path, render_report(Page(run, answered.document)).encode())
    except OSError as refused:
        raise SizeupError(f"{path}: the report can't be written there ({refused.strerror}); name another file with -o.") from None
    if open_browser:
        webbrowser.open(path.resolve().as_uri())
    return path, answered
