"""sizeup.toml read with care: unknown keys are refused with the nearest name, a wrong value with what it should be."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from evidence.errors import SizeupError


class Table(BaseModel):
    """One table of sizeup.toml; each room derives the tables that it uses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a settings file.

    Raises
    ------
    SizeupError
        Where there is none, it can't be read, or it isn't TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SizeupError(f"{path}: no such settings file; sizeup init writes one, or name another with --config.") from None
    except (OSError, UnicodeDecodeError) as refused:
        raise SizeupError(f"{path}: can't be read ({refused}); mend its permissions or encoding (UTF-8).") from None
    except tomllib.TOMLDecodeError as broken:
        raise SizeupError(f"{path}: not valid TOML: {broken}; mend that line.") from None


def validate(model: type[M], data: Any, file: str) -> M:
    """Turn a parsed settings file into `model`.

    Raises
    ------
    SizeupError
        The first thing that is wrong: file, table, key, and the mend.
    """
    try:
        return model.model_validate(data)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise SizeupError(f"{file}, {_sentence(model, first)}") from None


def _sentence(model: type[BaseModel], error: Any) -> str:
    path = [part for part in error["loc"] if part not in ("function-after", "function-before")]
    where, key = _table_name(path[:-1]), str(path[-1]) if path else ""
    if error["type"] == "extra_forbidden":
        names = _known(model, path[:-1])
        near = difflib.get_close_matches(key, names, 1, 0.6)
        mend = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(sorted(names))}."
        return f'{where}: unknown key "{key}"; {mend}'
    if error["type"] == "missing":
        return f'{where}: "{key}" is missing; add it.'
    message = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    shown = f" (got {error['input']!r})" if not isinstance(error["input"], (dict, list)) else ""
    named = f'"{key}": ' if path else ""
    return f'{where}: {named}{message[:1].lower()}{message[1:]}{shown}; mend that value.'


def _table_name(path: list[Any]) -> str:
    return f"[{'.'.join(str(p) for p in path)}]" if path else "top level"


def _known(model: type[BaseModel], path: list[Any]) -> list[str]:
    """Walk the model's tables along `path`; return the key names known at its end."""
    here: Any = model
    for part in path:
        fields = getattr(here, "model_fields", None)
        if fields is not None and part in _aliases(here):
            here = _inner(_aliases(here)[part].annotation)
        # an index of an array, or a name in a table of tables: the model stays
    return list(_aliases(here)) if hasattr(here, "model_fields") else []


def _aliases(model: Any) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _inner(annotation: Any) -> Any:
    """Find the model in `Model`, `list[Model]`, `dict[str, Model]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _inner(part)
        if found is not None:
            return found
    return None
