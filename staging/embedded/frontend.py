"""The frontend: pages rendered on the server from what the API says, asked for through the load balancer, and static assets."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from staging.embedded.child import read_settings, serve_app
from staging.embedded.http_client import Address, BrokenResponseError, ConnectFailedError, Pool

ASSET_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class ApiError(Exception):
    """The API's answer was an error: its status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the API answered {status}")
        self.status = status


class ApiClient:
    """Asks the API as server-side rendering does: through the load balancer, by its Host, no header of the browser's passed on."""

    def __init__(self, balancer: Address, host: str) -> None:
        # Shorter than the load balancer's 60 s: it must never close a connection that we are about to use.
        self._pool, self._balancer = Pool(idle_s=30), balancer
        self._headers = [(b"Host", host.encode()), (b"User-Agent", b"moco-frontend/1.0"), (b"Accept", b"application/json")]

    async def get(self, path: str) -> Any:
        """Return what a path of the API says.

        Raises
        ------
        ApiError
            Where it isn't a 200; 502 where there was no answer.
        """
        try:
            response = await self._pool.request(self._balancer, b"GET", path.encode(), self._headers)
        except (ConnectFailedError, BrokenResponseError, TimeoutError):
            raise ApiError(502) from None
        if response.status != 200:
            raise ApiError(response.status)
        return json.loads(response.body)


def page(title: str, body: str, status: int = 200) -> Response:
    """Return a whole HTML page; `body` is markup, `title` is text."""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<link rel="stylesheet" href="/assets/app.css"><script src="/assets/app.js" defer></script></head><body>'
        '<header><img src="/assets/logo.svg" alt="" width="32"> <a href="/boards">boards</a></header>'
        f"<h1>{escape(title)}</h1>{body}</body></html>",
        status,
    )


def board_list(boards: Any) -> str:
    """Write the boards of a page as a list."""
    rows = (f'<li><a href="/boards/{board["id"]}">{escape(board["title"])}</a> {board["likes"]}</li>' for board in boards["content"])
    return f"<ul>{''.join(rows)}</ul><p>page {boards['page']} of {boards['totalPages']}</p>"


def board_body(board: Any, comments: Any) -> str:
    """Write a board and its comments."""
    rows = (f"<li>{escape(comment['content'])}</li>" for comment in comments["content"])
    likes = f"<button data-like>{board['likes']}</button>"
    return f"<article>{escape(board['content'])}</article>{likes}<h2>comments</h2><ol>{''.join(rows)}</ol>"


def read_assets(folder: Path) -> dict[str, Response]:
    """Read what /assets/ serves, by file name."""
    headers = {"Cache-Control": "public, max-age=3600"}
    return {file.name: Response(file.read_bytes(), media_type=ASSET_TYPES[file.suffix], headers=headers) for file in folder.iterdir()}


def application(api: ApiClient, assets: dict[str, Response]) -> Starlette:
    """Return the frontend's routes."""

    async def boards(_: Request) -> Response:
        return page("boards", board_list(await api.get("/boards?page=1")))

    async def board(request: Request) -> Response:
        path = f"/boards/{request.path_params['board']}"
        found, comments = await api.get(path), await api.get(f"{path}/comments")
        return page(found["title"], board_body(found, comments))

    async def asset(request: Request) -> Response:
        return assets.get(request.path_params["name"]) or Response(status_code=404)

    return Starlette(routes=[
        Route("/health", health), Route("/", home), Route("/about", about), Route("/boards", boards),
        Route("/boards/{board:int}", board), Route("/assets/{name}", asset),
    ], exception_handlers={ApiError: api_failed})  # fmt: skip


async def health(_: Request) -> Response:
    return Response(b"ok")


async def home(_: Request) -> Response:
    return page("moco", '<p>A board for small teams. <a href="/boards">Read on</a>.</p>')


async def about(_: Request) -> Response:
    return page("about", "<p>An embedded stack that stands for a small service on AWS.</p>")


async def api_failed(_: Request, failed: Exception) -> Response:
    status = failed.status if isinstance(failed, ApiError) else 502
    return page("not found" if status == 404 else "try again", "", 404 if status == 404 else 502)


def main() -> None:
    settings = read_settings()
    api = ApiClient((settings["balancer_host"], settings["balancer_port"]), settings["api_host"])
    serve_app(application(api, read_assets(Path(__file__).with_name("assets"))))


if __name__ == "__main__":
    main()
