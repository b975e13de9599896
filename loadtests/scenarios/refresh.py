"""Renew a login by its refresh token, each used once; where none is left, log in instead."""

from __future__ import annotations

from loadtests.checks import check
from loadtests.mix import Ctx, Scenario, SessionLike
from loadtests.scenarios.login import login


def run(session: SessionLike, ctx: Ctx) -> None:
    if not ctx.refresh_tokens:
        login(session, ctx)
        return
    answer = session.post("/auth/refresh", json={"refreshToken": ctx.refresh_tokens.popleft()}, expect=200, check=check.json("accessToken"))
    if answer.ok and (token := answer.json().get("refreshToken")):
        ctx.refresh_tokens.append(token)


SCENARIO = Scenario(asks="a renewed login", host_class="api", weight=1, run=run, needs_account=True)
