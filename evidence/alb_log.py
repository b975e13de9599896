"""A load balancer's access-log line, in the format of AWS's Application Load Balancers.

Source: Elastic Load Balancing user guide, "Access logs for your Application Load Balancer" (fields to `conn_trace_id`;
the three fields of request transforms follow it since 2025). New fields are only ever added at the end, so a reader
takes what it knows and leaves the rest.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

FIELDS = (
    "type", "time", "elb", "client", "target", "request_processing_time", "target_processing_time",
    "response_processing_time", "elb_status_code", "target_status_code", "received_bytes", "sent_bytes", "request",
    "user_agent", "ssl_cipher", "ssl_protocol", "target_group_arn", "trace_id", "domain_name", "chosen_cert_arn",
    "matched_rule_priority", "request_creation_time", "actions_executed", "redirect_url", "error_reason",
    "target_list", "target_status_list", "classification", "classification_reason", "conn_trace_id",
    "transformed_host", "transformed_uri", "request_transform_status",
)  # fmt: skip
"""Every field of a line, in its order."""

QUOTED = frozenset({
    "request", "user_agent", "trace_id", "domain_name", "chosen_cert_arn", "actions_executed", "redirect_url",
    "error_reason", "target_list", "target_status_list", "classification", "classification_reason",
    "transformed_host", "transformed_uri", "request_transform_status",
})  # fmt: skip

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)|"([^"]*)"(?=\s|$)|(\S+)')
"""A quoted field, with its escapes; one that ends in a backslash, which then escapes nothing; a bare one."""
FEWEST = FIELDS.index("target_group_arn") + 1
"""What the first format had; every later one added fields at the end."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """What sizeup reads of a line; a time is None where the load balancer wrote -1 (no target answered)."""

    at: datetime
    created_at: datetime
    type: str
    elb: str
    client: str
    target: str | None
    request_s: float | None
    target_s: float | None
    response_s: float | None
    status: int
    target_status: int | None
    received_bytes: int
    sent_bytes: int
    method: str
    url: str
    user_agent: str
    target_group_arn: str | None
    trace_id: str
    domain_name: str | None
    rule_priority: int | None
    actions: str

    @property
    def total_s(self) -> float | None:
        """The three processing times together, None where the line lacks one."""
        if self.request_s is None or self.target_s is None or self.response_s is None:
            return None
        return self.request_s + self.target_s + self.response_s


def split_line(line: str) -> list[str]:
    """Split a line into its fields, quotes taken off."""
    return [quoted or plain or bare for quoted, plain, bare in _TOKEN.findall(line)]


def parse_line(line: str) -> LogLine:
    """Read one line.

    Raises
    ------
    ValueError
        Where the line isn't an ALB's: too few fields, or a number that is none.
    """
    parts = split_line(line)
    if len(parts) < FEWEST:
        raise ValueError(f"an access-log line has at least {FEWEST} fields, this one {len(parts)}")
    f = defaultdict(lambda: "-", zip(FIELDS, parts, strict=False))
    method, url = _request(f["request"])
    at, created_at = _time(f["time"]), f["request_creation_time"]
    return LogLine(
        at=at, created_at=at if created_at == "-" else _time(created_at), type=f["type"], elb=f["elb"], client=f["client"],
        target=_text(f["target"]), request_s=_seconds(f["request_processing_time"]), target_s=_seconds(f["target_processing_time"]),
        response_s=_seconds(f["response_processing_time"]), status=_count(f["elb_status_code"]),
        target_status=_whole(f["target_status_code"]), received_bytes=_count(f["received_bytes"]), sent_bytes=_count(f["sent_bytes"]),
        method=method, url=url, user_agent=f["user_agent"], target_group_arn=_text(f["target_group_arn"]),
        trace_id=f["trace_id"], domain_name=_text(f["domain_name"]), rule_priority=_whole(f["matched_rule_priority"]),
        actions=f["actions_executed"],
    )  # fmt: skip


def format_line(values: dict[str, str]) -> str:
    """Write a line from its fields by name; what is absent is "-"."""
    return " ".join(_quote(values.get(name, "-")) if name in QUOTED else values.get(name, "-") for name in FIELDS)


def log_time(at: datetime) -> str:
    """Write a time as the log does: UTC with six decimals and Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\x5C").replace('"', "\\x22")
    return (
        '"'
        + re.sub(
            r"[\x00-\x1f\x7f-\uffff]", lambda m: "".join(f"\\x{byte:02X}" for byte in m[0].encode("utf-8", "surrogateescape")), escaped
        )
        + '"'
    )


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _request(text: str) -> tuple[str, str]:
    """Return method and address; the protocol is left out, which a request that was cut for its length lacks."""
    method, _, rest = text.partition(" ")
    url, _, protocol = rest.rpartition(" ")
    return method, url if protocol.startswith("HTTP/") or protocol in ("", "-") else rest


def _text(field: str) -> str | None:
    return None if field == "-" else field


def _count(field: str) -> int:
    """Read a count that is always there, 0 where the load balancer wrote none."""
    return 0 if field == "-" else int(field)


def _whole(field: str) -> int | None:
    return int(field) if field.lstrip("-").isdigit() else None


def _seconds(field: str) -> float | None:
    value = float(field) if field != "-" else -1.0
    return None if value < 0 else value
