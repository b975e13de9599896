"""A table of the report as values: the macro in parts.html lays every one out alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, its class (num, text, yes, no, unknown), what hovering says; a `pill` is set apart."""

    text: str
    css: str = ""
    title: str = ""
    pill: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its first cell is its heading; `css` is chosen or total where it stands out."""

    cells: Sequence[str | Cell]
    css: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, the columns' names with their class (num ends flush right, text may wrap), and the lines."""

    caption: str
    head: Sequence[tuple[str, str]]
    rows: Sequence[Row]


def mark(ok: bool | None) -> Cell:
    """Say yes, no or unknown, in colour and in words."""
    word = {True: "yes", False: "no", None: "unknown"}[ok]
    return Cell(word, css=word, pill=True)
