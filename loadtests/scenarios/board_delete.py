"""Delete the oldest board that this load wrote; where it has few, write one instead."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike
from loadtests.scenarios.board_write import delete_oldest, write

KEPT = 3


def run(session: SessionLike, ctx: Ctx) -> None:
    # The newest few are kept: an edit, comment or like of one may be on its way.
    (delete_oldest if len(ctx.own) > KEPT else write)(session, ctx)


SCENARIO = Scenario(asks="a board's end", host_class="api", weight=1, run=run, auth="token")
