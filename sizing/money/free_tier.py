"""What does an account's free tier pay for, and how long? Reserving meanwhile buys what is free.

Accounts from before 2025-07-15 have 750 h a month of t2.micro for twelve months (t3.micro only where t2.micro is absent) and
750 h of EC2's own public addresses, none of a load balancer's or a database's; later ones have credits and a plan, which pay
for anything while they last. Which one it is, freetier:GetAccountPlanState or the settings state; nothing is guessed.
Source: AWS Free Tier, https://aws.amazon.com/free/, and "AWS Public IPv4 address charge" (2024-02).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from catalogue import Catalogue

DAYS_A_MONTH = 365 / 12
FREE_H = Decimal(750)
PLAN_STATE = "freetier:GetAccountPlanState"
Kind = Literal["legacy", "credits", "none", "unknown"]


@dataclass(frozen=True, slots=True)
class FreeTier:
    """The free tier of an account.

    Attributes
    ----------
    ends_at : date, optional
        Its last day, where that is known.
    credits_usd : Decimal, optional
        What is left of the credits, where the account said so.
    source : str
        settings, or freetier:GetAccountPlanState.
    """

    kind: Kind
    ends_at: date | None = None
    credits_usd: Decimal | None = None
    source: str = "settings"

    def runs_at(self, day: date) -> bool:
        return self.kind in ("legacy", "credits") and (self.ends_at is None or day < self.ends_at)


def free_tier_of(stated: Kind, ends_at: date | None, plan_state: Mapping[str, Any] | None) -> FreeTier:
    """Return the account's free tier: as the account says, else as the settings state.

    Parameters
    ----------
    plan_state : mapping, optional
        The answer of freetier:GetAccountPlanState; an account that has a plan is of the credit kind.
    """
    if not plan_state:
        return FreeTier(stated, ends_at)
    left = (plan_state.get("accountPlanRemainingCredits") or {}).get("amount")
    runs = plan_state.get("accountPlanStatus") in ("ACTIVE", "NOT_STARTED") or bool(left)
    if not runs:
        return FreeTier("none", source=PLAN_STATE)
    return FreeTier("credits", _day(plan_state.get("accountPlanExpirationDate")), None if left is None else Decimal(str(left)), PLAN_STATE)


def free_hours(items: Sequence[tuple[str, str, Decimal]], tier: FreeTier, catalogue: Catalogue, day: date) -> list[Decimal]:
    """Return the hours of each item that a legacy tier pays for, the first ones first.

    Parameters
    ----------
    items : sequence of (kind, name, hours)
        ("host", type, hours), ("address", owner's service, hours), or anything else, which it doesn't pay for.
    """
    left = {"host": FREE_H, "address": FREE_H} if tier.kind == "legacy" and tier.runs_at(day) else {}
    covered = {("host", legacy_type(catalogue)), ("address", "ec2")}
    found: list[Decimal] = []
    for kind, name, hours in items:
        free = min(hours, left.get(kind, Decimal(0))) if (kind, name) in covered else Decimal(0)
        left[kind] = left.get(kind, Decimal(0)) - free
        found.append(free)
    return found


def free_months_left(name: str, free_tier: str, ends_at: date | None, today: date, catalogue: Catalogue) -> float | None:
    """Return the months for which the free tier still pays for `name`.

    Parameters
    ----------
    free_tier : str
        [account] free_tier: legacy, credits, none or unknown.
    ends_at : date or None
        When it ends, where the settings say so.

    Returns
    -------
    float or None
        0 where it doesn't pay; None where that isn't known.
    """
    if free_tier == "none" or (free_tier == "legacy" and name != legacy_type(catalogue)):
        return 0.0
    if free_tier == "unknown" or ends_at is None:
        return None
    return max(0, (ends_at - today).days) / DAYS_A_MONTH


def legacy_type(catalogue: Catalogue) -> str:
    return "t2.micro" if catalogue.on_demand("t2.micro") is not None else "t3.micro"


def _day(at: object) -> date | None:
    if isinstance(at, datetime):
        return at.date()
    return None if at is None else date.fromisoformat(str(at)[:10])
