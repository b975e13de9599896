"""One board."""

from __future__ import annotations

from loadtests.checks import check
from loadtests.mix import Ctx, Scenario, SessionLike


def run(session: SessionLike, ctx: Ctx) -> None:
    session.get(f"/boards/{ctx.board()}", expect=200, check=check.json("id"))


SCENARIO = Scenario(asks="one board", host_class="api", weight=10, run=run)
