"""CloudWatch's alarms. Source: CloudWatch API reference, DescribeAlarmHistory."""

from __future__ import annotations

from staging.aws.alarms import describe_alarm_history
from staging.aws.service import Service

SERVICE = Service({"DescribeAlarmHistory": describe_alarm_history})
