"""CPU credits over the week: the deepest draw-down against the cap with launch credits; unlimited mode pays instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sizing.constraints import Constraint
from sizing.model.credits import draw_down, surplus_charged
from sizing.types import F8, Bools, World

WEEK_S = 168 * 3600.0


@dataclass(frozen=True, slots=True)
class Spending:
    """vCPU-minutes of one host, step by step, for the pairs of candidate and world in which some step spends more than it earns.

    All candidates' weeks at once would be gigabytes, so each step is made when it is asked for.
    """

    work: F8
    row: npt.NDArray[np.intp]
    world: npt.NDArray[np.intp]
    scale: F8
    idle: F8
    vcpus: F8
    earned: F8
    minutes: float

    def __iter__(self) -> Iterator[F8]:
        for work in self.work:
            busy = work[self.world]
            busy *= self.scale
            busy += self.idle
            np.minimum(busy, self.vcpus, out=busy)
            busy *= self.minutes
            yield busy


def earned_credits(world: World) -> F8:
    """Credits earned in a step, shape (C, 1); without end where the type isn't burstable: it never runs out."""
    hourly = [[c.instance.burst.credits_per_h if c.instance.burst else np.inf] for c in world.candidates]
    return np.array(hourly, dtype=float) * world.traffic.step_s / 3600.0


def caps(world: World) -> F8:
    """A day's earnings, shape (C, 1); 0 where the type isn't burstable."""
    return np.array([[c.instance.burst.cap_credits if c.instance.burst else 0.0] for c in world.candidates], dtype=float)


def spending(world: World, asked: Bools) -> Spending:
    """What the `asked` candidates, shape (C, 1), spend; more than its vCPUs no host can."""
    vcpus = np.array([[float(c.instance.vcpus)] for c in world.candidates])
    minutes = world.traffic.step_s / 60.0
    earned = earned_credits(world)
    # A speed that no benchmark tells is no number, and never spends here: the CPU constraint says that it can't be judged.
    row, at = np.nonzero((np.minimum(world.peak_busy_draws, vcpus) * minutes > earned) & asked)
    speed = world.speed_draws[row, at]
    return Spending(
        work=world.work_draws,
        row=row,
        world=at,
        scale=1.0 / (speed * world.hosts_left[row, 0]),
        idle=world.model.background_cores_draws[at] / speed,
        vcpus=vcpus[row, 0],
        earned=earned[row, 0],
        minutes=minutes,
    )


@lru_cache(maxsize=1)
def need(world: World) -> F8:
    """Deepest draw-down of a sampled week, shape (C, S); a week that never recovers counts what seven days draw."""
    spent = spending(world, ~_repeated(world))
    depth = np.where(np.isfinite(world.speed_draws), 0.0, np.nan)
    # A constant rate is one step: the week repeats it.
    repeats = max(1, round(WEEK_S / (world.traffic.step_s * len(world.work_draws)))) if len(world.work_draws) == 1 else 1
    depth[spent.row, spent.world] = draw_down(spent, spent.earned) * repeats
    first = {key: row for row, key in reversed(list(enumerate(_keys(world))))}
    return depth[[first[key] for key in _keys(world)]]


def backlog_s(world: World) -> F8:
    """How long a request waits behind what an empty balance throttled, at its worst in the week, shape (C, S).

    With the balance gone a host works at what it earns, so the work that waits is what the week draws beyond cap and
    launch credits, and that over the earnings is the wait; in unlimited mode nothing waits.
    """
    rate = np.array([[c.instance.burst.credits_per_h if c.instance.burst else np.inf] for c in world.candidates], dtype=float)
    waiting: F8 = np.where(unlimited(world), 0.0, np.maximum(need(world) - have(world), 0.0))
    wait_s: F8 = waiting / rate * 3600.0
    return wait_s


def _keys(world: World) -> list[tuple[str, int]]:
    return [(c.type, c.count) for c in world.candidates]


def _repeated(world: World) -> Bools:
    """Rows of a type that stood before in another credit mode, shape (C, 1): they draw the same."""
    keys = _keys(world)
    return np.array([[key in keys[max(0, row - 1) : row]] for row, key in enumerate(keys)])


def surplus_monthly_credits(world: World, month_h: float) -> F8:
    """Surplus credits charged in a month to each candidate, shape (C, S); 0 but in unlimited mode."""
    spent = spending(world, unlimited(world))
    cap = caps(world)[spent.row, 0]
    charged = next(iter(spent)) - spent.earned if len(world.work_draws) == 1 else surplus_charged(spent, spent.earned, cap)
    counts = np.array([float(world.candidates[row].count) for row in spent.row])
    found = np.where(np.isfinite(world.speed_draws) | ~unlimited(world), 0.0, np.nan)
    found[spent.row, spent.world] = charged * counts * (month_h * 3600 / (world.traffic.step_s * len(world.work_draws)))
    return found


def have(world: World) -> F8:
    """Cap and launch credits, shape (C, 1); without end where the type isn't burstable."""
    kept = [[c.instance.burst.cap_credits + c.instance.burst.launch_credits if c.instance.burst else np.inf] for c in world.candidates]
    return np.array(kept, dtype=float)


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
