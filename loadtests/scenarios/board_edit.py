"""Edit the newest board that this load wrote; where there is none, write one instead."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike
from loadtests.scenarios.board_write import write


def run(session: SessionLike, ctx: Ctx) -> None:
    if not ctx.own:
        write(session, ctx)
    else:
        session.put(f"/boards/{ctx.own[-1]}", json={"title": "edited", "content": "edited under load"}, bearer=ctx.token, expect=200)


SCENARIO = Scenario(asks="a board's new text", host_class="api", weight=1, run=run, auth="token")
