"""Which plan the account has. Source: Billing API reference, GetAccountPlanState; an account without one is told so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from staging.aws.service import Service
from staging.aws.world import AwsFault, AwsWorld


def get_account_plan_state(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    if world.plan_state is None:
        raise AwsFault("ResourceNotFoundException", "This account has no account plan")
    return world.plan_state


SERVICE = Service({"GetAccountPlanState": get_account_plan_state})
