"""The first page of the board list, which most visitors see and no other."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike


def run(session: SessionLike, _: Ctx) -> None:
    session.get("/boards?page=1", expect=200, has=b'"content"')


SCENARIO = Scenario(asks="the first page of boards", host_class="api", weight=8, run=run)
