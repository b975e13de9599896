"""What several workers say of themselves, whatever order they end in."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest

from evidence import start_run
from loadtests.recorder import Recorder, read_summary


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_summary_holds_every_worker_that_has_ended(tmp_path: Path, order: tuple[int, ...]):
    """A sum that the workers wrote lacked one where two ended at once: each writes its own part, and who asks adds them up."""
    run = tmp_path / "run"
    start_run(run, "test", "steps", datetime.now(UTC))
    workers = [Recorder(run, number) for number in range(3)]

    assert read_summary(run / ".spool") is None
    for ended, number in enumerate(order, start=1):
        workers[number].finish()
        summary = read_summary(run / ".spool")
        assert summary is not None
        assert (summary["workers"], summary["cores"]) == (ended, ended)
