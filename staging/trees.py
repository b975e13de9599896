"""Which process trees are which host: the file that the samplers read each beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence import write_json
from staging.processes import Child


@dataclass(frozen=True, slots=True)
class Root:
    """A process that is, with all that it starts, part of a host; `color` where a deployment runs two of it."""

    child: Child
    group: str
    color: str | None = None

    def row(self) -> dict[str, Any]:
        return {**self.child.mark, "group": self.group, "color": self.color}


def write_trees(path: Path, hosts: Mapping[str, Sequence[Root]]) -> None:
    """Replace the file; `hosts` is host class -> the roots of its processes."""
    write_json(path, {"hosts": [{"host": name, "class": name, "roots": [root.row() for root in roots]} for name, roots in hosts.items()]})
