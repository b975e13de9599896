"""What sizeup.toml says of loading: the targets that may be loaded, scenarios without Python, and where tokens come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from evidence import SizeupError, Table
from loadtests.template import check_template

METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")


class Target(Table):
    """[target.NAME]: only what stands here is ever loaded."""

    url: str | None = None
    alb: str | None = None
    environment: Literal["staging", "prelaunch", "production-ack"] = "staging"
    max_rate_per_s: float | None = Field(default=None, gt=0)
    hosts: dict[Literal["frontend", "api"], str] = Field(default_factory=dict)

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url

    @model_validator(mode="after")
    def _is_one_place(self) -> Target:
        if (self.url is None) == (self.alb is None):
            raise ValueError('must name either "url" or "alb"')
        return self


class Expected(Table):
    """check = {…}: what an answer must be."""

    status: int | None = Field(default=None, ge=100, le=599)
    contains: str | None = None


class SimpleScenario(Table):
    """[[scenario.CLASS]]: one request, its values drawn anew at each arrival."""

    request: str
    name: str | None = None
    weight: float = Field(1.0, ge=0)
    check: Expected = Field(default_factory=Expected)
    auth: str | None = None

    @field_validator("request")
    @classmethod
    def _is_request(cls, request: str) -> str:
        method, _, path = request.partition(" ")
        if method not in METHODS or not path.startswith("/"):
            raise ValueError('must be a method and a path, as "GET /boards"')
        try:
            check_template(path)
        except SizeupError as wrong:
            raise ValueError(str(wrong)) from None
        return request


class Login(Table):
    """login = {…}: the request that gets a token, where it stands in the answer, and the request that renews it."""

    request: str
    body: dict[str, Any] = Field(default_factory=dict, alias="json", repr=False)
    path: str = "accessToken"
    refresh: str | None = None


class Auth(Table):
    """[auth.NAME]: a token out of the environment, or out of a login; never stored."""

    env: str | None = None
    login: Login | None = None

    @model_validator(mode="after")
    def _is_one_source(self) -> Auth:
        if (self.env is None) == (self.login is None):
            raise ValueError('must name either "env" or "login"')
        return self


class LoadSettings(Table):
    """The tables of sizeup.toml that loading reads."""

    target: dict[str, Target] = Field(default_factory=dict)
    scenario: dict[Literal["frontend", "api"], list[SimpleScenario]] = Field(default_factory=dict)
    auth: dict[str, Auth] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _knows_its_tokens(self) -> LoadSettings:
        for host_class, entries in self.scenario.items():
            for entry in entries:
                if entry.auth is not None and entry.auth not in self.auth:
                    raise ValueError(f'[[scenario.{host_class}]] "{entry.request}": its auth "{entry.auth}" has no [auth.{entry.auth}]')
        return self


def plan_scenarios(scenario: Mapping[Any, list[SimpleScenario]]) -> list[dict[str, Any]]:
    """Return the settings' scenarios as `write_plan` takes them."""
    return [
        {
            "name": entry.name or entry.request, "host_class": host_class, "request": entry.request, "weight": entry.weight,
            "check": entry.check.model_dump(exclude_none=True), "auth": entry.auth,
        }
        for host_class, entries in scenario.items() for entry in entries
    ]  # fmt: skip


def plan_auth(auth: Mapping[str, Auth]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return the token sources as `write_plan` takes them, and apart from them the secrets, for the child's environment."""
    sources: dict[str, dict[str, Any]] = {}
    secrets: dict[str, str] = {}
    for name, entry in auth.items():
        if entry.login is None:
            sources[name] = {"env": entry.env}
            continue
        variable = f"SIZEUP_LOGIN_{name.upper()}"
        sources[name] = {"request": entry.login.request, "path": entry.login.path, "refresh": entry.login.refresh, "json_env": variable}
        secrets[variable] = json.dumps(entry.login.body)
    return sources, secrets
