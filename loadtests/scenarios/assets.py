"""The files that a page links to."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike

FILES = ("/assets/app.css", "/assets/app.js", "/assets/logo.svg")


def run(session: SessionLike, ctx: Ctx) -> None:
    session.get(ctx.rng.choice(FILES), expect=200)


SCENARIO = Scenario(asks="a stylesheet, script or picture", host_class="frontend", weight=28, run=run)
