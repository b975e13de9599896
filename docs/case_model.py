"""What the model says of the runs in results/moco: for case_moco.py, which writes the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalogue import Catalogue
from evidence import Run
from sizeup.settings import load_settings
from sizeup.words import NAMES
from sizing import Question, recommend
from sizing.answer import HostAnswer
from sizing.verdicts import Verdict

PEAK_PER_S, TYPES, MIB = 20.0, ("t3.nano", "t3.micro", "t3.small"), 1 << 20
JUDGED = ("memory_steady", "memory_deploy", "credits", "latency")


def said(catalogue: Catalogue, runs: Mapping[str, Run]) -> dict[str, Any]:
    """Return the answers for the API's host at 20 requests a second around the clock, and what one run predicts of the other."""
    answers = {name: _answer(catalogue, run) for name, run in runs.items()}
    small, micro = answers["t3.small"], answers["t3.micro"]
    return {
        "peak": PEAK_PER_S,
        "rows": [(name, *_row(v)) for name, a in answers.items() for v in _standard(a)],
        "levers": [(name, lever) for name, a in answers.items() for lever in a.recommendation.levers],
        "zone": next(o for o in small.recommendation.options if o.code == "zone_loss"),
        "recommended": {name: _recommended(a) for name, a in answers.items()},
        "predicted": {name: _need_mib(small, name) for name in ("memory_steady", "memory_deploy")},
        "there": {name: _need_mib(micro, name) for name in ("memory_steady", "memory_deploy")},
    }


def _answer(catalogue: Catalogue, run: Run) -> HostAnswer:
    asked = Question(candidates=TYPES, peak_per_s=(PEAK_PER_S,) * 3, classes=("api",))
    return recommend([run], load_settings(run.path / "settings.toml"), catalogue, asked).hosts[0]


def _standard(answer: HostAnswer) -> list[Verdict]:
    return [v for v in answer.recommendation.verdicts if v.candidate.credit_mode == "standard"]


def _recommended(answer: HostAnswer) -> str:
    chosen = answer.recommendation.recommended
    return "none of them" if chosen is None else f"a {chosen.candidate.type} {chosen.candidate.credit_mode}"


def _row(verdict: Verdict) -> tuple[str, str, str, str]:
    """Type, whether it fits with its chance, what is tightest, and how much of it is left."""
    judged = [b for b in verdict.bounds if b.constraint in JUDGED and b.margin_ratio is not None]
    least = min(judged, key=lambda b: b.margin_ratio or 0.0)
    chance, error = 100 * (verdict.probability or 0.0), 100 * (verdict.probability_se or 0.0)
    fits = f"{'fits' if verdict.fits else 'no'}, {chance:.0f} % (± {error:.1f})"
    return verdict.candidate.type, fits, NAMES[least.constraint], f"{100 * (least.margin_ratio or 0.0):+.0f} %"


def _need_mib(answer: HostAnswer, constraint: str) -> float:
    """What a t3.micro needs at the policy's confidence by one run, MiB."""
    micro = next(v for v in answer.recommendation.verdicts if v.candidate.type == "t3.micro")
    return next(b.need or 0.0 for b in micro.bounds if b.constraint == constraint) / MIB
