"""May this purchase be made on the evidence there is? Every test is listed; one that can't be judged counts as no.

What is told in any case: what waiting costs, and what being wrong by one size costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalogue import Catalogue, size_units
from evidence import Reason, Unknown, Warn
from sizing.money.buy import Buy, PurchasePrice
from sizing.money.held import Cover, Holding, Usage, apply_held
from sizing.money.orders import Order, instance_order
from sizing.money.reasons import GateEvidence, Thresholds, price_age_days, reasons
from sizing.money.units import cents, dollars, rate

WARN_PRICE_DAYS = 90


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict on a purchase; `as_json` is the body of `sizeup.gate/1` without the envelope.

    Attributes
    ----------
    wait_usd : Decimal or None
        What `wait_days` on demand cost beyond the reservation; None where the region has no on-demand price of the type.
    wrong_type, wrong_usd : str or None, Decimal
        The next smaller size, and what would be lost if it had done; the whole sum where there is none.
    """

    buy: Buy
    region: str
    price: PurchasePrice
    on_demand_hourly_usd: Decimal | None
    wait_days: int
    wait_usd: Decimal | None
    wrong_type: str | None
    wrong_usd: Decimal
    held: Sequence[Cover]
    reasons: Sequence[Reason]
    warnings: Sequence[Warn] = ()
    unknowns: dict[str, Unknown] = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        return all(reason.ok is True for reason in self.reasons)

    @property
    def order(self) -> Order:
        buy = self.buy
        return instance_order(buy.type, buy.count, buy.term_years, buy.payment, buy.offering, self.region)

    @property
    def total_usd(self) -> Decimal:
        """All that the reservation costs over its term."""
        return self.buy.count * self.price.term_usd(self.buy.term_h)

    def as_json(self) -> dict[str, Any]:
        return {
            "pass": self.passes, "buy": self._buy_json(),
            "wait": {"days": self.wait_days, "cost_usd": cents(self.wait_usd)},
            "wrong": {"type": self.wrong_type, "usd": cents(self.wrong_usd)}, "wrong_usd": cents(self.wrong_usd),
            "held": [cover.as_json() for cover in self.held], "reasons": [reason.as_json() for reason in self.reasons],
            "order": self.order.as_json(self.passes),
        }  # fmt: skip

    def unknown_entries(self) -> list[dict[str, str]]:
        """Return the entries of the envelope's `unknowns`."""
        return [unknown.entry(path) for path, unknown in self.unknowns.items()]

    def sentences(self) -> list[str]:
        """Say the verdict in one line, then what is refused and why, what is held already, and what lifts it; or how it is bought."""
        refused = [r for r in self.reasons if r.ok is not True]
        lines = [f"{self._verdict(refused)} {self._wait()} {self._wrong()}"]
        lines += [f"  {r.code}: {_short(r.value)} {r.unit}, needs {r.need:g}; {r.lift}" for r in refused if _is_judged(r)]
        unjudged = [r.code for r in refused if not _is_judged(r)]
        lines += [f"  can't be judged yet: {', '.join(unjudged)}"] if unjudged else []
        lines += [f"  {cover.sentence}" for cover in self.held] + [f"  {warning.message}" for warning in self.warnings]
        return [*lines, f"next: {refused[0].lift}"] if refused else [*lines, *self.order.sentences()]

    def _buy_json(self) -> dict[str, Any]:
        upfront, hourly, on_demand = self.price.upfront_usd, self.price.hourly_usd, self.on_demand_hourly_usd
        return {
            "type": self.buy.type, "count": self.buy.count, "term_s": int(self.buy.term_h) * 3600, "payment": self.buy.payment,
            "class": self.buy.offering, "region": self.region, "upfront_usd": cents(upfront),
            "hourly_usd": rate(hourly), "effective_hourly_usd": rate(self.price.effective_hourly_usd),
            "on_demand_hourly_usd": rate(on_demand), "source": self.price.source,
        }  # fmt: skip

    def _verdict(self, refused: Sequence[Reason]) -> str:
        codes = {reason.code for reason in refused}
        if not refused:
            return f"yes: all {len(self.reasons)} tests of the evidence hold."
        if "no_run" in codes:
            return "no: nothing was measured."
        if "synthetic" in codes:
            return "no: only a stand-in was measured, not your service."
        return f"no: {len(refused)} of {len(self.reasons)} tests of the evidence don't hold."

    def _wait(self) -> str:
        if self.wait_usd is None:
            return f"What waiting {self.wait_days} days costs is unknown, {self.region} having no price of it on demand;"
        change = f"{dollars(abs(self.wait_usd))} {'more' if self.wait_usd >= 0 else 'less'}"
        return f"Waiting {self.wait_days} days on demand costs {change} than the reservation would;"

    def _wrong(self) -> str:
        part = "all" if self.wrong_type is None else dollars(self.wrong_usd)
        return f"being wrong {'' if self.wrong_type is None else 'by one size '}costs {part} of the {dollars(self.total_usd)}."


def gate(
    buy: Buy, price: PurchasePrice, *, settings: Thresholds, catalogue: Catalogue, generated_at: datetime,
    evidence: GateEvidence | None = None, held: Sequence[Holding] = (), usage: Sequence[Usage] = (),
) -> Gate:  # fmt: skip
    """Judge a purchase.

    Parameters
    ----------
    settings : [gate]
        The thresholds and the wait that is priced.
    evidence : GateEvidence, optional
        None where there is no run.
    held, usage : sequences
        What is reserved already; the hosts that are recommended (or, without a recommendation, that run).

    References
    ----------
    docs/reference/json.md, `gate`: the formulas of wait and wrong, and each test.
    """
    found = catalogue.on_demand(buy.type)
    on_demand = None if found is None else found.usd
    smaller = catalogue.next_smaller(buy.type)
    return Gate(
        buy=buy, region=catalogue.region, price=price, on_demand_hourly_usd=on_demand, wait_days=settings.days,
        wait_usd=None if on_demand is None else wait_usd(buy, price, on_demand, settings.days),
        wrong_type=None if smaller is None else smaller.name, wrong_usd=wrong_usd(buy, price, None if smaller is None else smaller.name),
        held=apply_held(held, usage, generated_at),
        reasons=reasons(buy, price, settings, evidence or GateEvidence(), held, generated_at),
        warnings=_warnings(price, generated_at), unknowns=_unknowns(buy, price, on_demand),
    )  # fmt: skip


def wait_usd(buy: Buy, price: PurchasePrice, on_demand_usd: Decimal, days: int) -> Decimal:
    """What so many days on demand cost beyond the same days of the reservation."""
    hours = Decimal(24 * days)
    return buy.count * (on_demand_usd * hours - price.term_usd(buy.term_h) * hours / buy.term_h)


def wrong_usd(buy: Buy, price: PurchasePrice, smaller: str | None) -> Decimal:
    """What is lost if the next smaller size would have done, the whole sum where there is none."""
    whole = buy.count * price.term_usd(buy.term_h)
    return whole if smaller is None else whole * (1 - size_units(smaller) / size_units(buy.type))


def _is_judged(reason: Reason) -> bool:
    return reason.value is not None and reason.need is not None


def _short(value: float | None) -> str:
    """Write a figure with the three digits that it bears at the most."""
    return "not known" if value is None else f"{float(f'{value:.3g}'):g}"


def _warnings(price: PurchasePrice, at: datetime) -> list[Warn]:
    age = price_age_days(price, at)
    if age is None or age <= WARN_PRICE_DAYS:
        return []
    return [Warn("price_old", f"the price is {age} days old ({price.as_of}); give today's with --upfront and --hourly.")]


def _unknowns(buy: Buy, price: PurchasePrice, on_demand: Decimal | None) -> dict[str, Unknown]:
    lift = "give it with --upfront USD and --hourly USD"
    found: dict[str, Unknown] = {}
    if price.upfront_usd is None:
        found["buy.upfront_usd"] = Unknown("only the effective price of this payment is published, not its two parts", lift)
    if price.hourly_usd is None:
        found["buy.hourly_usd"] = Unknown("only the effective price of this payment is published, not its two parts", lift)
    if on_demand is None:
        found["wait.cost_usd"] = Unknown(f"no on-demand price of {buy.type} here", "name a region that offers it with --region")
    return found
