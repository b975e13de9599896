"""What a team states about its service and its policy: the tables of sizeup.toml that a decision reads."""

from __future__ import annotations

import math
import re
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from evidence.settings import Table

Deploy = Literal["blue_green", "stop_first", "none"]


class GroupRule(Table):
    """One process group: `match` on the command line, `color` the part of it that tells blue from green."""

    name: str
    match: str
    color: str | None = None

    @field_validator("match", "color")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as wrong:
            raise ValueError(f"is no regular expression ({wrong})") from None
        return pattern


class HostClass(Table):
    """[class.NAME]: the hosts that run one part of the stack, how they are found and how they deploy."""

    target_group: str | None = None
    instances: tuple[str, ...] = ()
    address: str | None = None
    deploy: Deploy = "blue_green"
    groups: tuple[GroupRule, ...] = ()


class TrafficSettings(Table):
    """[traffic]: the peak that the team expects (low, likely, high), requests a second from outside."""

    peak_per_s: tuple[float, float, float] | None = None
    mean_per_s: float | None = Field(default=None, gt=0)
    growth_ratio_per_year: float | None = Field(default=None, gt=-1, allow_inf_nan=False)

    @field_validator("peak_per_s")
    @classmethod
    def _rising(cls, peak: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
        if peak is not None and not 0 < peak[0] <= peak[1] <= peak[2] < math.inf:
            raise ValueError("must be three rising figures above 0: low, likely, high")
        return peak

    @model_validator(mode="after")
    def _below_the_peak(self) -> TrafficSettings:
        if self.mean_per_s is not None and self.peak_per_s is not None and self.mean_per_s > self.peak_per_s[1]:
            raise ValueError(f'the mean, {self.mean_per_s:g}/s, is above the likely peak, {self.peak_per_s[1]:g}/s')
        return self


class Objective(Table):
    """[[objective]]: what a user must see; `limit_s` for latency, `limit_ratio` for errors."""

    name: Literal["latency", "errors"]
    request: str = "*"
    quantile: float = Field(default=0.95, gt=0, lt=1)
    at: Literal["client", "target"] = "target"
    limit_s: float | None = Field(default=None, gt=0)
    limit_ratio: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _limited(self) -> Objective:
        wanted = "limit_s" if self.name == "latency" else "limit_ratio"
        if getattr(self, wanted) is None:
            raise ValueError(f'an objective on {self.name} needs "{wanted}"')
        return self


DEFAULT_OBJECTIVES = (Objective(name="latency", limit_s=0.5), Objective(name="errors", limit_ratio=0.01))


class Policy(Table):
    """[policy]: how sure a decision must be, and what it must survive."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    survive_zone_loss: bool = False
    leave_ratio_per_month: float = Field(default=0.03, ge=0, lt=1)
    capital_ratio_per_year: float = Field(default=0.0, ge=0, le=10)
    worst_loss_usd: Decimal | None = Field(default=None, ge=0)


class Account(Table):
    """[account]: which free tier the account has; `ends_at` where it runs."""

    free_tier: Literal["legacy", "credits", "none", "unknown"] = "unknown"
    ends_at: date | None = None


class Pricing(Table):
    """[pricing]: what the account pays below the list, and a currency to show beside dollars, at a rate stated with its day."""

    discount_ratio: float = Field(default=0.0, ge=0, lt=1)
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    currency_per_usd: Decimal | None = Field(default=None, gt=0)
    currency_as_of: date | None = None

    @model_validator(mode="after")
    def _rated(self) -> Pricing:
        if self.currency != "USD" and (self.currency_per_usd is None or self.currency_as_of is None):
            raise ValueError('a currency needs its rate and the rate\'s day: "currency_per_usd" and "currency_as_of"')
        return self
