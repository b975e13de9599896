"""What the gate asks of the evidence before a purchase: one test a code, each with what lifts it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from catalogue import family_of
from evidence import Reason
from sizing.money.buy import Buy, PurchasePrice
from sizing.money.held import Holding, held_units


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


def reasons(buy: Buy, price: PurchasePrice, need: Thresholds, seen: GateEvidence, held: Sequence[Holding], at: datetime) -> list[Reason]:
    """List every test of a purchase, in the reference's order; without a run those that need one can't be judged."""
    lever = None if seen.lever_saving_monthly_usd is None else float(seen.lever_saving_monthly_usd)
    free = "wait for its end, or state [account] free_tier in sizeup.toml, then sizeup gate again"
    return [
        *run_reasons(seen, need),
        _above_floor(buy, seen, held, at),
        _most("lever_pending", lever, 0, "usd a month", "try the lever that sizeup recommend names, then sizeup load staging"),
        _most("free_tier_running", seen.free_months_left, 0, "months", free),
        _most("price_stale", price_age_days(price, at), need.price_days, "d", "give today's price: sizeup gate --upfront USD --hourly USD"),
    ]


def run_reasons(seen: GateEvidence, need: Thresholds) -> list[Reason]:
    """List the tests of the runs alone, whatever is bought."""
    peak = seen.highest_valid_per_s / seen.peak_per_s if seen.highest_valid_per_s is not None and seen.peak_per_s else None
    synthetic = None if seen.synthetic is None else float(seen.synthetic)
    days = f"have production's own history: sizeup collect staging --since {need.history_days:g}d"
    rates = f"load up to the forecast peak: sizeup load staging --rates {_rates(seen.peak_per_s, need.peak_ratio)}"
    memory = "sample every process's memory, as root: sizeup agent install HOST, then sizeup load staging"
    return [
        _least("no_run", seen.runs, 1, "runs", "sizeup look on the host, or sizeup load staging"),
        _most("synthetic", synthetic, 0, "flag", "load your own stack: sizeup load staging"),
        _least("too_short", seen.valid_minutes, need.valid_minutes, "min", f"load longer: sizeup load staging --step-time {_steps(need)}m"),
        _least("too_few_days", seen.history_days, need.history_days, "d", days),
        _least("no_peak", peak, need.peak_ratio, "ratio", rates),
        _deployment(seen, need.deployments),
        _least("memory_unmeasured", seen.memory_ratio, need.memory_ratio, "ratio", memory),
        _most("interval_wide", seen.interval_ratio, need.interval_ratio, "ratio", "load longer: sizeup load staging --step-time 20m"),
        _most("unstable", seen.instability_ratio, need.instability_ratio, "ratio", "warm up, then load again: sizeup load staging"),
    ]


def _rates(peak_per_s: float | None, ratio: float) -> str:
    """Three steps up to the peak that is asked for; a hint where the peak isn't known."""
    if peak_per_s is None:
        return "R,R,PEAK"
    most = math.ceil(peak_per_s * ratio)
    return ",".join(str(max(most // part, 1)) for part in (4, 2, 1))


def _steps(need: Thresholds) -> int:
    """Minutes of each of three steps that are long enough together."""
    return math.ceil(need.valid_minutes / 3)


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
    lift = "deploy once meanwhile: sizeup load staging"
    if seen.deploy == "none":
        return Reason("no_deployment", True, seen.deployments, need, "deployments", lift)
    return _least("no_deployment", seen.deployments, need, "deployments", lift)


def _above_floor(buy: Buy, seen: GateEvidence, held: Sequence[Holding], at: datetime) -> Reason:
    """Units bought and held against those used in 95 % of hours and worlds; the bought ones count even where no run is."""
    family = family_of(buy.type)
    bought, has = Holding("bought", buy.type, buy.count).units, held_units(held, family, at)
    both = None if bought is None else float(bought + has)
    used = None if seen.units_used is None else float(seen.units_used)
    return _most("above_floor", both, used, "units", _fewer(buy, bought, has, seen.units_used))


def _fewer(buy: Buy, bought: Decimal | None, held: Decimal, used: Decimal | None) -> str:
    """How many would be used, as the purchase to ask about instead."""
    if bought is None or used is None:
        return f"say what {family_of(buy.type)} hosts are needed: sizeup recommend"
    count = int((used - held) * buy.count // bought)
    if count < 1:
        return f"a {buy.type} is more than what runs uses and nothing held covers: sizeup commitments says what isn't"
    return f"buy no more than is used in 95 % of hours: sizeup gate --buy {replace(buy, count=count).text}"
