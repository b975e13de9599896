"""A Locust process's side of a run folder: a row a request, a phase a step, and how busy and late the process was."""

from __future__ import annotations

import json
import time
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evidence import SpoolWriter, trace_run, write_json


class Recorder:
    """Appends to `<run>/.spool`; `flush` once a second, `finish` at the end of each test.

    Parameters
    ----------
    run : Path
        The run folder; its name is the run's id, which the trace ids are made from.
    worker : int
        Locust's index of this process, 0 where there is only one.
    """

    def __init__(self, run: Path, worker: int) -> None:
        self.run12 = trace_run(run.resolve().name)
        self.worker = worker
        self._spool = run / ".spool"
        self._requests = SpoolWriter(self._spool / f"requests-{worker}.spool", "requests")
        self._events = SpoolWriter(self._spool / f"events-load-{worker}.spool", "events")
        self._lateness_us = array("i")
        self._errors = 0
        self._cpu_ratio_max = 0.0
        self._cpu_s, self._wall_s = time.process_time(), time.perf_counter()

    def request(self, row: tuple[Any, ...], lateness_us: int, ok: bool) -> None:
        """Take one row of the requests table."""
        self._requests.append(row)
        self._lateness_us.append(lateness_us)
        self._errors += not ok

    def phase(self, name: str, start_us: int, end_us: int, detail: Mapping[str, float]) -> None:
        """Take one step of the plan as it went, times in UTC microseconds."""
        self._events.append((start_us, end_us, "phase", name, json.dumps(detail)))

    def flush(self) -> None:
        """Write what came since the last flush, and note how busy this process was meanwhile."""
        self._requests.flush()
        self._events.flush()
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        # A fraction of a second says nothing: the clock of CPU time is coarse, and one flush alone would fill it.
        if wall_s - self._wall_s >= 0.5:
            self._cpu_ratio_max = max(self._cpu_ratio_max, (cpu_s - self._cpu_s) / (wall_s - self._wall_s))
            self._cpu_s, self._wall_s = cpu_s, wall_s

    def finish(self) -> None:
        """Write the rest, and what this generator cost."""
        self.flush()
        write_json(self._spool / f"generator-{self.worker}.json", self._summary())

    def _summary(self) -> dict[str, Any]:
        late = np.frombuffer(self._lateness_us, np.int32) if self._lateness_us else np.zeros(1, np.int32)
        return {
            "cores": 1, "cpu_ratio_max": round(self._cpu_ratio_max, 4), "lateness_p99_us": int(np.percentile(late, 99)),
            "requests": len(self._lateness_us), "errors": self._errors, "workers": 1,
        }  # fmt: skip


def read_summary(spool: Path) -> dict[str, Any] | None:
    """Sum what the workers wrote of themselves; of the busy ratio and the lateness the worst worker's counts. None where none has yet."""
    parts = [json.loads(file.read_bytes()) for file in sorted(spool.glob("generator-*.json"))]
    if not parts:
        return None
    worst = {key: max(part[key] for part in parts) for key in ("cpu_ratio_max", "lateness_p99_us")}
    total = {key: sum(part[key] for part in parts) for key in ("cores", "requests", "errors", "workers")}
    return {"cores": total.pop("cores"), **worst, **total}
