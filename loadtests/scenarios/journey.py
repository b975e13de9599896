"""A visit as a browser makes it: pages with their files, then a board read and commented; many requests an arrival.

Its weight is 0: in the default mix an arrival is one request, so that a step's rate is requests a second.
"""

from __future__ import annotations

from loadtests.mix import Ctx, Scenario, SessionLike
from loadtests.scenarios import assets, comment_write


def run(session: SessionLike, ctx: Ctx) -> None:
    session.get("/", expect=200)
    for file in assets.FILES:
        session.get(file, expect=200)
    session.get("/boards", expect=200)
    board = ctx.board()
    session.get(f"/boards/{board}", expect=200)
    api = session.on("api")
    api.get(f"/boards/{board}/comments", expect=200)
    comment_write.run(api, ctx)


SCENARIO = Scenario(asks="a visit, page after page", host_class="frontend", weight=0, run=run, auth="token")
