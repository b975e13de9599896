"""Pure answers from evidence: what a request costs, which type holds it, and what to buy; time, seed and prices are arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sizing.answer import Answer, recommend
    from sizing.decide.candidates import candidates
    from sizing.decide.decide import decide
    from sizing.decide.judge import judge
    from sizing.decide.worlds import scenarios
    from sizing.model.fit import fit
    from sizing.model.gather import gather
    from sizing.model.history import forecast
    from sizing.model.knee import reached
    from sizing.model.traffic import parse_peak, stated_traffic
    from sizing.model.windows import measured_objectives, phase_rows, windows
    from sizing.money.gate import gate
    from sizing.money.optimum import optimise
    from sizing.question import Question

__all__ = [
    "Answer",
    "Question",
    "candidates",
    "decide",
    "fit",
    "forecast",
    "gate",
    "gather",
    "judge",
    "measured_objectives",
    "optimise",
    "parse_peak",
    "phase_rows",
    "reached",
    "recommend",
    "scenarios",
    "stated_traffic",
    "windows",
]

# Lazy: polars, scipy and the catalogue load with the first function that needs them.
_HOMES = {
    "candidates": "sizing.decide.candidates",
    "decide": "sizing.decide.decide",
    "judge": "sizing.decide.judge",
    "fit": "sizing.model.fit",
    "gate": "sizing.money.gate",
    "optimise": "sizing.money.optimum",
    "gather": "sizing.model.gather",
    "forecast": "sizing.model.history",
    "parse_peak": "sizing.model.traffic",
    "stated_traffic": "sizing.model.traffic",
    "measured_objectives": "sizing.model.windows",
    "phase_rows": "sizing.model.windows",
    "reached": "sizing.model.knee",
    "windows": "sizing.model.windows",
    "Answer": "sizing.answer",
    "Question": "sizing.question",
    "recommend": "sizing.answer",
    "scenarios": "sizing.decide.worlds",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
