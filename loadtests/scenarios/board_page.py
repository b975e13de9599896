"""Any page of the board list."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike


def run(session: SessionLike, ctx: Ctx) -> None:
    session.get(f"/boards?page={ctx.page()}", expect=200, has=b'"content"')


SCENARIO = Scenario(asks="any page of boards", host_class="api", weight=6, run=run)
