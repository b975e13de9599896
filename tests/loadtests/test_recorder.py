"""What several workers say of themselves, whatever order they end in."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from evidence import start_run
from loadtests import recorder as module
from loadtests.recorder import Recorder


def test_the_sum_holds_every_worker_also_where_one_is_slow_to_write_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The first has read its own part alone when the second ends: its sum must not be the one that stays."""
    from datetime import UTC, datetime

    start_run(tmp_path / "run", "test", "steps", datetime.now(UTC))
    first, second = Recorder(tmp_path / "run", 0), Recorder(tmp_path / "run", 1)
    reading, go_on, real = threading.Event(), threading.Event(), module.merged

    def slow_once(parts: list[dict[str, Any]]) -> dict[str, Any]:
        if not reading.is_set():
            reading.set()
            go_on.wait(1)
        return real(parts)

    monkeypatch.setattr(module, "merged", slow_once)
    one = threading.Thread(target=first.finish)
    one.start()
    assert reading.wait(10)
    other = threading.Thread(target=second.finish)
    other.start()
    other.join(0.3)
    go_on.set()
    one.join(10)
    other.join(10)

    assert json.loads((tmp_path / "run" / ".spool" / "generator.json").read_bytes())["workers"] == 2
