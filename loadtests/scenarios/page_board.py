"""One board as a page: the frontend asks the API twice, for the board and its comments."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike


def run(session: SessionLike, ctx: Ctx) -> None:
    session.get(f"/boards/{ctx.board()}", expect=200)


SCENARIO = Scenario(asks="one rendered board (2 calls of the API)", host_class="frontend", weight=10, run=run)
