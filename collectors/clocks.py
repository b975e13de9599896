"""How far are other clocks from this machine's? AWS's by the Date of its answers, a host's by asking it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from collectors.aws import AwsSession
from collectors.transport import Remote

WORST_S = 1.0
"""A clock further off than this puts a request into another second than the one that its trace id names."""


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How much later another clock is than this machine's, and how far that may be wrong; seconds."""

    host: str
    offset_s: float
    error_s: float

    @property
    def ok(self) -> bool:
        return abs(self.offset_s) - self.error_s <= WORST_S

    def as_json(self) -> dict[str, Any]:
        return {"host": self.host, "offset_s": round(self.offset_s, 3), "error_s": round(self.error_s, 3), "ok": self.ok}


def aws_clock(aws: AwsSession, clock: Callable[[], float] = time.time) -> ClockOffset:
    """Read AWS's clock, whose answers name the whole second; DescribeLoadBalancers is the question.

    Raises
    ------
    AwsError
        Where AWS doesn't answer.
    """
    aws.client("elbv2")
    before = clock()
    answer = aws.call("elbv2", "describe_load_balancers", PageSize=1)
    after = clock()
    second = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    return between("aws", before, after, second, second + 1)


def host_clock(host: str, remote: Remote, clock: Callable[[], float] = time.time) -> ClockOffset:
    """Ask a host what time it is.

    Raises
    ------
    SizeupError
        Where it can't be reached.
    """
    before = clock()
    told = float(remote.run("date +%s.%N").decode().strip())
    return between(host, before, clock(), told, told)


def between(host: str, before: float, after: float, earliest: float, latest: float) -> ClockOffset:
    """Return the offset of a clock that showed something from `earliest` to `latest` at some moment from `before` to `after`."""
    low, high = earliest - after, latest - before
    return ClockOffset(host, (low + high) / 2, (high - low) / 2)
