"""The run folder of a plain `locust … --sizeup-run DIR`: made where DIR is none yet, and finished when Locust ends."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evidence import RunFolder, start_run
from loadtests.recorder import read_summary

_WORKERS_END_S = 3.0


def record_run(environment: Any, path: Path) -> None:
    """Make `path` a run folder unless it is one already, and say in its run.json how the load went.

    A folder that has a run.json belongs to whoever wrote it: only the spools are added to.
    """
    if (path / "run.json").exists():
        return
    folder = start_run(path, "locust", "locust", datetime.now(UTC))
    environment.events.quit.add_listener(lambda **_: _finish(environment, folder))


def _finish(environment: Any, folder: RunFolder) -> None:
    summary = _summary(folder.spool, max(1, environment.parsed_options.expect_workers))
    counts = {key: summary.get(key, 0) for key in ("requests", "errors", "workers")}
    generator = {key: summary.get(key) for key in ("cores", "cpu_ratio_max", "lateness_p99_us")}
    folder.finish("complete", datetime.now(UTC), counts=counts, generator=generator)


def _summary(spool: Path, workers: int) -> dict[str, Any]:
    """Read the generator's summary, once all workers have added theirs or had the time to."""
    until = time.monotonic() + _WORKERS_END_S
    while True:
        summary = read_summary(spool) or {}
        if summary.get("workers", 0) >= workers or time.monotonic() > until:
            return summary
        time.sleep(0.05)
