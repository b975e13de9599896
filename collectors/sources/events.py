"""What happened to the stack meanwhile: deployments with their lifecycle, and alarms, as rows of `events`.

What the hosts themselves saw, processes killed for want of memory and restarts, the agent's spool brings as rows of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from collectors.aws import Rows, SideCalls, in_parts
from collectors.deployments import deployed_class, deployments_since, lifecycle
from collectors.registry import Asked, Collector
from evidence import SpoolWriter, micros, rfc3339

LONGEST_DEPLOYMENT = timedelta(days=1)
"""How much earlier than the window a deployment may have begun that reaches into it."""
PER_CALL = 100
"""CloudWatch API reference, DescribeAlarms: at most so many names."""

Event = tuple[int, int | None, str, str, str]


def collect_events(side: SideCalls, topology: Mapping[str, Any], start: datetime, end: datetime) -> list[Event]:
    """Read what happened from `start` to `end`; return rows in the order of `evidence.TABLES["events"]`, by time.

    Parameters
    ----------
    side : SideCalls
        What it may not see is none, and a warning there.
    topology : mapping
        topology.json: an alarm counts where one of its dimensions names something of it.
    """
    classes = {str(group["class"]): str(group["name"]) for group in topology["target_groups"] if group["class"]}
    return sorted(_deployments(side, start, end, classes) + _alarms(side, topology, start, end))


def gather_events(asked: Asked) -> int:
    """Put the account's events into the run; say what it may not see."""
    side = SideCalls(asked.aws, "events_partial")
    rows = collect_events(side, asked.topology, asked.start, asked.end)
    writer = SpoolWriter(asked.folder / ".spool" / "events-account.spool", "events")
    for row in rows:
        writer.append(row)
    writer.close()
    for warning in side.warnings:
        asked.say(f"warning: {warning.message}")
    return len(rows)


def _deployments(side: SideCalls, start: datetime, end: datetime, classes: Mapping[str, str]) -> list[Event]:
    rows = []
    for info in deployments_since(side, start - LONGEST_DEPLOYMENT):
        began, ended = info.get("startTime") or info["createTime"], info.get("completeTime")
        if began < end and (ended is None or ended >= start):
            rows.append(_deployment(side, info, began, ended, classes))
    return rows


def _deployment(side: SideCalls, info: Mapping[str, Any], began: datetime, ended: datetime | None, classes: Mapping[str, str]) -> Event:
    """Make a deployment's row: its subject is the host class, or the application where it is none's."""
    detail = {
        "id": info["deploymentId"], "application": info.get("applicationName"), "group": info.get("deploymentGroupName"),
        "status": info["status"], "created_at": rfc3339(info["createTime"]), "lifecycle": lifecycle(side, info["deploymentId"]),
    }  # fmt: skip
    subject = deployed_class(info, classes) or str(info.get("applicationName"))
    return micros(began), None if ended is None else micros(ended), "deploy", subject, json.dumps(detail, sort_keys=True)


def _alarms(side: SideCalls, topology: Mapping[str, Any], start: datetime, end: datetime) -> list[Event]:
    """Return each time that an alarm of the stack went off, until it was well again (None where it wasn't)."""
    changes = side.pages(
        "cloudwatch", "describe_alarm_history", "AlarmHistoryItems", HistoryItemType="StateUpdate", StartDate=start, EndDate=end,
        ScanBy="TimestampAscending",
    )  # fmt: skip
    ours = _alarms_of(side, {str(change["AlarmName"]) for change in changes}, _names(topology))
    return [row for name in sorted(ours) for row in spells([c for c in changes if c["AlarmName"] == name])]


def spells(changes: Rows) -> list[Event]:
    """Turn one alarm's changes of state into rows, one a spell in ALARM; a change told twice counts once."""
    rows: list[Event] = []
    for change in sorted(changes, key=lambda c: c["Timestamp"]):
        at, (old, new, reason) = micros(change["Timestamp"]), _states(change)
        going = bool(rows) and rows[-1][1] is None
        if new == "ALARM" and not going:
            detail = json.dumps({"from": old, "to": new, "reason": reason}, sort_keys=True)
            rows.append((at, None, "alarm", str(change["AlarmName"]), detail))
        elif new != "ALARM" and going:
            rows[-1] = (rows[-1][0], at, *rows[-1][2:])
    return rows


def _states(change: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Read a change's old and new state, and why, out of its JSON."""
    data = json.loads(change.get("HistoryData") or "{}")
    old, new = data.get("oldState", {}), data.get("newState", {})
    return old.get("stateValue"), new.get("stateValue"), new.get("stateReason")


def _alarms_of(side: SideCalls, fired: Iterable[str], names: set[str]) -> set[str]:
    """Return those of the alarms that watch something of the stack, by one of their dimensions."""
    asked = [
        side.pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNames=list(part), AlarmTypes=["MetricAlarm"])
        for part in in_parts(sorted(fired), PER_CALL)
    ]
    return {str(alarm["AlarmName"]) for part in asked for alarm in part if names & _watched(alarm)}


def _watched(alarm: Mapping[str, Any]) -> set[str]:
    """Return the values of an alarm's dimensions, of its one metric or of each metric that it reckons with."""
    stats = [query.get("MetricStat", {}).get("Metric", {}) for query in alarm.get("Metrics", [])]
    return {str(d["Value"]) for metric in [alarm, *stats] for d in metric.get("Dimensions", [])}


def _names(topology: Mapping[str, Any]) -> set[str]:
    """Return what CloudWatch's dimensions call the parts of a stack."""
    groups = {str(group["dimension"]) for group in topology["target_groups"]}
    parts = [*topology["instances"], *topology.get("rds", ()), *topology.get("cache", ())]
    scaled = {str(group["name"]) for group in topology.get("auto_scaling", ())}
    return {str(topology["load_balancer"]["name"]), *groups, *(str(part["id"]) for part in parts), *scaled}


COLLECTOR = Collector(
    asks="what was deployed, and which alarms went off?",
    fills="events",
    calls=(
        "cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms", "codedeploy:BatchGetDeployments",
        "codedeploy:BatchGetDeploymentTargets", "codedeploy:ListDeployments", "codedeploy:ListDeploymentTargets",
    ),
    collect=collect_events,
    gather=gather_events,
)  # fmt: skip
