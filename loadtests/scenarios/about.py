"""A page that needs no API."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike


def run(session: SessionLike, _: Ctx) -> None:
    session.get("/about", expect=200)


SCENARIO = Scenario(asks="a static page", host_class="frontend", weight=8, run=run)
