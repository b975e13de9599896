"""How sure a figure is: an estimate with its interval, an unknown with what would lift it, a reason with its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; `level` is the chance that the interval holds the truth (0 to 1)."""

    mid: float
    lo: float
    hi: float
    level: float = 0.9

    def as_json(self) -> dict[str, float]:
        return {"mid": self.mid, "lo": self.lo, "hi": self.hi, "level": self.level}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A figure that nobody measured: why, and what would lift it. In JSON it is null plus an entry in `unknowns`."""

    why: str
    lift: str

    def entry(self, path: str) -> dict[str, str]:
        return {"path": path, "why": self.why, "lift": self.lift}


@dataclass(frozen=True, slots=True)
class Reason:
    """One test of the evidence: `value` against `need` in `unit`; `ok` is None where it can't be judged."""

    code: str
    ok: bool | None
    value: float | None
    need: float | None
    unit: str
    lift: str

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "ok": self.ok, "value": self.value, "need": self.need, "unit": self.unit, "lift": self.lift}


@dataclass(frozen=True, slots=True)
class Warn:
    """Something a reader of the answer should know: a stable code and one sentence."""

    code: str
    message: str

    def as_json(self) -> Mapping[str, str]:
        return {"code": self.code, "message": self.message}
