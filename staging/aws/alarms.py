"""What alarms did. Source: CloudWatch API reference, DescribeAlarmHistory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from staging.aws.world import AwsWorld, Entry, page

MOST = 100


def describe_alarm_history(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of the span that is asked for, newest first unless told otherwise; times as RFC 3339."""
    found = [item for item in world.lists.get("DescribeAlarmHistory", []) if _within(item, asked)]
    found.sort(key=lambda item: _seconds(item["Timestamp"]), reverse=asked.get("ScanBy") != "TimestampAscending")
    most = int(asked["MaxRecords"]) if "MaxRecords" in asked else None
    items, token = page(world, found, asked.get("NextToken"), most, MOST, "InvalidNextToken")
    return {"AlarmHistoryItems": items} | ({"NextToken": token} if token else {})


def _within(item: Entry, asked: Mapping[str, Any]) -> bool:
    at = _seconds(item["Timestamp"])
    kinds = asked.get("HistoryItemType", item["HistoryItemType"])
    return item["HistoryItemType"] == kinds and _bound(asked, "StartDate", at) <= at <= _bound(asked, "EndDate", at)


def _bound(asked: Mapping[str, Any], name: str, default: float) -> float:
    return _seconds(asked[name]) if name in asked else default


def _seconds(told: Any) -> float:
    """Read a time as either protocol writes it: seconds since 1970, or RFC 3339."""
    if isinstance(told, (int, float)):
        return float(told)
    return datetime.fromisoformat(str(told).replace("Z", "+00:00")).timestamp()
