"""Log in with a password: the dearest request of most services, since a password's hash is slow by design."""

from __future__ import annotations

from loadtests.checks import check
from loadtests.mix import Ctx, Scenario, SessionLike


def login(session: SessionLike, ctx: Ctx) -> None:
    """Log in and keep the refresh token for a later refresh."""
    answer = session.post("/auth/login", json=dict(ctx.account), expect=200, check=check.json("accessToken"))
    if answer.ok and (token := answer.json().get("refreshToken")):
        ctx.refresh_tokens.append(token)


SCENARIO = Scenario(asks="a login", host_class="api", weight=1, run=login, needs_account=True)
