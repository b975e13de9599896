"""Which runs an answer is made from where nobody names them: the newest complete one, with its other half beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evidence import SizeupError, find_run, list_runs, read_meta, run_status
from sizeup.collect_plan import PLAN

if TYPE_CHECKING:
    from sizeup.context import Context

Half = Literal["history", "load"]


def chosen_runs(ctx: Context, specs: Sequence[str], *, synthetic: bool = True) -> list[Path]:
    """Return the named runs, else the newest complete one; a history brings the newest load beside it, and a load the newest history.

    History says how much comes, a load what one request costs. None is told from the other's target: staging is loaded,
    production collected; but of several the newest of the same target is taken, and a stand-in's never beside a real one.

    Parameters
    ----------
    synthetic : bool
        Whether the newest one may be a stand-in's.

    Returns
    -------
    list of Path
        Empty where nobody named one and there is none.

    Raises
    ------
    SizeupError
        Where a name is no run's.
    """
    if specs:
        return [ctx.run(spec) for spec in specs]
    newest = find_run(ctx.results, None, synthetic=synthetic)
    if newest is None:
        return []
    beside = _other_half(ctx.results, read_meta(newest))
    if beside is None:
        ctx.say(f"run: {newest.name}")
        return [newest]
    ctx.say(f"runs: {newest.name}, and beside it the newest {_half(read_meta(beside))}, {beside.name}")
    return [newest, beside]


def _other_half(results: Path, meta: Mapping[str, Any]) -> Path | None:
    """Return the newest complete run that adds what this one lacks: the same target's, else any."""
    half = _half(meta)
    if half is None:
        return None
    found: list[tuple[Path, Mapping[str, Any]]] = []
    for path in list_runs(results):
        with suppress(SizeupError):  # one that can't be read is nobody's half
            found.append((path, read_meta(path)))
    halves = [
        (path, other) for path, other in found
        if _half(other) not in (None, half) and run_status(other) == "complete"
        and bool(other.get("synthetic")) == bool(meta.get("synthetic"))
    ]  # fmt: skip
    same = [path for path, other in halves if other.get("target") == meta.get("target")]
    return next(iter([*same, *(path for path, _ in halves)]), None)


def _half(meta: Mapping[str, Any]) -> Half | None:
    """Tell what a run is half of an answer for; None where it is neither, as a look."""
    if meta.get("plan", {}).get("name") == PLAN:
        return "history"
    return "load" if meta.get("counts", {}).get("requests") else None
