"""What the stand-in knows and how badly it behaves."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from staging.aws.metric import MetricSeries

Entry = dict[str, Any]
T = TypeVar("T")


@dataclass(slots=True)
class Trouble:
    """How AWS misbehaves. `..._every` n lets every n-th call fail, `..._ratio` that share of them, drawn by `seed`; 0 never.

    Attributes
    ----------
    silence_ratio, silence_s : float
        Share of calls whose connection is closed without an answer, and after how long: longer than the caller waits is a time-out.
    gone : set of str
        Services that the region doesn't have: nobody answers.
    unlisted : dict
        What the account may not use, by service or action, and the code that it is refused with ("OptInRequired").
    skew_s : float
        How much later AWS's clock is than the caller's; over five minutes each call is refused.
    denied : set of str
        Actions that no policy of the credentials allows, as a policy names them: "service:Action".
    expire_after : int or None
        After so many calls the credentials have expired.
    answers : int or None
        After so many calls no call is answered any more: a network that is gone.
    late_s : float
        How long after its end a sample of a metric takes to be seen.
    missing_ratio, duplicate_ratio : float
        Share of a metric's samples that are lost, and of its points that are told twice.
    is_shuffled : bool
        Whether points come in no order.
    incomplete : int
        So many answers of GetMetricData to come tell half of their points, and say that they are incomplete.
    """

    throttle_every: int = 0
    fail_every: int = 0
    seed: int = 0
    throttle_ratio: float = 0.0
    fail_ratio: float = 0.0
    silence_ratio: float = 0.0
    silence_s: float = 0.0
    gone: set[str] = field(default_factory=set)
    unlisted: dict[str, str] = field(default_factory=dict)
    skew_s: float = 0.0
    denied: set[str] = field(default_factory=set)
    expire_after: int | None = None
    answers: int | None = None
    late_s: float = 0.0
    missing_ratio: float = 0.0
    duplicate_ratio: float = 0.0
    is_shuffled: bool = False
    incomplete: int = 0


@dataclass(slots=True)
class AwsWorld:
    """An account and the price lists that it sees, each entry as the API returns it.

    Attributes
    ----------
    lists : dict
        What the account holds and did, by the operation that lists it ("DescribeSavingsPlans"); what isn't there is none.
    products : list
        Items of the price list, as GetProducts returns each (there as a string).
    hosts : dict
        Instances that Systems Manager reaches, and the environment in which scripts run there.
    invocations : dict
        By command and instance what GetCommandInvocation will answer, in turn: None that there is no such one; the last stays.
    page_size : int
        The most items of a page, whatever the caller asks for.
    points_a_page : int
        The most points of an answer of GetMetricData, whatever the caller asks for.
    generation : int
        Tokens of an earlier one have expired.
    clock : Callable
        What time it is, which decides how old a metric's samples are.
    """

    instance_types: list[Entry] = field(default_factory=list)
    products: list[Entry] = field(default_factory=list)
    reservations: list[Entry] = field(default_factory=list)
    rates: list[Entry] = field(default_factory=list)
    plan_state: Entry | None = None
    lists: dict[str, list[Entry]] = field(default_factory=dict)
    metrics: list[MetricSeries] = field(default_factory=list)
    hosts: dict[str, dict[str, str]] = field(default_factory=dict)
    invocations: dict[tuple[str, str], list[Entry | None]] = field(default_factory=dict)
    page_size: int = 100
    points_a_page: int = 100_800
    generation: int = 0
    trouble: Trouble = field(default_factory=Trouble)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


class AwsFault(Exception):
    """An error as AWS names it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def page(
    world: AwsWorld, items: Sequence[T], token: str | None, asked: int | None, most: int, expired: str, size: int | None = None
) -> tuple[list[T], str | None]:
    """Cut a page out of a list, of at most `size` (else the world's); return it and the token of the next.

    Raises
    ------
    AwsFault
        Where more is asked for than the service allows, or the token is not one that it gave (code `expired`).
    """
    if asked is not None and not 1 <= asked <= most:
        raise AwsFault("InvalidParameterValue", f"MaxResults must be from 1 to {most}")
    start = 0 if token is None else _offset(world, token, expired)
    end = start + min(asked or most, size or world.page_size)
    return list(items[start:end]), _token(world, end) if end < len(items) else None


def _token(world: AwsWorld, offset: int) -> str:
    return base64.b64encode(f"{world.generation}:{offset}".encode()).decode()


def _offset(world: AwsWorld, token: str, expired: str) -> int:
    try:
        generation, offset = base64.b64decode(token, validate=True).decode().split(":")
        if int(generation) == world.generation:
            return int(offset)
    except (ValueError, binascii.Error):
        pass
    raise AwsFault(expired, "The pagination token isn't valid or has expired")
