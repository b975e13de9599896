"""The board list as a page: the frontend asks the API once to render it."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike


def run(session: SessionLike, _: Ctx) -> None:
    session.get("/boards", expect=200)


SCENARIO = Scenario(asks="the rendered board list (1 call of the API)", host_class="frontend", weight=8, run=run)
