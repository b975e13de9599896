"""What a scenario calls: `session.get("/boards?page=1", expect=200, has=b"content")`, each call one request row."""

from __future__ import annotations

import json as jsonlib
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gevent

from evidence import route_name
from loadtests.bodies import File, encode_body
from loadtests.checks import Check, holds
from loadtests.wire import Exchange, decoded

if TYPE_CHECKING:
    from loadtests.engine import Engine, Site


class RequestFailed(Exception):
    """What Locust's statistics show of a request that failed: our word for it, and the status."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `error` is the reference's word, None where all was as it should be. `status` is 0 where none came."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    error: str | None

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def status_code(self) -> int:
        return self.status

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Read the body as JSON; ValueError where it is none."""
        return jsonlib.loads(self.content)


@dataclass(frozen=True, slots=True)
class Call:
    """What a request row says of a request before it is sent; `intended` is the `time.perf_counter` it counts from."""

    seq: int
    intended: float
    name: str
    scenario: str
    host: str
    method: str


class Session:
    """One arrival's requests, in turn; the first counts from the arrival's intended start, later ones from their send.

    Parameters
    ----------
    due : float or None
        The intended start (`time.perf_counter`); None outside an arrival, where each request counts from its send.
    """

    def __init__(self, engine: Engine, site: Site, host_class: str, scenario: str, due: float | None = None) -> None:
        self._engine, self._site = engine, site
        self._host_class, self._scenario = host_class, scenario
        self._due = due
        self.failed = False

    def on(self, host_class: str) -> Session:
        """Go on with the arrival on another class's host."""
        other = Session(self._engine, self._site, host_class, self._scenario, self._due)
        self._due = None
        return other

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Answer:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.request("DELETE", path, **options)

    def request(
        self, method: str, path: str, *, name: str | None = None, expect: int | None = None, has: bytes | None = None,
        check: Check | None = None, json: Any = None, data: bytes | str | Mapping[str, str] | None = None,
        files: Mapping[str, File] | None = None, headers: Mapping[str, str] | None = None, bearer: str | None = None,
    ) -> Answer:  # fmt: skip
        """Send one request, record it, and return its answer.

        Parameters
        ----------
        name : str, optional
            What it is called in rows and statistics; else method and route, `GET /boards/[id]`.
        expect, has, check : optional
            The status it must have (else any under 400), bytes that the body must hold, a further check.
        bearer : str, optional
            A token for the Authorization header; it is never recorded.
        """
        due, self._due = self._due, None
        intended = time.perf_counter() if due is None else due
        called, host = name or route_name(method, path), self._site.host(self._host_class)
        call = Call(self._engine.next_seq(), intended, called, self._scenario, host, method)
        body, content_type = encode_body(json, data, files)
        own = _headers(content_type, bearer, headers) | self._engine.trace(call)
        seen = self._engine.wire(self._site, self._host_class).exchange(method, path, own, body, self._site.timeout_s)
        answer = judged(self._site.url + path, seen, expect, has, check)
        self.failed |= not answer.ok
        self._engine.note(call, seen, answer)
        if answer.error == "aborted":
            raise gevent.GreenletExit
        return answer


def _headers(content_type: str | None, bearer: str | None, more: Mapping[str, str] | None) -> dict[str, str]:
    own = {"Accept-Encoding": "gzip, deflate"}
    if content_type:
        own["Content-Type"] = content_type
    if bearer:
        own["Authorization"] = f"Bearer {bearer}"
    return own | dict(more or {})


def judged(url: str, seen: Exchange, expect: int | None = None, has: bytes | None = None, check: Check | None = None) -> Answer:
    """Say of a finished exchange whether it is as it should be: status first, then the body."""
    try:
        content, error = decoded(seen.body, seen.headers.get("content-encoding", "")), seen.error
    except zlib.error:
        content, error = seen.body, "protocol"
    answer = Answer(url, seen.status, seen.headers, content, error)
    if error is None and (seen.status != expect if expect else seen.status >= 400):
        error = "http"
    if error is None and ((has is not None and has not in content) or (check is not None and not holds(check, answer))):
        error = "check"
    return Answer(url, seen.status, seen.headers, content, error) if error != answer.error else answer
