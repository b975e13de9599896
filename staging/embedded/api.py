"""The API: login, boards, comments, likes, search and images over SQLite, each request as heavy as the settings say."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from staging.embedded.board import Boards
from staging.embedded.child import read_settings, serve_app
from staging.embedded.weight import burn, hold

THREADS = 64
"""Requests that are worked on at once, each in a thread of its own as in a servlet container; the others wait."""

ACCESS_LIFE_S = 3600


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a handler sees it; `person` is who the bearer token names, None without a valid one."""

    path: dict[str, Any]
    query: dict[str, str]
    body: bytes
    person: int | None

    def field(self, name: str) -> str:
        """Return a field of the JSON body.

        Raises
        ------
        RefusedError
            400 where there is none.
        """
        try:
            return str(json.loads(self.body)[name])
        except (ValueError, KeyError, TypeError):
            raise RefusedError(400, f'the body needs "{name}"') from None


class RefusedError(Exception):
    """A request that is answered with an error: its status and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


Handler = Callable[[Boards, Call], tuple[int, Any]]


def read_page(boards: Boards, call: Call) -> tuple[int, Any]:
    number = call.query.get("page", "1")
    return 200, boards.page(max(1, int(number)) if number.isdigit() else 1)


def read_board(boards: Boards, call: Call) -> tuple[int, Any]:
    return 200, found(boards.board(call.path["board"]))


def search(boards: Boards, call: Call) -> tuple[int, Any]:
    return 200, boards.search(call.query.get("q", ""))


def read_comments(boards: Boards, call: Call) -> tuple[int, Any]:
    return 200, boards.comments(call.path["board"])


def add_board(boards: Boards, call: Call) -> tuple[int, Any]:
    return 201, {"id": boards.add_board(signed_in(call), call.field("title"), call.field("content"))}


def change_board(boards: Boards, call: Call) -> tuple[int, Any]:
    signed_in(call)
    found(boards.change_board(call.path["board"], call.field("title"), call.field("content")))
    return 200, {"id": call.path["board"]}


def delete_board(boards: Boards, call: Call) -> tuple[int, Any]:
    signed_in(call)
    found(boards.delete_board(call.path["board"]))
    return 204, None


def add_comment(boards: Boards, call: Call) -> tuple[int, Any]:
    return 201, {"id": boards.add_comment(signed_in(call), call.path["board"], call.field("content"))}


def like(boards: Boards, call: Call) -> tuple[int, Any]:
    signed_in(call)
    found(boards.like(call.path["board"]))
    return 201, {"board": call.path["board"]}


def add_image(boards: Boards, call: Call) -> tuple[int, Any]:
    signed_in(call)
    if not call.body:
        raise RefusedError(400, 'the form needs "file"')
    return 201, {"url": f"/images/{boards.add_image(call.body)}"}


def found(row: Any) -> Any:
    """Return what was found.

    Raises
    ------
    RefusedError
        404 where nothing was.
    """
    if not row:
        raise RefusedError(404, "no such board")
    return row


def signed_in(call: Call) -> int:
    """Return who calls.

    Raises
    ------
    RefusedError
        401 where nobody says so validly.
    """
    if call.person is None:
        raise RefusedError(401, "sign in first")
    return call.person


class Api:
    """Turns handlers into endpoints: body and token read, then burnt and worked in a thread.

    Parameters
    ----------
    secret : str
        Signs the access tokens; both colours share it, so that a deployment signs nobody out.
    cpu_s : float
        CPU time that each request burns beside its own work.
    """

    def __init__(self, boards: Boards, secret: str, cpu_s: float) -> None:
        self._boards, self._secret, self._cpu_s = boards, secret, cpu_s
        self._threads = ThreadPoolExecutor(THREADS, "request")

    def endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            token = request.headers.get("authorization")
            asked = (request.path_params, dict(request.query_params), await _body(request))
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, handler, asked, token)

        return answer

    def login(self, boards: Boards, call: Call) -> tuple[int, Any]:
        person = boards.login(call.field("email"), call.field("password"))
        if person is None:
            raise RefusedError(401, "email and password don't belong together")
        return 200, {"accessToken": self._access(person), "refreshToken": boards.new_refresh(person)}

    def refresh(self, boards: Boards, call: Call) -> tuple[int, Any]:
        # The token stays the same: clients that refresh at once would otherwise sign each other out.
        token = call.field("refreshToken")
        person = boards.refresh_owner(token)
        if person is None:
            raise RefusedError(401, "sign in again")
        return 200, {"accessToken": self._access(person), "refreshToken": token}

    def _work(self, handler: Handler, asked: tuple[dict[str, Any], dict[str, str], bytes], token: str | None) -> Response:
        burn(self._cpu_s)
        try:
            status, value = handler(self._boards, Call(*asked, self._person(token)))
        except RefusedError as refused:
            status, value = refused.status, {"error": refused.why}
        return Response(b"" if value is None else json.dumps(value).encode(), status, media_type="application/json")

    def _access(self, person: int) -> str:
        return jwt.encode({"sub": str(person), "exp": int(time.time()) + ACCESS_LIFE_S}, self._secret, "HS256")

    def _person(self, authorization: str | None) -> int | None:
        if not authorization or not authorization.startswith("Bearer "):
            return None
        try:
            return int(jwt.decode(authorization.removeprefix("Bearer "), self._secret, ["HS256"])["sub"])
        except (jwt.InvalidTokenError, KeyError, ValueError):
            return None


async def _body(request: Request) -> bytes:
    """Return a request's body, of a multipart form its "file"."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    async with request.form() as form:
        file = form.get("file")
        return await file.read() if file is not None and not isinstance(file, str) else b""


async def health(_: Request) -> Response:
    return Response(b"ok")


def application(api: Api) -> Starlette:
    """Return the API's routes."""
    on = api.endpoint
    return Starlette(routes=[
        Route("/health", health),
        Route("/auth/login", on(api.login), methods=["POST"]),
        Route("/auth/refresh", on(api.refresh), methods=["POST"]),
        Route("/boards", on(read_page)),
        Route("/boards", on(add_board), methods=["POST"]),
        Route("/boards/search", on(search)),
        Route("/boards/{board:int}", on(read_board)),
        Route("/boards/{board:int}", on(change_board), methods=["PUT"]),
        Route("/boards/{board:int}", on(delete_board), methods=["DELETE"]),
        Route("/boards/{board:int}/comments", on(read_comments)),
        Route("/boards/{board:int}/comments", on(add_comment), methods=["POST"]),
        Route("/boards/{board:int}/likes", on(like), methods=["POST"]),
        Route("/images", on(add_image), methods=["POST"]),
    ])  # fmt: skip


def main() -> None:
    settings = read_settings()
    held = hold(settings["memory_bytes"])
    api = Api(Boards(Path(settings["database"])), settings["secret"], settings["cpu_s"])
    serve_app(application(api), held_bytes=len(held) if held is not None else 0)


if __name__ == "__main__":
    main()
