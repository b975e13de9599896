"""What CloudWatch counted of a stack, as rows of `metrics`: read as `collectors.metric_plan` has it, kept page by page.

Each call is answered whole or asked again: throttled, broken off or incomplete, its rows are kept once it is there. A period
without data is no row. Source: CloudWatch API reference, GetMetricData and MetricDataResult.
"""

from __future__ import annotations

import errno
import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collectors.aws import AwsError, AwsSession, SideCalls
from collectors.metric_journal import Journal
from collectors.metric_plan import Bill, Call, Part, bill_of, plan_calls, whole_span
from collectors.metrics import AGENT, planned_metrics
from collectors.registry import Asked, Collector
from evidence import micros

INCOMPLETE_TRIES, INCOMPLETE_PAUSE_S = 4, 2.0
"""How often, and after what pause, a call is asked again of which CloudWatch says that it didn't tell all."""
SETTLED_S = 300
"""How long after its end a period is taken as told in full; load balancers and hosts publish within three minutes."""

ROOM_BYTES = 16 * 2**20
"""What must be free before a call: an answer that finds no room is billed again. 100,800 points are at most 2 MiB, and tables follow."""
UNIQUE = 6
"""So many of a row's first columns tell it from every other one."""
Row = tuple[Any, ...]


def collect_cloudwatch(aws: AwsSession, topology: Mapping[str, Any], start: datetime, end: datetime) -> list[Row]:
    """Read every planned metric from `start` to `end`; return rows in the order of `evidence.TABLES["metrics"]`, by time.

    Raises
    ------
    SizeupError
        Where AWS doesn't answer.
    """
    span = int(start.timestamp()), int(-(-end.timestamp() // 1))
    calls = plan_calls(planned_metrics(topology), span, datetime.now(UTC).timestamp())
    return sorted({row for call in calls for _, rows in read_pages(aws, call) for row in rows})


def gather_cloudwatch(asked: Asked) -> int:
    """Read what isn't read yet into the run's folder; return the points that this took.

    Raises
    ------
    SizeupError
        Where AWS doesn't answer any more; what was read is kept.
    OSError
        Where the disk is full, before a call whose answer would find no room.
    """
    metrics, now = planned_metrics(asked.topology), datetime.now(UTC)
    span = whole_span(asked.start.timestamp(), asked.end.timestamp())
    journal = Journal(asked.folder, metrics)
    with closing(journal):
        points = _go_on(asked.aws, journal)
        for call in plan_calls(metrics, span, now.timestamp(), journal.done):
            _check_room(asked.folder)
            points += _keep(asked.aws, journal, call)
    return points


def _check_room(folder: Path) -> None:
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < ROOM_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def cloudwatch_bill(topology: Mapping[str, Any], start: datetime, end: datetime, now: datetime, folder: Path | None = None) -> Bill:
    """Return what reading a stack's metrics will come to, without what lies in a run's folder already."""
    metrics = planned_metrics(topology)
    done = Journal(folder, metrics).done if folder else None
    return bill_of(plan_calls(metrics, whole_span(start.timestamp(), end.timestamp()), now.timestamp(), done))


def cloudwatch_read(topology: Mapping[str, Any], folder: Path) -> Bill:
    """Return what a run's metrics came to, all attempts together."""
    return Journal(folder, planned_metrics(topology)).bill


def agent_metrics(side: SideCalls) -> list[dict[str, Any]]:
    """List what CloudWatch agents of the region publish, as topology.json's `agent_metrics`: their dimensions are their owner's choice."""
    found = side.pages("cloudwatch", "list_metrics", "Metrics", Namespace=AGENT)
    return [{"name": m["MetricName"], "dimensions": {d["Name"]: d["Value"] for d in m["Dimensions"]}} for m in found]


def read_pages(aws: AwsSession, call: Call, token: str | None = None) -> Iterator[tuple[str | None, list[Row]]]:
    """Yield each page of a call, from the one that `token` names on: the token of the next one, and its rows by time, each once.

    Raises
    ------
    AwsError
        Where AWS doesn't answer, or answers incompletely every time.
    """
    asked = [(part, statistic) for part in call.parts for statistic in part.metric.kind.statistics]
    parts = {f"m{n}": each for n, each in enumerate(asked)}
    arguments: dict[str, Any] = {
        "MetricDataQueries": [_query(key, *each) for key, each in parts.items()], "StartTime": datetime.fromtimestamp(call.span[0], UTC),
        "EndTime": datetime.fromtimestamp(call.span[1], UTC), "ScanBy": "TimestampAscending",
    }  # fmt: skip
    while True:
        answer = _whole_answer(aws, arguments if token is None else {**arguments, "NextToken": token})
        token = answer.get("NextToken")
        rows = [row for result in answer["MetricDataResults"] for row in _rows(*parts[result["Id"]], result, aws.region)]
        yield token, sorted({row[:UNIQUE]: row for row in rows}.values())
        if not token:
            return


def _go_on(aws: AwsSession, journal: Journal) -> int:
    """Read the rest of a call whose pages were not all read; where its token has expired, it is read from its start."""
    if (unfinished := journal.open_call) is None:
        return 0
    call, token = unfinished
    try:
        return _keep(aws, journal, call, token)
    except AwsError as refused:
        if refused.kind != "failed":
            raise
        return _keep(aws, journal, call)


def _keep(aws: AwsSession, journal: Journal, call: Call, token: str | None = None) -> int:
    points, is_first = 0, token is None
    for following, rows in read_pages(aws, call, token):
        journal.keep(call, rows, following or None, is_first=is_first)
        points, is_first = points + len(rows), False
    return points


def _whole_answer(aws: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Ask until each result is complete, or goes on in a page to come."""
    for _ in range(INCOMPLETE_TRIES):
        answer = _answer(aws, arguments)
        states = {result.get("StatusCode", "Complete") for result in answer["MetricDataResults"]}
        if states <= {"Complete"} or (answer.get("NextToken") and "InternalError" not in states):
            return answer
        time.sleep(INCOMPLETE_PAUSE_S)
    told = ", ".join(sorted(states - {"Complete"}))
    raise AwsError(f"CloudWatch answers with {told} every time; wait a minute, then run it again.", "failed", told)


def _answer(aws: AwsSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Ask once; an endpoint beside AWS that breaks at percentiles (moto 5.2 does) is asked for the rest."""
    try:
        return aws.call("cloudwatch", "get_metric_data", **arguments)
    except AwsError as refused:
        plain = [query for query in arguments["MetricDataQueries"] if not query["MetricStat"]["Stat"].startswith("p")]
        if aws.endpoint_url is None or refused.kind != "failed" or refused.will_pass or len(plain) == len(arguments["MetricDataQueries"]):
            raise
        return aws.call("cloudwatch", "get_metric_data", **{**arguments, "MetricDataQueries": plain})


def _query(key: str, part: Part, statistic: str) -> dict[str, Any]:
    metric = part.metric
    named = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    asked = {"Namespace": metric.namespace, "MetricName": metric.kind.name, "Dimensions": named}
    return {"Id": key, "MetricStat": {"Metric": asked, "Period": part.period_s, "Stat": statistic}, "ReturnData": True}


def _rows(part: Part, statistic: str, result: Mapping[str, Any], region: str) -> Iterable[Row]:
    """Yield a result's points; one without a value, or with one that is no number, is none."""
    kind, dimensions = part.metric.kind, json.dumps(dict(part.metric.dimensions), sort_keys=True)
    for at, value in zip(result["Timestamps"], result["Values"], strict=True):
        if value is not None and math.isfinite(value):
            yield (
                micros(at), part.metric.namespace, kind.name, dimensions, statistic, part.period_s, float(value), kind.unit, region,
            )  # fmt: skip


COLLECTOR = Collector(
    asks="what did the load balancer, the hypervisor, database, cache and agents count?",
    fills="metrics",
    calls=("cloudwatch:GetMetricData", "cloudwatch:ListMetrics"),
    collect=collect_cloudwatch,
    gather=gather_cloudwatch,
)
