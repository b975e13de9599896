"""A plan being played: each arrival at its time, each step noted as it went."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from loadtests.arrivals import FloatArray, phase_of, plan_times, stream
from loadtests.plan import Plan, Step

if TYPE_CHECKING:
    from loadtests.user import Mix, OpenLoopUser


def play_plan(user: OpenLoopUser, plan: Plan, mix: Mix) -> None:
    """Play this worker's share of the plan, step by step, then wait for the last answers.

    A step stopped midway is noted up to there; its `scheduled` counts what was due by then.
    """
    engine = user.engine
    rng = stream(plan.seed, engine.worker, 0)
    share = 1 / max(1, engine.workers)
    times, steps = plan_times(plan.steps, user.arrivals, share, rng, phase_of(engine.worker))
    start = time.perf_counter()
    for index, step in enumerate(plan.steps):
        end = start + step.seconds
        due = times[steps == index] + (start - sum(s.seconds for s in plan.steps[:index]))
        _play_step(user, mix, step, due, (start, end), share)
        start = end
    user.drain(user.timeout_s + 0.5)


def _play_step(user: OpenLoopUser, mix: Mix, step: Step, due: FloatArray, span: tuple[float, float], share: float) -> None:
    start, end = span
    completed, started = user.engine.completed, 0
    try:
        for at in due:
            user.pace(float(at))
            user.start_arrival(mix.draw(), float(at))
            started += 1
        user.pace(end)
    finally:
        end = min(end, time.perf_counter())
        seconds = max(end - start, 1e-6)
        _note(user, step, (start, end), {
            "offered_per_s": step.rate_per_s * share, "achieved_per_s": round((user.engine.completed - completed) / seconds, 3),
            "scheduled": int(np.count_nonzero(due < end)), "started": started,
        })  # fmt: skip


def _note(user: OpenLoopUser, step: Step, span: tuple[float, float], detail: dict[str, float]) -> None:
    engine = user.engine
    if engine.recorder is not None:
        engine.recorder.phase(step.name, engine.wall_us(span[0]), engine.wall_us(span[1]), detail)
