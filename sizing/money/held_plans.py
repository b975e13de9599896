"""Which savings plans does the account hold, or has it queued? Their rates aren't in the account's own answer, only their dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

PlanKind = Literal["compute", "ec2", "database"]
KINDS: Mapping[str, PlanKind] = {"Compute": "compute", "EC2Instance": "ec2", "Database": "database"}
"""DescribeSavingsPlans' words; its SageMaker plans cover nothing that is sized here."""


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """So many dollars an hour that are owed anyway, for usage at the plan's rates; `family` of an EC2 plan."""

    id: str
    kind: PlanKind
    usd_per_h: Decimal
    family: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def is_running(self, at: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or self.ends_at > at)


def held_plans(topology: Mapping[str, Any]) -> list[HeldPlan]:
    """Read topology.json's `savings_plans`."""
    return [
        HeldPlan(
            str(row["id"]), KINDS[row["kind"]], Decimal(str(row["usd_per_h"])), row.get("family"), moment(row.get("starts_at")),
            moment(row.get("ends_at")),
        )
        for row in topology.get("savings_plans", ()) if row["kind"] in KINDS
    ]  # fmt: skip


def moment(text: str | None) -> datetime | None:
    """Read a time of topology.json."""
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))
