"""Which process trees are which host: the file that the samplers read each beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evidence import write_json
from staging.processes import Child


def write_trees(path: Path, hosts: Mapping[str, Sequence[tuple[Child, str | None]]]) -> None:
    """Replace the file; `hosts` is host class -> its processes, each with its colour or None."""
    rows = [{"host": name, "class": name, "roots": [_root(name, *each) for each in roots]} for name, roots in hosts.items()]
    write_json(path, {"hosts": rows})


def _root(group: str, child: Child, color: str | None) -> dict[str, Any]:
    return {**child.mark, "group": group, "color": color}
