"""CPU credits: one signed balance that fills by the hour, empties under load, and throttles or charges at its floor.

A burstable instance runs at full speed while it has credits; below its baseline the balance only grows. One credit is
one vCPU-minute. Source: EC2 user guide, "Key concepts for burstable performance instances" and "Monitor your CPU credits".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sizing.types import F8


@dataclass(frozen=True, slots=True)
class Bucket:
    """A credit balance after a series of steps.

    Attributes
    ----------
    balance : shape (...,), credits at the end; negative: surplus credits spent that may still be earned back
    launch : shape (...,), launch credits left (T2), spent first, beside the cap
    lowest : shape (...,), the lowest balance seen, launch credits included
    short : shape (...,), credits asked for below the floor: throttled in standard mode, charged in unlimited mode
    """

    balance: F8
    launch: F8
    lowest: F8
    short: F8


def run_bucket(spent: F8, earned: F8, cap: F8, floor: F8, start: F8, launch: F8) -> Bucket:
    """Run x ← clip(x + earned − spent, floor, cap) over the steps.

    Parameters
    ----------
    spent : shape (steps, ...), credits asked for in each step
    earned, cap, floor, start, launch : broadcastable to (...,)
        Credits earned in a step; the most that is kept; 0 (standard) or −cap (unlimited); at the start; launch credits.
    """
    shape = np.broadcast_shapes(spent.shape[1:], *(np.shape(v) for v in (earned, cap, floor, start, launch)))
    balance, extra = np.broadcast_to(start, shape).astype(float), np.broadcast_to(launch, shape).astype(float)
    lowest, short = balance + extra, np.zeros(shape)
    for step in spent:
        from_launch = np.minimum(extra, step)
        extra = extra - from_launch
        wanted = balance + earned - (step - from_launch)
        short = short + np.maximum(floor - wanted, 0.0)
        balance = np.clip(wanted, floor, cap)
        lowest = np.minimum(lowest, balance + extra)
    return Bucket(balance, extra, lowest, short)


def draw_down(spent: Iterable[F8], earned: F8) -> F8:
    """Return the deepest draw-down of a balance that starts full, in credits, shape (...,); never below 0.

    `spent` gives shape (...,) a step. What is drawn beyond the cap and the launch credits is throttled in standard mode.
    """
    # In place: a week of five-minute steps is two thousand turns, and what they allocate took half their time.
    steps = iter(spent)
    depth = np.array(np.maximum(next(steps) - earned, 0.0))
    deepest = depth.copy()
    for step in steps:
        depth += step
        depth -= earned
        np.maximum(depth, 0.0, out=depth)
        np.maximum(deepest, depth, out=deepest)
    return deepest


def surplus_charged(spent: Iterable[F8], earned: F8, cap: F8) -> F8:
    """Return the surplus credits charged over the steps by an unlimited instance that has run for long, shape (...,).

    The steps are run twice and the second pass counts, so that the day's worth of surplus that a new instance may owe
    does not hide what every later week costs.
    """
    # The balance over its floor at −cap: what would fall below 0 is charged.
    above = np.zeros(np.broadcast_shapes(*(np.shape(v) for v in (next(iter(spent)), earned, cap)))) + cap
    room, charged, beyond = 2 * above, np.zeros(above.shape), np.empty(above.shape)
    for turn in range(2):
        for step in spent:
            above += earned
            above -= step
            np.minimum(above, room, out=above)
            if turn:
                charged -= np.minimum(above, 0.0, out=beyond)
            np.maximum(above, 0.0, out=above)
    return charged


def break_even_ratio(baseline_ratio: float, usd_per_h: float, fixed_usd_per_h: float, vcpus: int, usd_per_vcpu_h: float) -> float:
    """Return the mean CPU utilisation from which an unlimited burstable costs more than a type of fixed performance.

    Source: EC2 User Guide, "Key concepts for unlimited mode": the difference of the prices buys surplus vCPU-hours.
    """
    return baseline_ratio + (fixed_usd_per_h - usd_per_h) / (vcpus * usd_per_vcpu_h)
