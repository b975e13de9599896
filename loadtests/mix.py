"""What a scenario is, what it may use, and which there are; plain Python, so that it can be read and tested without Locust."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal, Protocol

from evidence import SizeupError, discover
from loadtests.bodies import File
from loadtests.checks import Answered, Check, holds
from loadtests.template import expand

OWN_BOARDS_MAX = 20
"""Boards that one process has written and not yet deleted, at most: the data set must not grow with the load."""


class AnswerLike(Answered, Protocol):
    @property
    def ok(self) -> bool: ...


class SessionLike(Protocol):
    """What a scenario calls; see loadtests.session.Session for the options."""

    def get(self, path: str, **options: Any) -> AnswerLike: ...
    def post(self, path: str, **options: Any) -> AnswerLike: ...
    def put(self, path: str, **options: Any) -> AnswerLike: ...
    def delete(self, path: str, **options: Any) -> AnswerLike: ...
    def on(self, host_class: str) -> SessionLike: ...
    def request(
        self, method: str, path: str, *, name: str | None = None, expect: int | None = None, has: bytes | None = None,
        check: Check | None = None, json: Any = None, data: bytes | str | Mapping[str, str] | None = None,
        files: Mapping[str, File] | None = None, headers: Mapping[str, str] | None = None, bearer: str | None = None,
    ) -> AnswerLike: ...  # fmt: skip


@dataclass(slots=True)
class Ctx:
    """What the arrivals of one process share.

    Attributes
    ----------
    boards, pages : list[int], int
        Boards that were there before the load, and how many pages the list has.
    own : deque[int]
        Boards that this process wrote, oldest first.
    refresh_tokens : deque[str]
        From logins under load; each is used once, since a server may rotate them.
    tokens : Mapping
        Access tokens by the name of their [auth.*] table; a name is absent where there is none.
    account : Mapping
        What a login sends; empty where there is no account.
    """

    rng: random.Random
    boards: list[int] = field(default_factory=lambda: [1])
    pages: int = 1
    own: deque[int] = field(default_factory=deque)
    refresh_tokens: deque[str] = field(default_factory=lambda: deque(maxlen=50))
    tokens: dict[str, str] = field(default_factory=dict)
    account: Mapping[str, str] = field(default_factory=dict)

    def board(self) -> int:
        """Return a board to read; never one that a delete may take away meanwhile."""
        return self.rng.choice(self.boards)

    def page(self) -> int:
        return self.rng.randint(1, self.pages)

    def serves(self, scenario: Scenario) -> bool:
        """Whether a scenario has the token or account that it needs."""
        return (scenario.auth is None or scenario.auth in self.tokens) and (bool(self.account) or not scenario.needs_account)

    @property
    def token(self) -> str | None:
        return self.tokens.get("token")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that visitors do.

    Attributes
    ----------
    asks : str
        What it asks for, in a few words, for help and docs.
    host_class : str
        The class of host that its first request goes to.
    weight : float
        Its share in the default mix, in per cent; 0 is called by name alone.
    run : callable
        Called at each arrival; one request, so that a step's rate is requests a second (the journey alone has more).
    auth : str or None
        The [auth.*] table whose token it needs; without that token it is left out.
    needs_account : bool
        Whether it logs in itself; without an account it is left out.
    """

    asks: str
    host_class: Literal["frontend", "api"]
    weight: float
    run: Callable[[SessionLike, Ctx], object]
    auth: str | None = None
    needs_account: bool = False


@cache
def scenarios() -> Mapping[str, Scenario]:
    """Return every scenario of `loadtests/scenarios/` by its file's name."""
    return discover("loadtests.scenarios", "SCENARIO", Scenario)


def simple_scenario(entry: Mapping[str, Any]) -> Scenario:
    """Make a scenario of one written in sizeup.toml: `request, weight, check {status, contains}, auth, host_class`."""
    method, _, path = str(entry["request"]).partition(" ")
    wanted = entry.get("check") or {}
    contains = str(wanted["contains"]).encode() if wanted.get("contains") else None
    auth = entry.get("auth")

    def run(session: SessionLike, ctx: Ctx) -> None:
        bearer = ctx.tokens.get(auth) if auth else None
        session.request(method, expand(path, ctx.rng), expect=wanted.get("status"), has=contains, bearer=bearer)

    return Scenario(str(entry["request"]), entry["host_class"], float(entry.get("weight", 1)), run, auth)


def scenario_mix(simple: Sequence[Mapping[str, Any]], name: str | None) -> dict[str, Scenario]:
    """Return the mix: every scenario with a weight, or the one that is named.

    Where the settings have scenarios of their own (`simple`), the built-in ones are called by name alone.

    Raises
    ------
    SizeupError
        Where none has that name.
    """
    built_in = {key: replace(item, weight=0.0) for key, item in scenarios().items()} if simple else scenarios()
    every = {**built_in, **{str(entry["name"]): simple_scenario(entry) for entry in simple}}
    if name is None:
        return {key: item for key, item in every.items() if item.weight > 0}
    if name not in every:
        raise SizeupError(f'no scenario is called "{name}"; there are {", ".join(sorted(every))}.')
    return {name: every[name]}


def learn_boards(session: SessionLike, ctx: Ctx) -> bool:
    """Ask the API which boards there are; where it doesn't say, board 1 and page 1 are read.

    Returns
    -------
    bool
        False where something answers that is no such API: without a Host header of its own the frontend may.
    """
    answer = session.get("/boards?page=1", name="boards before the load")
    if not holds(lambda a: a.json()["content"][0]["id"] is not None, answer):
        return not 200 <= answer.status < 500
    page = answer.json()
    ctx.boards = [int(board["id"]) for board in page["content"]]
    ctx.pages = max(1, int(page.get("totalPages", 1)))
    return True
