"""What the load balancer's log says of one request, as evidence.alb_log's fields.

Source: Elastic Load Balancing user guide, "Access logs for your Application Load Balancer": times are seconds with three
decimals, all three -1 where no response came from a target; priority 0 is the default rule; "-" is a field without a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from evidence.alb_log import log_time
from staging.embedded.http_client import Address
from staging.embedded.listener import Request


@dataclass(slots=True)
class Passage:
    """What became of a request on its way, filled in as it goes.

    `target_group` is the chosen target's group as CloudWatch names it, None where no target was chosen; times are UTC
    seconds, 0 where that never happened.
    """

    group_name: str = ""
    target_group_arn: str = "-"
    target_group: str | None = None
    priority: str = "-"
    trace: str = "-"
    address: Address | None = None
    target_status: int | None = None
    sent_at: float = 0.0
    head_at: float = 0.0

    @property
    def target_s(self) -> float | None:
        """From the request's leaving to the response's head, None where no response came."""
        return max(0.0, self.head_at - self.sent_at) if self.head_at else None


def log_values(request: Request, passage: Passage, status: int, sent_bytes: int, at_s: float, elb: str, port: int) -> dict[str, str]:
    """Return a log line's fields by name; what is absent is "-"."""
    target = f"{passage.address[0]}:{passage.address[1]}" if passage.address else "-"
    target_status = str(passage.target_status) if passage.target_status else "-"
    before, during, after = _times(request, passage, at_s)
    return {
        "type": "http", "time": log_time(_utc(at_s)), "elb": elb, "client": f"{request.client[0]}:{request.client[1]}",
        "target": target, "request_processing_time": before, "target_processing_time": during, "response_processing_time": after,
        "elb_status_code": str(status), "target_status_code": target_status,
        "received_bytes": str(request.received_bytes), "sent_bytes": str(sent_bytes), "request": _request_line(request, port),
        "user_agent": _text(request.header(b"user-agent")), "target_group_arn": passage.target_group_arn, "trace_id": passage.trace,
        "matched_rule_priority": passage.priority, "request_creation_time": log_time(_utc(request.received_at)),
        "actions_executed": "-" if request.malformed else "forward", "target_list": target, "target_status_list": target_status,
        "conn_trace_id": request.connection_id,
    }  # fmt: skip


def _times(request: Request, passage: Passage, at_s: float) -> tuple[str, str, str]:
    target_s = passage.target_s
    if target_s is None:
        return "-1", "-1", "-1"
    spans = (passage.sent_at - request.received_at, target_s, at_s - passage.head_at)
    before, during, after = (f"{max(0.0, span):.3f}" for span in spans)
    return before, during, after


def _request_line(request: Request, port: int) -> str:
    """Write `GET http://host:port/path HTTP/1.1`; what a malformed request lacks is "-"."""
    host = _text(request.header(b"host"))
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if request.malformed:
        return f"- http://{name if name != '-' else '127.0.0.1'}:{port}- -"
    return f"{request.method.decode()} http://{name}:{port}{_text(request.target)} HTTP/{request.version}"


def _text(raw: bytes | None) -> str:
    return raw.decode("utf-8", "surrogateescape") if raw else "-"


def _utc(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
