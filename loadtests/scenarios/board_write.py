"""Write a board; where this load has written enough of them, delete its oldest instead."""

from __future__ import annotations

from loadtests.checks import check
from loadtests.mix import OWN_BOARDS_MAX, Ctx, Scenario, SessionLike


def run(session: SessionLike, ctx: Ctx) -> None:
    if len(ctx.own) >= OWN_BOARDS_MAX:
        delete_oldest(session, ctx)
    else:
        write(session, ctx)


def write(session: SessionLike, ctx: Ctx) -> None:
    """Write one board and remember it as ours."""
    board = {"title": f"load {ctx.rng.randrange(10_000)}", "content": "written under load, and deleted again. " * 8}
    answer = session.post("/boards", json=board, bearer=ctx.token, expect=201, check=check.json("id"))
    if answer.ok:
        ctx.own.append(int(answer.json()["id"]))


def delete_oldest(session: SessionLike, ctx: Ctx) -> None:
    """Delete the board that this load wrote first."""
    session.delete(f"/boards/{ctx.own.popleft()}", bearer=ctx.token, expect=204)


SCENARIO = Scenario(asks="a new board", host_class="api", weight=1, run=run, auth="token")
