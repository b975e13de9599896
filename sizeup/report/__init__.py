"""The report: one HTML file that holds an answer and all it rests on, read anywhere without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sizeup.report.page import render_report
    from sizeup.report.section import Page, Section, sections

__all__ = ["Page", "Section", "render_report", "sections"]

# Lazy: jinja2 and matplotlib load with the first report.
_HOME = {"render_report": "page", "Page": "section", "Section": "section", "sections": "section"}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(f"sizeup.report.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
