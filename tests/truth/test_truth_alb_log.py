"""Access-log lines that AWS prints in its own guide, read by evidence.alb_log."""

from __future__ import annotations

import pytest
from truth_cases import agrees, of_kind

from evidence.alb_log import FIELDS, parse_line, split_line


def as_told(text):
    """Name a line's fields as the cases do."""
    line, raw = parse_line(text), dict(zip(FIELDS, split_line(text), strict=False))
    return {
        "type": line.type, "target": line.target, "target_s": line.target_s, "total_s": line.total_s, "received": line.received_bytes,
        "sent": line.sent_bytes, "elb_status": line.status, "target_status": line.target_status, "actions": line.actions,
        "error_reason": None if raw["error_reason"] == "-" else raw["error_reason"],
    }  # fmt: skip


@pytest.mark.parametrize("told", of_kind("alb_log"), ids=lambda c: c["id"])
def test_a_line_of_the_guide_reads_as_the_guide_explains_it(told):
    """Elastic Load Balancing user guide, "Access logs for your Application Load Balancer"."""
    lines = [as_told(line) for line in told["inputs"]["lines"]]

    for expected, found in zip(told["expected"]["parsed"], lines, strict=True):
        assert agrees(expected, found, told["tolerance"])
