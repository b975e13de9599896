"""Which plan of the free tier does the account have? freetier:GetAccountPlanState, for accounts opened since 2025-07-15."""

from __future__ import annotations

from typing import Any

from collectors.aws import SIDE_ATTEMPTS, AwsError, AwsSession

WITHOUT_PLAN = "ResourceNotFoundException"


def account_plan(aws: AwsSession) -> dict[str, Any] | None:
    """Return what AWS says of the account's plan; None where the account has none.

    Raises
    ------
    AwsError
        Where AWS doesn't answer.
    """
    try:
        answer = aws.call("freetier", "get_account_plan_state", attempts=SIDE_ATTEMPTS)
    except AwsError as refused:
        if refused.code == WITHOUT_PLAN:
            return None
        raise
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
