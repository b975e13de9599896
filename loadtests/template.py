"""Values written into a scenario's request: `{int:1..50}` becomes a whole number, drawn anew at each arrival."""

from __future__ import annotations

import random
import re

from evidence import SizeupError

_PLACE = re.compile(r"\{([^{}]*)\}")
_INT = re.compile(r"int:(-?\d+)\.\.(-?\d+)")


def check_template(text: str) -> None:
    """Refuse a template that `expand` can't fill.

    Raises
    ------
    SizeupError
        Where a place in braces is no `int:LOW..HIGH`.
    """
    for place in _PLACE.findall(text):
        _bounds(place)


def expand(text: str, rng: random.Random) -> str:
    """Fill each place in braces: `/boards/{int:1..50}` -> `/boards/17`, both ends included."""
    return _PLACE.sub(lambda found: str(rng.randint(*_bounds(found[1]))), text)


def _bounds(place: str) -> tuple[int, int]:
    found = _INT.fullmatch(place.strip())
    if found is None or int(found[1]) > int(found[2]):
        raise SizeupError(f'"{{{place}}}" in a request can\'t be filled; write {{int:LOW..HIGH}} with LOW <= HIGH.')
    return int(found[1]), int(found[2])
