"""Like the newest board that this load wrote."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike
from loadtests.scenarios.board_write import write


def run(session: SessionLike, ctx: Ctx) -> None:
    if not ctx.own:
        write(session, ctx)
    else:
        session.post(f"/boards/{ctx.own[-1]}/likes", bearer=ctx.token, expect=201)


SCENARIO = Scenario(asks="a like", host_class="api", weight=1, run=run, auth="token")
