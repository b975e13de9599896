"""Which whole purchases of one family are worth a look? Levels of cover, each with the cheapest purchase that reaches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
import numpy.typing as npt

from sizing.money.oracle import Oracle
from sizing.types import F8

DIGITS = 9
"""Decimals of a unit to which two covers are the same."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that covers a family: the item's number, quarter units, its price over the horizon, the most that an optimum holds."""

    item: int
    quarters: float
    usd: float
    most: float

    @property
    def unit_usd(self) -> float:
        return self.usd / self.quarters


@dataclass(frozen=True, slots=True)
class Levels:
    """What one family may be covered by.

    Attributes
    ----------
    units : shape (levels,), ascending, held units too
    usd : shape (levels,), what the purchase costs over the horizon
    counts : of each level, how many of which item
    """

    units: F8
    usd: F8
    counts: Sequence[Mapping[int, int]]

    def only(self, keep: npt.NDArray[np.bool_]) -> Levels:
        chosen = np.flatnonzero(keep)
        return Levels(self.units[chosen], self.usd[chosen], [self.counts[int(n)] for n in chosen])


def levels(choices: Sequence[Choice], held: float, peak: float, real: Real, room_usd: float) -> Levels:
    """List the covers whose cost is within `room_usd` of the least that the family can cost over the reals.

    A purchase costs its units at the best choice's price and an excess for each other choice. So those others are few; of the best
    one there are as many as bring the cover to where the bill is near its least.

    Parameters
    ----------
    peak : units bought beyond which more covers nothing
    real : the family's cost over the reals by units
    """
    if not choices:
        return Levels(np.array([held]), np.zeros(1), [{}])
    best = min(choices, key=lambda c: (c.unit_usd, c.quarters))
    low, high = real.span(room_usd)
    found: dict[float, tuple[float, dict[int, int]]] = {}
    for cover, (excess, counts) in _beside(best, choices, peak, room_usd).items():
        first = max(int(np.ceil((low - held - cover) / best.quarters - 1e-9)), 0)
        last = int(min(np.floor((high - held - cover) / best.quarters + 1e-9), np.ceil((peak - cover) / best.quarters - 1e-9)))
        for count in range(first, last + 1):
            units = cover + count * best.quarters
            cost = excess + units * best.unit_usd
            key = round(units, DIGITS)
            if key not in found or cost < found[key][0]:
                found[key] = (cost, counts | ({best.item: count} if count else {}))
    return _near(held, found, real, room_usd)


def _near(held: float, found: Mapping[float, tuple[float, dict[int, int]]], real: Real, room_usd: float) -> Levels:
    """Sort covers by units; leave out those that cost too much, and those of which a larger one costs no more."""
    order = sorted(found)
    units, usd = held + np.array(order), np.array([found[key][0] for key in order])
    cheaper_above = np.minimum.accumulate(np.append(usd[1:], np.inf)[::-1])[::-1]
    keep = (usd + real.left_usd(units) <= real.least_usd + room_usd) & (usd < cheaper_above)
    return Levels(units, usd, [found[key][1] for key in order]).only(keep)


def _beside(best: Choice, choices: Sequence[Choice], peak: float, room_usd: float) -> dict[float, tuple[float, dict[int, int]]]:
    """Covers by everything but the best choice, each with its least excess and counts."""
    found: dict[float, tuple[float, dict[int, int]]] = {0.0: (0.0, {})}
    for other in choices:
        if other is best:
            continue
        each = max(other.usd - best.unit_usd * other.quarters, 0.0)
        most = min(other.most, _period(best, other) - 1, np.ceil(peak / other.quarters - 1e-9), room_usd / each if each else np.inf)
        for cover, (excess, counts) in list(found.items()):
            for count in range(1, int(most) + 1):
                key, cost = round(cover + count * other.quarters, DIGITS), excess + count * each
                if cost > room_usd:
                    break
                if key not in found or cost < found[key][0]:
                    found[key] = (cost, counts | {other.item: count})
    return found


def _period(best: Choice, other: Choice) -> float:
    """So many of another choice cover what whole ones of the best do, which then cost no more; inf where no number does."""
    if not (best.quarters.is_integer() and other.quarters.is_integer()):
        return np.inf
    return best.quarters / gcd(int(best.quarters), int(other.quarters))


class Real:
    """What a family costs over the reals, by units: the best choice's price for what is bought, and what is left at a worth of the plan."""

    def __init__(self, oracle: Oracle, family: int, worth: F8, unit_usd: float) -> None:
        demand, self.held, self.unit_usd = oracle.demand[family], float(oracle.held[family]), unit_usd
        each = oracle.weights * oracle.unit_usd(family, worth)
        whole = demand.dtype.kind == "u"
        values, codes = (np.arange(int(demand.max()) + 1, dtype=np.float64), demand) if whole else np.unique(demand, return_inverse=True)
        usd: F8 = np.bincount(codes, each, len(values)).astype(np.float64)
        # Of all hours whose demand is above a number of units.
        self.values, self.usd, self.usd_units = values, _from_the_end(usd), _from_the_end(usd * values)
        self.turns = np.append(self.held, values[values > self.held]) if np.isfinite(unit_usd) else np.array([self.held])
        self.costs = np.append(0.0, (self.turns[1:] - self.held) * unit_usd) + self.left_usd(self.turns)
        self.least_usd = float(self.costs.min())

    def left_usd(self, units: F8) -> F8:
        """What is left on demand, shape as `units`."""
        above = np.searchsorted(self.values, units, side="right")
        left: F8 = self.usd_units[above] - units * self.usd[above]
        return left

    def span(self, room_usd: float) -> tuple[float, float]:
        """Units between which it costs no more than its least and some room; beyond, the bill being convex, it does."""
        most = self.least_usd + room_usd
        inside = np.flatnonzero(self.costs <= most)
        low, high = (slice(max(int(inside[0]) - 1, 0), int(inside[0]) + 1), slice(int(inside[-1]), int(inside[-1]) + 2))
        first = float(np.interp(-most, -self.costs[low], self.turns[low]))
        if int(inside[-1]) + 1 < len(self.turns):
            return first, float(np.interp(most, self.costs[high], self.turns[high]))
        return first, float(self.turns[-1] + (most - self.costs[-1]) / self.unit_usd) if self.unit_usd else np.inf


def _from_the_end(values: F8) -> F8:
    """Sums from each place to the end, and 0 after it."""
    sums: F8 = np.append(np.cumsum(values[::-1])[::-1], 0.0)
    return sums
