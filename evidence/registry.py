"""How a room finds what was added to it: one walk of a folder, one constant a file."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TypeVar

T = TypeVar("T")


def discover(package: str, constant: str, kind: type[T]) -> dict[str, T]:
    """Import each module of `package`; return what it hands in as `constant`, by module name.

    Raises
    ------
    TypeError
        Where a module hands in no `constant` of type `kind`.
    """
    found: dict[str, T] = {}
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{info.name}")
        item = getattr(module, constant, None)
        if not isinstance(item, kind):
            raise TypeError(f"{module.__file__}: ends in no {constant} = {kind.__name__}(...)")
        found[info.name] = item
    return found
