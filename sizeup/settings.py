"""sizeup.toml as one model, composed of the tables that each room owns."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from evidence.settings import Table, read_toml, validate
from loadtests.settings import LoadSettings
from sizing.money.settings import GateSettings, Held
from sizing.settings import DEFAULT_OBJECTIVES, Account, HostClass, Objective, Policy, Pricing, TrafficSettings


class Project(Table):
    """[project]: where the service runs, and whose clock its days follow."""

    region: str | None = None
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        # Where the machine has no table of time zones at all, the history's own reader tells.
        if not _has_zone(name) and _has_zone("UTC"):
            raise ValueError('is no time zone; write it like "Asia/Seoul"')
        return name


def _has_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return False
    return True


class Settings(LoadSettings):
    """Every table of docs/reference/settings.md; what is absent has its default."""

    project: Project = Project()
    class_: dict[str, HostClass] = Field(default={}, alias="class")
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


def public_toml(path: Path) -> str:
    """Return a settings file as a run keeps it: all that was used, without what a login sends."""
    import tomli_w

    data = read_toml(path)
    for source in data.get("auth", {}).values():
        source.get("login", {}).pop("json", None)
    return tomli_w.dumps(data)
