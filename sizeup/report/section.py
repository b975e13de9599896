"""What a section of the report is: the question it answers, its place, its data, and how it is laid out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from evidence import Run, discover


@dataclass(frozen=True, slots=True)
class Page:
    """What a report is made of: the run, and the answer as its JSON document."""

    run: Run
    document: Mapping[str, Any]

    @property
    def classes(self) -> list[str]:
        """The host classes answered for, in the answer's order."""
        return [str(host["class"]) for host in self.document["hosts"]]

    @property
    def target_groups(self) -> dict[str, str]:
        """Each host class's target group, as the run's topology has it."""
        return {g["class"]: g["name"] for g in self.run.topology.get("target_groups", []) if g.get("class")}


@dataclass(frozen=True, slots=True)
class Section:
    """One section.

    Attributes
    ----------
    title : its heading, a question or a noun
    order : its place on the page, lowest first
    data : Page to what the template reads; None leaves the section out
    template : jinja2, autoescaped, with the macros of parts.html as `parts`
    """

    title: str
    order: int
    data: Callable[[Page], Mapping[str, Any] | None]
    template: str


@cache
def sections() -> dict[str, Section]:
    """Return every section by its file's name, in the page's order."""
    found = discover("sizeup.report.sections", "SECTION", Section)
    return dict(sorted(found.items(), key=lambda item: item[1].order))
