"""What a team states about purchases: [gate], how much evidence one needs, and [[held]], what is reserved already."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from evidence.settings import Table


class GateSettings(Table):
    """[gate]: the wait that is priced, and the evidence that a purchase needs.

    Attributes
    ----------
    days : int
        The wait on demand whose cost is told.
    valid_minutes, history_days, peak_ratio, deployments, memory_ratio : least
        Of load in valid windows; of history; highest valid rate over the forecast peak; deployments seen; share of valid
        windows with each group's memory.
    interval_ratio, instability_ratio, price_days : most
        Width of the binding need's interval over its middle; change of the demand from the first half to the second; age of the price.
    """

    days: int = Field(default=14, gt=0, le=3650)
    valid_minutes: float = Field(default=30, ge=0)
    history_days: float = Field(default=14, ge=0)
    peak_ratio: float = Field(default=1, ge=0)
    deployments: int = Field(default=1, ge=0)
    memory_ratio: float = Field(default=0.95, ge=0, le=1)
    interval_ratio: float = Field(default=0.3, gt=0)
    instability_ratio: float = Field(default=0.1, gt=0)
    price_days: int = Field(default=365, gt=0)


class Held(Table):
    """[[held]]: a reservation that the account holds already."""

    type: str
    count: int = Field(default=1, gt=0)
    scope: Literal["regional", "zonal"] = "regional"
    payment: str | None = None
    ends_at: date | None = None

    @field_validator("type")
    @classmethod
    def _has_a_size(cls, name: str) -> str:
        if not all(name.rpartition(".")):
            raise ValueError("must be a type with its size, such as t3.small, db.t3.micro or cache.t3.micro")
        return name
