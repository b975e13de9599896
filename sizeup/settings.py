"""sizeup.toml as one model, composed of the tables that each room owns."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from evidence.settings import Table, read_toml, validate
from sizing.money.settings import GateSettings, Held
from sizing.settings import DEFAULT_OBJECTIVES, Account, HostClass, Objective, Policy, Pricing, TrafficSettings


class Project(Table):
    """[project]: where the service runs, and whose clock its days follow."""

    region: str | None = None
    timezone: str = "UTC"


class Target(Table):
    """[target.NAME]: a stack that may be loaded, and how hard."""

    url: str | None = None
    alb: str | None = None
    environment: Literal["staging", "prelaunch", "production-ack"] = "staging"
    max_rate_per_s: float = Field(default=50, gt=0)
    hosts: dict[str, str] = Field(default={})

    @model_validator(mode="after")
    def _placed(self) -> Target:
        if (self.url is None) == (self.alb is None):
            raise ValueError("name its url or its alb, one of the two")
        return self


class Settings(Table):
    """Every table of CONTRACT section 4; what is absent has its default."""

    project: Project = Project()
    target: dict[str, Target] = Field(default={})
    class_: dict[str, HostClass] = Field(default={}, alias="class")
    scenario: dict[str, list[dict[str, Any]]] = Field(default={})
    auth: dict[str, dict[str, Any]] = Field(default={})
    traffic: TrafficSettings = TrafficSettings()
    objective: tuple[Objective, ...] = DEFAULT_OBJECTIVES
    policy: Policy = Policy()
    gate: GateSettings = GateSettings()
    account: Account = Account()
    pricing: Pricing = Pricing()
    held: tuple[Held, ...] = ()

    @property
    def sha256(self) -> str:
        """The digest of the settings as used, the same whatever the file's order or comments."""
        canonical = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def load_settings(path: Path | None) -> Settings:
    """Read a settings file; None gives the defaults.

    Raises
    ------
    SizeupError
        The first thing that is wrong in it: file, table, key, and the mend.
    """
    return validate(Settings, read_toml(path) if path else {}, path.name if path else "sizeup.toml")
