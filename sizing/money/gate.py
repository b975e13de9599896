"""May this purchase be made on the evidence there is? Every test is listed; one that can't be judged counts as no.

What is told in any case: what waiting costs, and what being wrong by one size costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from catalogue import Catalogue, family_of, size_units
from evidence import Reason, Unknown, Warn
from sizing.money.buy import Buy, PurchasePrice
from sizing.money.held import Cover, Holding, Usage, apply_held, held_units
from sizing.money.units import cents, dollars, rate

WARN_PRICE_DAYS = 90


class Thresholds(Protocol):
    """[gate] of the settings: sizing.money.settings.GateSettings."""

    @property
    def days(self) -> int: ...
    @property
    def valid_minutes(self) -> float: ...
    @property
    def history_days(self) -> float: ...
    @property
    def peak_ratio(self) -> float: ...
    @property
    def deployments(self) -> int: ...
    @property
    def memory_ratio(self) -> float: ...
    @property
    def interval_ratio(self) -> float: ...
    @property
    def instability_ratio(self) -> float: ...
    @property
    def price_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class GateEvidence:
    """What the runs and the recommendation say about a purchase; None where it isn't known.

    Attributes
    ----------
    runs : int
        How many were given; 0 where nothing was measured.
    synthetic : bool or None
        Whether any of them loaded a stand-in.
    valid_minutes, history_days : float or None
        Of load in valid windows; from the first to the last day of history.
    highest_valid_per_s, peak_per_s : float or None
        Highest rate of a valid window; middle of the forecast peak.
    deployments, deploy : int, str, or None
        How many were seen; blue_green, stop_first or none.
    memory_ratio : float or None
        Share of valid windows with PSS or live heap of each group.
    interval_ratio, instability_ratio : float or None
        (hi − lo) / mid of the binding need; |demand of the first half against the second|.
    units_used : Decimal or None
        Units of the family that are used in 95 % of hours and worlds.
    lever_saving_monthly_usd : Decimal or None
        The most that an untried lever saves which lets a smaller size fit; 0 where there is none.
    free_months_left : float or None
        For the type bought; 0 where no free tier pays for it.
    """

    runs: int = 0
    synthetic: bool | None = None
    valid_minutes: float | None = None
    history_days: float | None = None
    highest_valid_per_s: float | None = None
    peak_per_s: float | None = None
    deployments: int | None = None
    deploy: str | None = None
    memory_ratio: float | None = None
    interval_ratio: float | None = None
    instability_ratio: float | None = None
    units_used: Decimal | None = None
    lever_saving_monthly_usd: Decimal | None = None
    free_months_left: float | None = None


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
    def total_usd(self) -> Decimal:
        """All that the reservation costs over its term."""
        return self.buy.count * self.price.term_usd(self.buy.term_h)

    def as_json(self) -> dict[str, Any]:
        return {
            "pass": self.passes, "buy": self._buy_json(),
            "wait": {"days": self.wait_days, "cost_usd": cents(self.wait_usd)},
            "wrong": {"type": self.wrong_type, "usd": cents(self.wrong_usd)}, "wrong_usd": cents(self.wrong_usd),
            "held": [cover.as_json() for cover in self.held], "reasons": [reason.as_json() for reason in self.reasons],
        }  # fmt: skip

    def unknown_entries(self) -> list[dict[str, str]]:
        """Return the entries of the envelope's `unknowns`."""
        return [unknown.entry(path) for path, unknown in self.unknowns.items()]

    def sentences(self) -> list[str]:
        """Say the verdict in one line, then what is refused and why, what is held already, and the next step."""
        refused = [r for r in self.reasons if r.ok is not True]
        lines = [f"{self._verdict(refused)} {self._wait()} {self._wrong()}"]
        lines += [f"  {r.code}: {_short(r.value)} {r.unit}, needs {r.need:g}; {r.lift}" for r in refused if _is_judged(r)]
        unjudged = [r.code for r in refused if not _is_judged(r)]
        lines += [f"  can't be judged yet: {', '.join(unjudged)}"] if unjudged else []
        lines += [f"  {cover.sentence}" for cover in self.held] + [f"  {warning.message}" for warning in self.warnings]
        return [*lines, f"next: {refused[0].lift}"] if refused else lines

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


def reasons(buy: Buy, price: PurchasePrice, need: Thresholds, seen: GateEvidence, held: Sequence[Holding], at: datetime) -> list[Reason]:
    """List every test of a purchase, in the reference's order; without a run those that need one can't be judged."""
    lever = None if seen.lever_saving_monthly_usd is None else float(seen.lever_saving_monthly_usd)
    return [
        *run_reasons(seen, need),
        _above_floor(buy, seen, held, at),
        _most("lever_pending", lever, 0, "usd a month", "try the lever that sizeup recommend names, then load again"),
        _most("free_tier_running", seen.free_months_left, 0, "months", "wait for its end, or state [account] free_tier in sizeup.toml"),
        _most("price_stale", price_age_days(price, at), need.price_days, "d", "give today's price with --upfront and --hourly"),
    ]


def run_reasons(seen: GateEvidence, need: Thresholds) -> list[Reason]:
    """List the tests of the runs alone, whatever is bought."""
    peak = seen.highest_valid_per_s / seen.peak_per_s if seen.highest_valid_per_s is not None and seen.peak_per_s else None
    synthetic = None if seen.synthetic is None else float(seen.synthetic)
    return [
        _least("no_run", seen.runs, 1, "runs", "sizeup look on the host, or sizeup load staging"),
        _most("synthetic", synthetic, 0, "flag", "load your own stack: sizeup load staging"),
        _least("too_short", seen.valid_minutes, need.valid_minutes, "min", "load longer: sizeup load staging --step-time 10m"),
        _least("too_few_days", seen.history_days, need.history_days, "d", f"have {need.history_days:g} days of production's own history"),
        _least("no_peak", peak, need.peak_ratio, "ratio", "load up to the forecast peak: sizeup load staging --rates"),
        _deployment(seen, need.deployments),
        _least("memory_unmeasured", seen.memory_ratio, need.memory_ratio, "ratio", "sample every process's PSS under load, as root"),
        _most("interval_wide", seen.interval_ratio, need.interval_ratio, "ratio", "load longer: sizeup load staging --step-time 10m"),
        _most("unstable", seen.instability_ratio, need.instability_ratio, "ratio", "warm up, then load again: sizeup load staging"),
    ]


def _is_judged(reason: Reason) -> bool:
    return reason.value is not None and reason.need is not None


def _short(value: float | None) -> str:
    """Write a figure with the three digits that it bears at the most."""
    return "not known" if value is None else f"{float(f'{value:.3g}'):g}"


def price_age_days(price: PurchasePrice, at: datetime) -> int | None:
    """Age of a purchase price in days: 0 where it was given, None where its source has no date."""
    if price.given:
        return 0
    return None if price.as_of is None else (at.date() - price.as_of).days


def _least(code: str, value: float | None, need: float, unit: str, lift: str) -> Reason:
    return Reason(code, None if value is None else value >= need, value, need, unit, lift)


def _most(code: str, value: float | None, need: float | None, unit: str, lift: str) -> Reason:
    return Reason(code, None if value is None or need is None else value <= need, value, need, unit, lift)


def _deployment(seen: GateEvidence, need: int) -> Reason:
    lift = "deploy once while sizeup load runs"
    if seen.deploy == "none":
        return Reason("no_deployment", True, seen.deployments, need, "deployments", lift)
    return _least("no_deployment", seen.deployments, need, "deployments", lift)


def _above_floor(buy: Buy, seen: GateEvidence, held: Sequence[Holding], at: datetime) -> Reason:
    """Units bought and held against those used in 95 % of hours and worlds; the bought ones count even where no run is."""
    family = family_of(buy.type)
    bought = Holding("bought", buy.type, buy.count).units
    both = None if bought is None else float(bought + held_units(held, family, at))
    used = None if seen.units_used is None else float(seen.units_used)
    return _most("above_floor", both, used, "units", f"buy no more than {family} hosts use in 95 % of hours: sizeup recommend")


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
