"""How long a request takes: waits that no CPU shortens, and the CPU's own queue by the discipline that the evidence speaks for.

A response is wait + CPU, request by request: shapes of both are read off the lightest step of a run, where nobody queues
yet; queueing stretches the CPU's part (`sharing`, `first_come`); what the run's quantiles say beyond that is kept as a residual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from sizing.model.queueing import erlang_c
from sizing.model.sharing import Cpus, share
from sizing.types import F8

SATURATED_S = 1e6
"""What stands for a response time without bound: arrivals exceed what the CPUs can do."""
STABLE_RATIO = 0.99
"""Above it a queue never settles within a peak's hour."""

REQUESTS = 1024
ROOT_STEP = 0.09
LOADS = 1.0 - np.exp(-((ROOT_STEP * np.arange(25)) ** 2))
"""Utilisations of a table, to 0.99, dense where the first requests meet another and where the queue grows: even in √−log(1 − ρ)."""
SCALES = np.exp2(np.arange(-6.0, 9.0))

LEAST_SHARE = 0.1
"""Of a short request at least this of the mean share is CPU, however steep the line."""

Discipline = Literal["processor_sharing", "first_come_first_served"]


class Queue(Protocol):
    """Response times in mean service times, shape (loads, requests), of sizes and chances of shape (requests,)."""

    def response(self, sizes: F8, chance: F8) -> F8: ...


@dataclass(frozen=True, slots=True)
class FirstCome:
    """First come, first served at utilisations `ratio`, shape (loads,): Allen–Cunneen's mean wait, exponential where one waits.

    Exact for M/M/c; the mean is exact for M/G/1. Against simulation with the sizes' variation from 0.5 to 2 and several
    servers the mean errs by −2 to +7 %. Source: A. Allen, Probability, Statistics and Queueing Theory, 1990, 5.3.
    """

    ratio: F8
    servers: float

    def response(self, sizes: F8, chance: F8) -> F8:
        """See `Queue`."""
        waits = erlang_c(np.full(len(self.ratio), self.servers), self.ratio * self.servers)
        mean = (1.0 + float(np.var(sizes))) / 2.0 / (self.servers * (1.0 - self.ratio))
        late = np.log(np.maximum(waits[:, None], 1e-300) / (1.0 - chance))
        found: F8 = sizes + np.maximum(late, 0.0) * mean[:, None]
        return found


@dataclass(frozen=True, eq=False)
class Response:
    """What a request's time is made of on the measured host, one request an entry of `sizes`, `waits_s` and `chance`.

    Attributes
    ----------
    sizes : CPU over the mean request's
    waits_s : what isn't CPU and doesn't shrink with it
    chance : which moment it meets, 0 to 1, in the order of the CPU's queue
    demand_s : CPU seconds of the mean request
    loops : how many requests are computed at once, by first-come-first-served; None where all CPUs serve
    """

    discipline: Discipline
    sizes: F8
    waits_s: F8
    chance: F8
    demand_s: float
    loops: int | None = None

    def capacity(self, cpus: Cpus) -> float:
        """Full threads' worth of work that this server can use."""
        return cpus.capacity if self.loops is None else min(float(self.loops), cpus.capacity)

    def queue(self, cpus: Cpus, ratio: F8) -> Queue:
        """The CPU's queue at utilisations of `capacity`."""
        if self.discipline == "processor_sharing":
            return share(cpus, ratio)
        return FirstCome(ratio, self.capacity(cpus))

    def times_s(self, cpus: Cpus, ratio: F8, scale: float = 1.0) -> F8:
        """Response times, shape (loads, requests), where a request's CPU takes `scale` of the measured."""
        return self.waits_s + scale * self.demand_s * self.queue(cpus, ratio).response(self.sizes, self.chance)


@dataclass(frozen=True)
class Table:
    """A quantile of the response over utilisation and scale, worked out where it is asked for."""

    response: Response
    cpus: Cpus
    quantile: float

    @cached_property
    def _log_s(self) -> F8:
        """Logarithms, shape (LOADS, SCALES); nan where nobody asked yet: a type's worlds need a few of the hundreds."""
        return np.full((len(LOADS), len(SCALES)), np.nan)

    def log_s(self, loads: slice, scales: slice) -> F8:
        """Return the table with these rows and columns worked out."""
        if np.isnan(self._log_s[loads, scales]).any():
            queue = self.response.queue(self.cpus, LOADS[loads])
            work = self.response.demand_s * queue.response(self.response.sizes, self.response.chance)
            times = self.response.waits_s + SCALES[scales, None, None] * work
            self._log_s[loads, scales] = np.log(np.quantile(times, self.quantile, axis=2).T)
        return self._log_s

    def at(self, ratio: F8, scale: F8) -> F8:
        """Return the quantile in seconds at each utilisation and scale, of one shape; nan where either isn't known."""
        if not ratio.size:
            return np.empty(ratio.shape)
        stable = ratio < STABLE_RATIO
        load = np.sqrt(-np.log1p(-np.where(stable, ratio, LOADS[-1]))) / ROOT_STEP
        known = np.isfinite(ratio) & np.isfinite(scale)
        size = np.log2(np.maximum(np.where(known, scale, 1.0), SCALES[0]) / SCALES[0])
        value = self._between(load, size)
        found: F8 = np.where(known, np.where(stable, np.exp(value), SATURATED_S), np.nan)
        return found

    def _between(self, row: F8, column: F8) -> F8:
        """Interpolate bilinearly at places counted in rows and columns, of one shape; at the ends it stays."""
        row, column = np.clip(row, 0.0, len(LOADS) - 1.001), np.clip(column, 0.0, len(SCALES) - 1.001)
        above, left = row.astype(np.intp), column.astype(np.intp)
        table = self.log_s(_spanned(above), _spanned(left))
        down, right, at, flat, width = row - above, column - left, above * len(SCALES) + left, table.ravel(), len(SCALES)
        first = flat[at] + (flat[at + width] - flat[at]) * down
        second = flat[at + 1] + (flat[at + width + 1] - flat[at + 1]) * down
        found: F8 = first + (second - first) * right
        return found


def _spanned(places: npt.NDArray[np.intp]) -> slice:
    return slice(int(places.min()), int(places.max()) + 2)


FORMULA_ERROR = 0.03
"""Of a quantile from idle CPUs to full ones, one standard error: against simulation they lie within a tenth, most far nearer."""


@dataclass(frozen=True, eq=False)
class Varied:
    """How a world's response differs from the middle one: requests that differ otherwise in their CPU, and what the formula errs by.

    Attributes
    ----------
    response : with a variation of the CPU one standard error from the middle
    errors_draws : shape (S,), by how many of these a world differs
    formula_draws : shape (S,), standard errors of the formula
    """

    response: Response
    errors_draws: F8
    formula_draws: F8


def quantile_s(table: Table, other: Table | None, varied: Varied | None, ratio: F8, scale: F8) -> F8:
    """Return `table`'s quantile, shape (..., S), carried on towards `other`, that of `varied`, in each world."""
    found = table.at(ratio, scale)
    if varied is None or other is None:
        return found
    carried: F8 = found * (other.at(ratio, scale) / found) ** varied.errors_draws
    return carried * np.exp(FORMULA_ERROR * np.minimum(ratio, 1.0) * varied.formula_draws)


def read_response(
    latency_s: F8, demand_s: float, ratio: float, cpus: Cpus, discipline: Discipline, loops: int | None, variation: float | None = None
) -> Response:
    """Split the response times of the lightest step, shape (requests,), into waits and CPU.

    The CPU's share of the mean is what the fitted demand takes at that step's utilisation. Each request's CPU follows its
    time in a line, as steep as its `variation` (standard deviation over mean) asks for: steep, and all that differs between
    requests is their CPU. None: CPU and waits differ alike.
    """
    ordered = np.quantile(latency_s, (np.arange(REQUESTS) + 0.5) / REQUESTS)
    mean = float(ordered.mean())
    plain = Response(discipline, ordered / mean, np.zeros(REQUESTS), _spread(), demand_s, loops)
    cpu_s = min(float(plain.times_s(cpus, np.array([min(ratio, LOADS[-1])])).mean()), mean)
    steep = cpu_s / mean if variation is None else min(variation * cpu_s / max(float(ordered.std()), 1e-12), 1.0)
    computed = np.clip(cpu_s + steep * (ordered - mean), LEAST_SHARE * cpu_s / mean * ordered, ordered)
    return replace(plain, sizes=computed / computed.mean(), waits_s=ordered - computed)


def exponential_response(mean_s: float, demand_s: float, discipline: Discipline, loops: int | None = None) -> Response:
    """Where only a mean response is known: CPU and waits vary like an exponential, as nothing says how they do."""
    sizes = -np.log1p(-(np.arange(REQUESTS) + 0.5) / REQUESTS)
    return Response(discipline, sizes, sizes * max(mean_s - demand_s, 0.0), _spread(), demand_s, loops)


def _spread() -> F8:
    """Chances that meet every part of a sorted sample alike: the golden ratio's multiples, shape (REQUESTS,)."""
    return np.asarray((np.arange(REQUESTS) * 0.6180339887498949 + 0.5) % 1.0, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run: arrivals a second at one host, and its response times."""

    rate_per_s: float
    latency_s: F8


def steps_of(latency_s: F8, latency_load: F8) -> list[Step]:
    """Put response times, shape (requests,), into steps by their window's rate, the lightest first."""
    return [Step(float(load), latency_s[latency_load == load]) for load in np.unique(latency_load)]


def residual_ratio(
    table: Table, steps: Sequence[Step], costs_s: Sequence[F8], background: F8, rng: np.random.Generator, varied: Varied | None = None
) -> F8:
    """Return the run's own quantile over the table's, shape (S,); `costs_s` are the mean request's CPU seconds in each step.

    Each world weighs the steps anew, so that what no model explains of their differences is part of the width.
    """
    worlds, capacity = len(background), table.response.capacity(table.cpus)
    other = None if varied is None else replace(table, response=varied.response)
    over = np.empty((len(steps), worlds))
    for k, step in enumerate(steps):
        ratio = np.minimum((step.rate_per_s * costs_s[k] + background) / capacity, LOADS[-1])
        told = quantile_s(table, other, varied, ratio, costs_s[k] / table.response.demand_s)
        over[k] = resampled_quantile(step.latency_s, table.quantile, worlds, rng) / told
    weight = np.array([len(step.latency_s) for step in steps], dtype=float)
    picked = rng.multinomial(len(steps), weight / weight.sum(), size=worlds)
    found = (picked.T * over).sum(axis=0) / len(steps)
    middle = float(np.median(found))
    # Draws and steps both carry the sampling noise, which so is counted twice.
    spread: F8 = np.maximum(middle + (found - middle) / np.sqrt(2.0), 0.0)
    return spread


STRETCHES = 10


def resampled_quantile(values: F8, quantile: float, worlds: int, rng: np.random.Generator) -> F8:
    """Draw the sampling distribution of an order statistic by its binomial rank, which needs no resampling of the values."""
    ordered = np.sort(values)
    # Neighbours in a queue are slow together: a thousand requests say as much as fewer apart from each other would.
    apart = max(int(len(ordered) / _clumping(values, quantile)), 2)
    shares = rng.binomial(apart, quantile, worlds) / apart
    drawn: F8 = ordered[np.clip((shares * len(ordered)).astype(int), 0, len(ordered) - 1)]
    return drawn


def _clumping(values: F8, quantile: float) -> float:
    """How much more the share of slow requests varies between stretches than it would were each by itself; at least 1."""
    size = len(values) // STRETCHES
    if size < 10:
        return 1.0
    slow = (values > np.quantile(values, quantile))[: size * STRETCHES].reshape(STRETCHES, size).mean(axis=1)
    return max(float(slow.var(ddof=1)) * size / (quantile * (1 - quantile)), 1.0)
