"""What `sizeup collect` is asked, what it will read, and what that costs: settled before anything is read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence import RunFolder, SizeupError, list_runs, read_meta, rfc3339, run_status

if TYPE_CHECKING:
    from catalogue import ServicePrice
    from collectors import Bill
    from loadtests import Target
    from sizeup.settings import Settings

PLAN = "collect"
DEFAULT_SINCE_S = 14 * 86_400.0
RESUMED_WITHIN = timedelta(days=1)
"""How long after its beginning a collection of "the last 14 days" is still the one that was begun."""
PRICE_REGION = "us-east-1"
"""Whose price stands in for a region's that isn't known."""


@dataclass(frozen=True, slots=True)
class CollectOptions:
    """What `sizeup collect` was asked: a span that ends now, or one from `start` to `end`."""

    since_s: float = DEFAULT_SINCE_S
    start: datetime | None = None
    end: datetime | None = None
    dry_run: bool = False

    @property
    def key(self) -> dict[str, Any]:
        """What run.json says was asked; a later call of the same goes on with the run."""
        if self.start is None and self.end is None:
            return {"since_s": self.since_s}
        return {"start": self.start and rfc3339(self.start), "end": self.end and rfc3339(self.end), "since_s": self.since_s}


@dataclass(frozen=True, slots=True)
class PricedBill:
    """What reading metrics comes to, and its price: None where no region's is known, `region` whose it is."""

    bill: Bill
    price: ServicePrice | None
    region: str

    @property
    def usd(self) -> Decimal | None:
        return None if self.price is None else self.price.usd * self.bill.billed / 1000

    def as_json(self) -> dict[str, Any]:
        known = self.price
        told = {} if known is None else {"usd": format(known.usd, "f"), "unit": known.unit, "region": self.region, "source": known.source}
        usd = None if self.usd is None else f"{self.usd.normalize():f}"
        return {
            "metrics": self.bill.metrics, "billed_metrics": self.bill.billed, "calls": self.bill.calls, "points": self.bill.points,
            "usd": usd, "price": told or None,
        }  # fmt: skip


def price_bill(bill: Bill, region: str) -> PricedBill:
    """Price a bill as the region does, else as us-east-1."""
    from sizeup.prices import open_catalogue

    for where in (region, PRICE_REGION):
        if found := open_catalogue(where).services.get(("cloudwatch", "GetMetricData"), ()):
            return PricedBill(bill, found[0], where)
    return PricedBill(bill, None, region)


def target_named(name: str, settings: Settings) -> Target:
    """Return the target of that name.

    Raises
    ------
    SizeupError
        Where the settings name none such.
    """
    if name in settings.target:
        return settings.target[name]
    near = difflib.get_close_matches(name, settings.target, 1)
    known = f'did you mean "{near[0]}"?' if near else f"it names {', '.join(sorted(settings.target)) or 'none yet'}; add [target.{name}]."
    raise SizeupError(f'target "{name}": sizeup.toml doesn\'t name it; {known}')


def span_of(options: CollectOptions, now: datetime) -> tuple[datetime, datetime]:
    """Return the span on whole five minutes; one without an end ends where CloudWatch has told everything.

    Raises
    ------
    SizeupError
        Where it is empty or ends in the future.
    """
    from collectors import SETTLED_S, whole_span

    end = options.end or now - timedelta(seconds=SETTLED_S)
    start = options.start or end - timedelta(seconds=options.since_s)
    if end > now:
        raise SizeupError(f"--end {rfc3339(end)}: lies in the future; name a time that is over.")
    first, last = whole_span(start.timestamp(), end.timestamp())
    if first >= last:
        raise SizeupError(f"from {rfc3339(start)} to {rfc3339(end)}: spans no whole five minutes; name a longer time.")
    return datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)


def unfinished(results: Path, name: str, options: CollectOptions, now: datetime) -> RunFolder | None:
    """Return the newest collection of the same target and span, where it was broken off."""
    for path in list_runs(results):
        with suppress(SizeupError):  # one that can't be read is no unfinished one
            meta = read_meta(path)
            if meta["plan"].get("asked") == options.key and meta["target"] == name:
                is_same = options.end is not None or now - datetime.fromisoformat(meta["started_at"]) < RESUMED_WITHIN
                is_begun = (path / "topology.json").exists() and run_status(meta) in ("stopped", "crashed")
                return RunFolder(path, meta) if is_same and is_begun else None
    return None


def span_of_run(meta: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return the span that a run was begun with."""
    return datetime.fromisoformat(meta["plan"]["start"]), datetime.fromisoformat(meta["plan"]["end"])


def told(name: str, load_balancer: str, start: datetime, end: datetime, priced: PricedBill) -> list[str]:
    """Say what is about to be read and what it costs."""
    return [f"target {name}: {load_balancer}, {rfc3339(start)} to {rfc3339(end)}", f"CloudWatch: {bill_words(priced)}"]


def bill_words(priced: PricedBill) -> str:
    """Write a bill: `40 billed metrics in 8 calls of GetMetricData, $0.0004 ($0.01 for 1000 metrics, us-east-1)`."""
    read = f"{priced.bill.billed:,} billed metrics in {priced.bill.calls:,} calls of GetMetricData"
    if priced.price is None or priced.usd is None:
        return f"{read}, at a price that isn't known here"
    return f"{read}, ${priced.usd.normalize():f} (${priced.price.usd.normalize():f} for {priced.price.unit}, {priced.region})"
