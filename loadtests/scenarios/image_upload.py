"""Upload a small picture, the same each time, so that a store that names files by content keeps one."""

from __future__ import annotations

import base64

from loadtests.mix import Ctx, Scenario, SessionLike

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def run(session: SessionLike, ctx: Ctx) -> None:
    session.post("/images", files={"file": ("pixel.png", PIXEL, "image/png")}, bearer=ctx.token, expect=201)


SCENARIO = Scenario(asks="a picture's upload", host_class="api", weight=1, run=run, auth="token")
