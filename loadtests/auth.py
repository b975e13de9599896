"""Where a token comes from and how long it lasts; its secrets live in this process's memory and environment alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtests.mix import SessionLike

DEMO_ACCOUNT = {"email": "demo@example.run", "password": "demo-password"}
"""The account that the stacks in `staging/` are seeded with; a real one comes from [auth.*]."""
RENEW_BEFORE_S = 30.0


@dataclass(frozen=True, slots=True)
class TokenSource:
    """A token from the environment, or from a login whose JSON body stands in the environment.

    Attributes
    ----------
    value : str or None
        The token itself, where the environment has it.
    request, refresh : str
        `POST /login`, and the request that renews with `{"refreshToken": …}`; empty where there is none.
    path : str
        Where the access token stands in the answer: `accessToken`.
    """

    value: str | None = field(default=None, repr=False)
    request: str = ""
    refresh: str = ""
    path: str = "accessToken"
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was got; `expires_at` in Unix seconds, None where it doesn't say."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_at: float | None


DEMO_LOGIN = TokenSource(request="POST /auth/login", refresh="POST /auth/refresh", body=DEMO_ACCOUNT)


def token_sources(auth: Mapping[str, Mapping[str, Any]], env: Mapping[str, str]) -> dict[str, TokenSource]:
    """Return the sources of a plan's `auth`, its secrets taken from the environment; without any, the demo account's."""
    if not auth:
        return {"token": DEMO_LOGIN}
    return {name: _source(entry, env) for name, entry in auth.items()}


def sign_in(session: SessionLike, source: TokenSource) -> Token | None:
    """Get a token; None where the source has none or the login fails."""
    if source.value is not None:
        return Token(source.value, None, expires_at(source.value))
    return _ask(session, source.request, source.body, source.path, "login") if source.request else None


def renew(session: SessionLike, source: TokenSource, token: Token) -> Token | None:
    """Renew a token by its refresh token, else by another login."""
    if source.refresh and token.refresh:
        renewed = _ask(session, source.refresh, {"refreshToken": token.refresh}, source.path, "token refresh")
        if renewed is not None:
            return renewed
    return sign_in(session, source)


def expires_at(access: str) -> float | None:
    """Read when a JSON Web Token expires (RFC 7519, "exp"), unverified; None where it is no such token."""
    try:
        payload = access.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
    except (IndexError, KeyError, ValueError, TypeError):
        return None


def renew_in_s(token: Token, now: float) -> float | None:
    """Return after how many seconds to renew: 30 s before the end, or at half of a shorter life; None where never."""
    if token.expires_at is None:
        return None
    left = token.expires_at - now
    return max(1.0, left - RENEW_BEFORE_S, left / 2)


def _source(entry: Mapping[str, Any], env: Mapping[str, str]) -> TokenSource:
    if "env" in entry:
        return TokenSource(value=env.get(str(entry["env"])))
    body = json.loads(env.get(str(entry["json_env"]), "{}"))
    return TokenSource(request=entry["request"], refresh=entry.get("refresh") or "", path=entry["path"], body=body)


def _ask(session: SessionLike, request: str, body: Mapping[str, Any], path: str, name: str) -> Token | None:
    method, _, url = request.partition(" ")
    answer = session.request(method, url, json=dict(body), name=name)
    try:
        page = answer.json() if answer.ok else {}
        value: Any = page
        for key in path.split("."):
            value = value[key]
        return Token(str(value), page.get("refreshToken"), expires_at(str(value)))
    except (ValueError, KeyError, TypeError):
        return None
