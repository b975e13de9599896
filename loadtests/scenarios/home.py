"""The start page."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike


def run(session: SessionLike, _: Ctx) -> None:
    session.get("/", expect=200)


SCENARIO = Scenario(asks="the start page", host_class="frontend", weight=5, run=run)
