"""Values of options as people write them: `250MiB`, `2ms`, `5,10,20`, each with a sentence where it is none."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

_BYTES = {"b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}

_AGES = {"m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


class Parsed(click.ParamType[Any]):
    """An option's type made of a function that raises ValueError with what is wrong."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as wrong:
            self.fail(str(wrong), param, ctx)


def read_bytes(text: str) -> int:
    """Read a size with its unit."""
    return round(_number_with_unit(text, _BYTES, "a size such as 250MiB"))


def read_seconds(text: str) -> float:
    """Read a duration with its unit."""
    return _number_with_unit(text, _SECONDS, "a duration such as 2ms or 3m")


def read_age(text: str) -> float:
    """Read how far back, in seconds: hours, days or weeks."""
    return _number_with_unit(text, _AGES, "a span such as 6h, 14d or 8w")


def read_time(text: str) -> datetime:
    """Read a moment in RFC 3339; without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write one such as 2026-11-01T00:00:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def read_rates(text: str) -> tuple[float, ...]:
    """Read requests a second, separated by commas."""
    try:
        rates = tuple(float(part) for part in text.split(","))
    except ValueError:
        rates = ()
    if not rates or not all(0 < rate < float("inf") for rate in rates):
        raise ValueError(f"{text!r} are no rates; write requests a second such as 5,10,20")
    return rates


def read_names(text: str) -> tuple[str, ...]:
    """Read names separated by commas."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise ValueError("names nothing; write one or more, separated by commas")
    return names


def read_flags(text: str) -> tuple[str, ...]:
    """Split a JVM's flags as a shell would."""
    flags = tuple(shlex.split(text))
    wrong = next((flag for flag in flags if not flag.startswith("-X")), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is no JVM flag; write some such as '-Xmx256m -XX:+UseSerialGC'")
    return flags


def _number_with_unit(text: str, units: dict[str, float] | dict[str, int], form: str) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*", text)
    if found is None or found[2].lower() not in units:
        raise ValueError(f"{text!r} is not {form}")
    return float(found[1]) * units[found[2].lower()]


SIZE = Parsed("size", read_bytes)
DURATION = Parsed("duration", read_seconds)
AGE = Parsed("age", read_age)
TIME = Parsed("time", read_time)
RATES = Parsed("rates", read_rates)
NAMES = Parsed("names", read_names)
FLAGS = Parsed("flags", read_flags)
