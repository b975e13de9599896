"""The id that joins a request row to its access-log line: an X-Amzn-Trace-Id Root that names run, worker and row."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

HEADER = "X-Amzn-Trace-Id"
_ROOT = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{12})([0-9a-f]{4})([0-9a-f]{8})(?=$|;)")


@dataclass(frozen=True, slots=True)
class Trace:
    """Who sent a request: the run (`run12`), the worker and the row's `seq`; `epoch_s` is its intended second."""

    epoch_s: int
    run12: str
    worker: int
    seq: int


def trace_run(run_id: str) -> str:
    """Return the twelve hex digits that stand for a run in each of its trace ids."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:12]


def make_trace(run12: str, worker: int, seq: int, epoch_s: int) -> str:
    """Return the header value `Root=1-<epoch8>-<run12><worker4><seq8>`, all lower-case hex."""
    return f"Root=1-{epoch_s & 0xFFFFFFFF:08x}-{run12}{worker & 0xFFFF:04x}{seq & 0xFFFFFFFF:08x}"


def parse_trace(value: str) -> Trace | None:
    """Read a Root of our shape out of a header or log field; None where there is none.

    Every Root has this shape, a load balancer's own too: compare `run12` with `trace_run` to tell them apart.
    """
    found = _ROOT.search(value)
    if found is None:
        return None
    epoch, run12, worker, seq = found.groups()
    return Trace(int(epoch, 16), run12, int(worker, 16), int(seq, 16))
