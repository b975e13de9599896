"""A search for a word."""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike

WORDS = ("board", "load", "server", "note", "memory", "seoul")


def run(session: SessionLike, ctx: Ctx) -> None:
    session.get(f"/boards/search?q={ctx.rng.choice(WORDS)}", expect=200)


SCENARIO = Scenario(asks="boards that hold a word", host_class="api", weight=5, run=run)
