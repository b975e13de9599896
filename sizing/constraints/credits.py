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
    """What one host works, step by step, for the candidates that in some world spend more in a step than they earn.

    All candidates' weeks at once would be gigabytes, so each step is made when it is asked for, in the place of the one
    before. Work is in vCPUs of the measured host that the class's arrivals keep busy, so that a step is taken as it is.

    Attributes
    ----------
    work : shape (steps, S)
    rows : shape (R,), of the candidates
    most, earned : shape (R, S), the work that keeps all vCPUs busy, and that spends as much as is earned
    credits : shape (R, S), that a step of one more vCPU of work spends
    """

    work: F8
    rows: npt.NDArray[np.intp]
    most: F8
    earned: F8
    credits: F8

    def __iter__(self) -> Iterator[F8]:
        if (self.work.max(axis=0) <= self.most).all():
            yield from self.work
            return
        busy = np.empty(self.most.shape)
        for work in self.work:
            yield np.minimum(work, self.most, out=busy)


def earned_credits(world: World) -> F8:
    """Credits earned in a step, shape (C, 1); without end where the type isn't burstable: it never runs out."""
    hourly = [[c.instance.burst.credits_per_h if c.instance.burst else np.inf] for c in world.candidates]
    return np.array(hourly, dtype=float) * world.traffic.step_s / 3600.0


def caps(world: World) -> F8:
    """A day's earnings, shape (C, 1); 0 where the type isn't burstable."""
    return np.array([[c.instance.burst.cap_credits if c.instance.burst else 0.0] for c in world.candidates], dtype=float)


def spending(world: World, asked: Bools) -> Spending:
    """What the candidates with an `asked` world, shape (C, 1) or (C, S), spend; more than its vCPUs no host can."""
    vcpus, minutes = np.array([[float(c.instance.vcpus)] for c in world.candidates]), world.traffic.step_s / 60.0
    earned = earned_credits(world)
    # A speed that no benchmark tells is no number, and never spends here: the CPU constraint says that it can't be judged.
    rows = np.flatnonzero(((np.minimum(world.peak_busy_draws, vcpus) * minutes > earned) & asked).any(axis=1))
    work_per_busy = world.speed_draws[rows] * world.hosts_left[rows]
    idle = world.model.background_cores_draws / world.speed_draws[rows]
    return Spending(
        work=world.work_draws,
        rows=rows,
        most=(vcpus[rows] - idle) * work_per_busy,
        earned=(earned[rows] / minutes - idle) * work_per_busy,
        credits=minutes / work_per_busy,
    )


@lru_cache(maxsize=1)
def need(world: World) -> F8:
    """Deepest draw-down of a sampled week, shape (C, S); a week that never recovers counts what seven days draw."""
    spent = spending(world, ~_repeated(world))
    depth = np.where(np.isfinite(world.speed_draws), 0.0, np.nan)
    # A constant rate is one step: the week repeats it.
    repeats = max(1, round(WEEK_S / (world.traffic.step_s * len(world.work_draws)))) if len(world.work_draws) == 1 else 1
    depth[spent.rows] = draw_down(spent, spent.earned) * spent.credits * repeats
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
    flat = len(world.work_draws) == 1
    # Two weeks draw no more than twice what one does: where that is less than the cap, nothing is ever charged.
    spent = spending(world, unlimited(world) if flat else unlimited(world) & (2 * need(world) > caps(world)))
    cap = caps(world)[spent.rows] / spent.credits
    charged = (np.maximum(next(iter(spent)) - spent.earned, 0.0) if flat else surplus_charged(spent, spent.earned, cap)) * spent.credits
    counts = np.array([[float(c.count)] for c in world.candidates])[spent.rows]
    found = np.where(np.isfinite(world.speed_draws) | ~unlimited(world), 0.0, np.nan)
    found[spent.rows] = charged * counts * (month_h * 3600 / (world.traffic.step_s * len(world.work_draws)))
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
    applies=lambda world: any(c.credit_mode for c in world.candidates),
    excused=unlimited,
)
