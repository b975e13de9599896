"""What does AWS bill for an hour? Zonal reservations, then regional ones, then savings plans, then on demand.

A reservation covers up to an hour of use of each of its instances in a clock hour, whoever ran (four quarter hours at once are
one), and costs its hour in any case. A plan covers usage at its own rates up to its commitment, the greatest discount first and of
equal discounts the lower rate; what is not used of it is lost. EC2 plans come before Compute plans, an owner's usage before that of
the others, which an organisation may turn off. Decimal throughout, so that a bill can be re-added.

Sources: EC2 User Guide, "How Reserved Instances are applied" and "How you are billed"; Savings Plans User Guide, "Understanding how
Savings Plans apply to your usage".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Context, Decimal
from itertools import groupby

from catalogue import family_of
from sizing.money.held import Holding, Usage, apply_held
from sizing.money.held_plans import PlanKind
from sizing.money.units import tiered_usd

PLAN_ORDER: tuple[PlanKind, ...] = ("ec2", "database", "compute")
"""The narrower plan is applied first: a Compute plan can cover what is left."""
MILL = Decimal("0.001")
"""The step of a plan's commitment, dollars an hour."""
EXACT = Context(prec=50)
CLOCK = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Use:
    """What one kind of usage took in a clock hour.

    Attributes
    ----------
    type : str
        An instance type, a class of RDS or ElastiCache, or any other item, such as fargate_vcpu.
    quantity : Decimal
        Instance-hours, or units of the item.
    on_demand_usd : Decimal
        A unit.
    plan_usd : Mapping
        A unit's rate by kind of plan; what has none isn't covered by that kind.
    family : str or None
        What an EC2 plan is bought for; None reads it from the type.
    """

    id: str
    type: str
    quantity: Decimal
    on_demand_usd: Decimal
    plan_usd: Mapping[PlanKind, Decimal] = field(default_factory=dict)
    family: str | None = None
    zone: str | None = None
    platform: str = "Linux"
    tenancy: str = "default"
    account: str | None = None

    @property
    def plan_family(self) -> str:
        return self.family or family_of(self.type)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation and what it costs in each hour of its term, used or not; what was paid at once is spread over them."""

    holding: Holding
    hourly_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Plan:
    """A savings plan: so many dollars an hour, for usage at its rates; `family` of an EC2 plan."""

    id: str
    kind: PlanKind
    commitment_usd: Decimal
    family: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class HourBill:
    """One hour's bill; quantities and dollars by usage id, what was lost by plan id, unused units by reservation id."""

    reserved: Mapping[str, Decimal]
    covered: Mapping[str, Decimal]
    on_demand: Mapping[str, Decimal]
    lost: Mapping[str, Decimal]
    unused_units: Mapping[str, Decimal | None]
    reservations_usd: Decimal
    plans_usd: Decimal
    covered_usd: Decimal

    @property
    def on_demand_usd(self) -> Decimal:
        return sum(self.on_demand.values(), Decimal(0))

    @property
    def total_usd(self) -> Decimal:
        return self.on_demand_usd + self.reservations_usd + self.plans_usd

    @property
    def coverage_ratio(self) -> Decimal | None:
        """Usage that plans and reservations covered over all usage, both at the price on demand; None where nothing ran."""
        return coverage_ratio(self.covered_usd, self.covered_usd + self.on_demand_usd)


def bill_hour(
    usage: Sequence[Use], reservations: Sequence[Reservation] = (), plans: Sequence[Plan] = (), at: datetime = CLOCK, *, shared: bool = True
) -> HourBill:
    """Bill one clock hour.

    Parameters
    ----------
    reservations : sequence
        Those that have ended `at` are left out.
    shared : bool
        Whether accounts share discounts: what one's own usage leaves covers that of the others.
    """
    running = [r for r in reservations if r.holding.ends is None or r.holding.ends > at]
    hosts = [Usage(str(n), u.type, u.quantity, u.zone, u.platform, u.tenancy, u.account) for n, u in enumerate(usage)]
    covers = apply_held([r.holding for r in running], hosts, at, shared=shared)
    reserved = [sum((count for c in covers for name, _, count in c.covers if name == str(n)), Decimal(0)) for n in range(len(usage))]
    left = [use.quantity - count for use, count in zip(usage, reserved, strict=True)]
    before = list(left)
    lost = {plan.id: _apply(plan, usage, left, shared) for plan in _in_order(plans)}
    return HourBill(
        reserved=_by_id(usage, reserved), covered=_by_id(usage, [b - a for a, b in zip(left, before, strict=True)]),
        on_demand=_by_id(usage, [u.on_demand_usd * rest for u, rest in zip(usage, left, strict=True)]), lost=lost,
        unused_units={c.holding.id: c.unused_units for c in covers},
        reservations_usd=sum((r.hourly_usd * r.holding.count for r in running), Decimal(0)),
        plans_usd=sum((plan.commitment_usd for plan in plans), Decimal(0)),
        covered_usd=sum((u.on_demand_usd * (u.quantity - rest) for u, rest in zip(usage, left, strict=True)), Decimal(0)),
    )  # fmt: skip


def bill_usd(
    hours: Sequence[tuple[Decimal, Sequence[Use]]], reservations: Sequence[Reservation] = (), plans: Sequence[Plan] = ()
) -> Decimal:
    """Add up hours that are alike: each how many there are (or are expected), and what one of them used."""
    return sum((count * bill_hour(usage, reservations, plans).total_usd for count, usage in hours), Decimal(0))


def clock_hours(seconds: Sequence[int | Decimal]) -> Decimal:
    """Instance-hours of one clock hour: AWS adds up the seconds of whatever ran in it."""
    return sum((Decimal(s) for s in seconds), Decimal(0)) / 3600


def coverage_ratio(covered_usd: Decimal, total_usd: Decimal) -> Decimal | None:
    """Covered usage over all usage, at the price on demand; None where there was none."""
    return covered_usd / total_usd if total_usd else None


def plan_payment(commitment_usd: Decimal, term_h: Decimal, upfront_ratio: Decimal) -> tuple[Decimal, Decimal]:
    """What a plan costs at once and in each hour: all upfront 1, partial 1/2, no upfront 0 of it."""
    return commitment_usd * term_h * upfront_ratio, commitment_usd * (1 - upfront_ratio)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What an exchange of convertible reservations brings: whole instances that are worth as much at least, and what is paid for it."""

    ratio: Decimal
    instances: int
    true_up_usd: Decimal


def exchange(
    old_list_usd: Decimal, new_list_usd: Decimal, *, remaining_old_usd: Decimal | None = None, prorated_new_usd: Decimal | None = None
) -> Exchange:
    """Exchange a convertible reservation for others.

    Parameters
    ----------
    old_list_usd, new_list_usd : Decimal
        List values: of all that is given up, and of one of the new, over the time that is left.
    remaining_old_usd, prorated_new_usd : Decimal, optional
        What is left of the old upfront sum, and the new ones' upfront for the time that is left; without them nothing is paid at once.

    References
    ----------
    EC2 User Guide, "Exchange Convertible Reserved Instances": never fewer, never of less value.
    """
    ratio = old_list_usd / new_list_usd
    due = (prorated_new_usd or Decimal(0)) - (remaining_old_usd or Decimal(0))
    return Exchange(ratio, int(ratio.to_integral_value(ROUND_CEILING)), max(due, Decimal(0)))


def merged(terms: Sequence[tuple[int, str]]) -> tuple[int, str]:
    """Years and end of convertible reservations that are exchanged for one: the longest term, the latest end."""
    return max(years for years, _ in terms), max(ends for _, ends in terms)


def consolidated_usd(members: Sequence[Decimal], tiers: Mapping[Decimal, Decimal]) -> Decimal:
    """Price what the accounts of an organisation used together, by tiers: AWS bills them as one."""
    return tiered_usd(sum(members, Decimal(0)), tiers)


def to_mills(usd_per_h: Decimal) -> Decimal:
    """Round a commitment to the step that AWS sells."""
    return usd_per_h.quantize(MILL, ROUND_HALF_UP)


def _in_order(plans: Sequence[Plan]) -> list[Plan]:
    return sorted(plans, key=lambda plan: PLAN_ORDER.index(plan.kind))


def _apply(plan: Plan, usage: Sequence[Use], left: list[Decimal], shared: bool) -> Decimal:
    """Cover usage by a plan, taking it off `left`; return what of the hour's commitment was lost."""
    money = plan.commitment_usd
    covered = [n for n, use in enumerate(usage) if _covers(plan, use) and (shared or use.account == plan.account)]
    for index in sorted(covered, key=lambda n: _rank(plan, usage[n])):
        rate = usage[index].plan_usd[plan.kind]
        full = rate * left[index]
        taken = left[index] if full <= money else EXACT.divide(money, rate)
        left[index] -= taken
        money = money - full if full <= money else Decimal(0)
    return money


def _covers(plan: Plan, use: Use) -> bool:
    return plan.kind in use.plan_usd and (plan.kind != "ec2" or plan.family in (None, use.plan_family))


def _rank(plan: Plan, use: Use) -> tuple[bool, Decimal, Decimal]:
    """The owner's usage first, then the greatest discount, then the lower rate."""
    rate = use.plan_usd[plan.kind]
    return use.account != plan.account, rate / use.on_demand_usd if use.on_demand_usd else Decimal(1), rate


def _by_id(usage: Sequence[Use], values: Sequence[Decimal]) -> dict[str, Decimal]:
    pairs = sorted(((use.id, value) for use, value in zip(usage, values, strict=True)), key=lambda pair: pair[0])
    return {name: sum((value for _, value in same), Decimal(0)) for name, same in groupby(pairs, key=lambda pair: pair[0])}
