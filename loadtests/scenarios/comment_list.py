"""A board's comments."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike


def run(session: SessionLike, ctx: Ctx) -> None:
    session.get(f"/boards/{ctx.board()}/comments", expect=200)


SCENARIO = Scenario(asks="a board's comments", host_class="api", weight=3, run=run)
