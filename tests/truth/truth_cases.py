"""Reads the published cases and compares an answer with what they expect, within their tolerance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def case(name: str) -> dict[str, Any]:
    return json.loads((HERE / "cases" / f"{name}.json").read_text(encoding="utf-8"))


def of_kind(kind: str) -> list[dict[str, Any]]:
    """Every case of a kind, in the order of their names."""
    cases = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((HERE / "cases").glob("*.json"))]
    return [found for found in cases if found["kind"] == kind]


def agrees(expected: Any, got: Any, tolerance: dict[str, Any], key: str = "") -> bool:
    """Whether an answer is as near as the case asks; a tolerance may be stated for one key."""
    if isinstance(expected, dict):
        return all(agrees(value, got[name], tolerance, name) for name, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(got) and all(agrees(e, g, tolerance, key) for e, g in zip(expected, got, strict=True))
    if isinstance(expected, bool) or not isinstance(expected, (int, float)):
        return bool(expected == got)
    bound = tolerance.get(key, tolerance) if isinstance(tolerance.get(key), dict) else tolerance
    return abs(float(got) - expected) <= max(bound.get("abs", 1e-12), bound.get("rel", 0) * abs(expected))
