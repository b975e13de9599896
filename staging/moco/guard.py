"""Ends a stack's programs when their owner is gone: they read no standard input of ours, so a process of ours does it for them."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from staging.embedded.child import read_line, report_ready
from staging.facts import read_facts
from staging.processes import end_marked


def end_left(home: Path, owner: Mapping[str, Any]) -> None:
    """End what `owner` has in stack.json, ourselves left out; nothing where another owner's stack stands there by now."""
    facts = read_facts(home)
    if facts.get("owner") == owner:
        for mark in facts.get("processes", ()):
            if mark["pid"] != os.getpid():
                end_marked(mark)


def main() -> None:
    settings = read_line(0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # the owner's own, when it has ended the rest in order
    report_ready()
    try:
        while os.read(0, 4096):
            pass
        end_left(Path(settings["home"]), settings["owner"])
    finally:
        shutil.rmtree(settings["data"], ignore_errors=True)


if __name__ == "__main__":
    main()
