"""Comment on the newest board that this load wrote, so that the comment goes when the board does."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike
from loadtests.scenarios.board_write import write


def run(session: SessionLike, ctx: Ctx) -> None:
    if not ctx.own:
        write(session, ctx)
    else:
        session.post(f"/boards/{ctx.own[-1]}/comments", json={"content": "a comment under load"}, bearer=ctx.token, expect=201)


SCENARIO = Scenario(asks="a new comment", host_class="api", weight=2, run=run, auth="token")
