"""Put the sections together into one file: styles and pictures inside it, everything from outside escaped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from sizeup.output import percent
from sizeup.report.section import Page, Section, sections
from sizeup.words import VERDICTS


def render_report(page: Page) -> str:
    """Return the whole report as HTML."""
    parts = [(name, section.title, body) for name, section in sections().items() if (body := _body(section, page)) is not None]
    template = environment().get_template("page.html")
    style = Markup(_read("style.css"))  # noqa: S704  # ours; escaped, its quotes and > would be lost
    return template.render(style=style, parts_of_page=parts, run=page.run, document=page.document)


def _body(section: Section, page: Page) -> Markup | None:
    data = section.data(page)
    if data is None:
        return None
    source = '{% import "parts.html" as parts %}' + section.template
    return Markup(environment().from_string(source).render(**data))  # noqa: S704  # autoescape wrote it


@cache
def environment() -> jinja2.Environment:
    """The templates' language: autoescape always, a name that is missing is an error, our words as filters."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["percent"] = percent
    made.globals["VERDICTS"] = VERDICTS
    return made


def _read(name: str) -> Any:
    return files("sizeup.report").joinpath(name).read_text(encoding="utf-8")
