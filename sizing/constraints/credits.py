"""CPU credits over the week: the deepest draw-down against the cap with launch credits; unlimited mode pays instead."""

from __future__ import annotations

import numpy as np

from sizing.constraints import Constraint
from sizing.model.credits import draw_down
from sizing.types import F8, Bools, World


def spent_credits(world: World) -> F8:
    """vCPU-minutes of one host in each step, shape (steps, C, S); more than its vCPUs can't be spent."""
    vcpus = np.array([[float(c.instance.vcpus)] for c in world.candidates])
    credits: F8 = np.minimum(world.busy_draws, vcpus) * world.traffic.step_s / 60.0
    return credits


def earned_credits(world: World) -> F8:
    """Credits earned in a step, shape (C, 1); 0 where the type isn't burstable."""
    return (
        np.array([[c.instance.burst.credits_per_h if c.instance.burst else 0.0] for c in world.candidates]) * world.traffic.step_s / 3600.0
    )


def need(world: World) -> F8:
    """Deepest draw-down of a sampled week, shape (C, S); a week that never recovers counts what seven days draw."""
    steps = world.traffic.rate_draws.shape[0]
    # A constant rate is one step: the week repeats it.
    repeats = max(1, round(168 * 3600 / world.traffic.step_s / steps))
    if steps == 1:
        drawn: F8 = np.maximum(spent_credits(world)[0] - earned_credits(world), 0.0) * repeats
        return drawn
    return draw_down(spent_credits(world), earned_credits(world))


def have(world: World) -> F8:
    """Cap and launch credits, shape (C, 1); without end where the type isn't burstable."""
    caps = [[c.instance.burst.cap_credits + c.instance.burst.launch_credits if c.instance.burst else np.inf] for c in world.candidates]
    return np.array(caps, dtype=float)


def unlimited(world: World) -> Bools:
    """Where an empty balance is charged, not throttled, shape (C, 1)."""
    return np.array([[c.credit_mode == "unlimited"] for c in world.candidates])


CONSTRAINT = Constraint(
    asks="do the CPU credits last the week?",
    unit="credits",
    need=need,
    have=have,
    short="credits gone: the week draws {need} of {have}",
    applies=lambda world: any(c.credit_mode for c in world.candidates),
    excused=unlimited,
)
