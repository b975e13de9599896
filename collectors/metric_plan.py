"""What is the cheapest way to read a stack's metrics: the fewest metrics billed, then the fewest calls that AWS's limits allow?

GetMetricData bills by the metric asked for, whatever a call holds, and counts up to five statistics of one metric as one
(CloudWatch pricing, "API requests"). So every metric is asked for once, with all its statistics, over the longest span that
one period serves; only a span that reaches back over an age at which periods get coarser is cut there. What is left is to
fill calls: 500 queries and 100,800 points each (CloudWatch API reference, GetMetricData). A call that holds no more points
than a page never needs a second one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.metrics import Metric

QUERIES_A_CALL, POINTS_A_CALL = 500, 100_800
STATISTICS_A_METRIC = 5
DAY_S, HOUR_S = 86_400, 3_600
RETAINED_S = {60: 15 * DAY_S, 300: 63 * DAY_S, 3_600: 455 * DAY_S}
"""How long points of a period are kept, by the shortest one. Source: GetMetricData, "retains metric data as follows"."""
SLACK_S = 300
"""How much younger than that a point is that is still asked for by the period: the plan is carried out after it was made."""
GRID_S = 300
"""Spans begin and end on whole five minutes, so that periods of both lengths do."""

Span = tuple[int, int]
Done = Mapping[Metric, Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Part:
    """One metric over one span by one period; spans are seconds since 1970, their end not in them."""

    metric: Metric
    period_s: int
    span: Span

    @property
    def queries(self) -> int:
        return len(self.metric.kind.statistics)

    @property
    def points(self) -> int:
        """The most points it may return."""
        return self.queries * -(-(self.span[1] - self.span[0]) // self.period_s)

    @property
    def billed(self) -> int:
        return -(-self.queries // STATISTICS_A_METRIC)


@dataclass(frozen=True, slots=True)
class Call:
    """One GetMetricData: parts of one span."""

    parts: tuple[Part, ...]

    @property
    def span(self) -> Span:
        return self.parts[0].span

    @property
    def billed(self) -> int:
        return sum(part.billed for part in self.parts)


@dataclass(frozen=True, slots=True)
class Bill:
    """What calls come to: different metrics, those billed (one that is read by two periods is billed twice), calls, points at most."""

    metrics: int
    billed: int
    calls: int
    points: int


def bill_of(calls: Sequence[Call]) -> Bill:
    """Add up calls."""
    parts = [part for call in calls for part in call.parts]
    return Bill(len({part.metric for part in parts}), sum(part.billed for part in parts), len(calls), sum(part.points for part in parts))


def whole_span(start_s: float, end_s: float) -> Span:
    """Move a span's ends down to whole five minutes: its length stays."""
    return int(start_s // GRID_S * GRID_S), int(end_s // GRID_S * GRID_S)


def plan_calls(metrics: Iterable[Metric], span: Span, now_s: float, done: Done | None = None) -> list[Call]:
    """Return the calls that read `metrics` over `span`, without what was read already, newest span first.

    Parameters
    ----------
    now_s : float
        What time it is: how old the span's parts are.
    done : Mapping, optional
        Spans of each metric that were read.
    """
    parts: dict[Span, list[Part]] = {}
    for metric in metrics:
        for missing in uncovered(span, (done or {}).get(metric, ())):
            for part in parts_by_age(metric, missing, now_s):
                parts.setdefault(part.span, []).append(part)
    return [call for span in sorted(parts, reverse=True) for call in fill_calls(parts[span])]


def parts_by_age(metric: Metric, span: Span, now_s: float) -> list[Part]:
    """Cut a span where its points are only kept by a longer period; what is older than all that is kept has no part."""
    start_s, end_s = span
    parts = []
    for period_s, kept_s in RETAINED_S.items():
        oldest_s = int(-(-(now_s - kept_s + SLACK_S) // HOUR_S)) * HOUR_S
        from_s = max(start_s, oldest_s) // period_s * period_s
        if period_s >= metric.period_s and from_s < end_s and start_s < end_s:
            parts.append(Part(metric, period_s, (from_s, end_s)))
            end_s = from_s
    return parts


def fill_calls(parts: Iterable[Part]) -> list[Call]:
    """Put parts of one span into as few calls as hold them: the largest first, each into the first call with room."""
    calls: list[tuple[list[Part], int, int]] = []
    for part in sorted(parts, key=lambda part: -part.points):
        for n, (held, queries, points) in enumerate(calls):
            if queries + part.queries <= QUERIES_A_CALL and points + part.points <= POINTS_A_CALL:
                calls[n] = ([*held, part], queries + part.queries, points + part.points)
                break
        else:
            calls.append(([part], part.queries, part.points))
    return [Call(tuple(held)) for held, _, _ in calls]


def uncovered(span: Span, covered: Iterable[Span]) -> list[Span]:
    """Return what of a span no other one covers, in order."""
    start_s, end_s = span
    left = []
    for from_s, to_s in sorted(covered):
        if from_s > start_s:
            left.append((start_s, min(from_s, end_s)))
        start_s = max(start_s, to_s)
        if start_s >= end_s:
            return left
    return [*left, (start_s, end_s)]
