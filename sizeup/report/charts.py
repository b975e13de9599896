"""Pictures as inline SVG: drawn by matplotlib in stand-in colours that the page's style turns into its own, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, FAINT = "#010101", "#020202"
SERIES = ("#0a0001", "#0a0002", "#0a0003", "#0a0004", "#0a0005", "#0a0006", "#0a0007", "#0a0008")
"""Stand-ins: no picture of ours has them otherwise."""

_VARIABLES = {INK: "var(--ink)", FAINT: "var(--rule)"} | {colour: f"var(--s{i})" for i, colour in enumerate(SERIES, 1)}
_RC: Any = {
    "svg.fonttype": "none", "font.size": 9.5, "axes.edgecolor": FAINT, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
    "text.color": INK, "axes.grid": True, "grid.color": FAINT, "grid.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False,
    "axes.spines.left": False, "legend.frameon": False, "lines.linewidth": 1.6, "axes.titlesize": 10, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "figure.constrained_layout.use": True, "xtick.major.size": 0, "ytick.major.size": 0,
    "text.parse_math": False,
}  # fmt: skip

WIDTH_IN = 9.6
"""On a screen a picture is about 1000 pixels wide, its letters then as large as the text around it."""

Span = tuple[float, float]


@contextmanager
def canvas(rows: int, *, height: float = 2.1) -> Iterator[tuple[Figure, list[Axes]]]:
    """Open a transparent figure of `rows` panels, one above the other, with common seconds."""
    with mpl.rc_context(_RC):
        figure = Figure(figsize=(WIDTH_IN, height * rows))
        figure.patch.set_alpha(0)
        axes = figure.subplots(rows, 1, sharex=True, squeeze=False)
        for panel in axes.flat:
            panel.patch.set_alpha(0)
            panel.set_axisbelow(True)
        yield figure, list(axes.flat)


def svg(figure: Figure, name: str, title: str, description: str) -> Markup:
    """Return the figure as an SVG element with a title and a description for those who can't see it."""
    name = re.sub(r"[^a-z0-9]+", "-", name.lower())
    out = io.StringIO()
    with mpl.rc_context(_RC | {"svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(url\(#|href="#)', rf"\1{name}-", body)
    body = re.sub(r"#0[0-9a-f]{5}", lambda found: _VARIABLES.get(found[0], found[0]), body)
    body = re.sub(r"(<svg[^>]*?) width=\"[^\"]*\"", r"\1", body, count=1)
    body = re.sub(r"(<svg[^>]*?) height=\"[^\"]*\"", r"\1", body, count=1)
    head = f'<svg role="img" aria-labelledby="{name}-t {name}-d"'
    words = f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>'
    body = body.replace("<svg", head, 1)
    at = body.index(">") + 1
    return Markup(body[:at] + words + body[at:])  # noqa: S704  # matplotlib escapes the texts it draws, and ours are escaped above


def mark_deployments(axes: Sequence[Axes], spans: Sequence[Span]) -> None:
    """Shade when a deployment ran, the same in every picture."""
    for panel in axes:
        for start, end in spans:
            panel.axvspan(start, end, color=SERIES[7], alpha=0.16, linewidth=0)
    if spans:
        axes[0].set_ylim(top=axes[0].get_ylim()[1] * 1.15)
        where: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "top"}
        axes[0].annotate("deployment", (spans[0][0], 1.0), (3, -2), **where)

