"""Samples the process trees of a run's hosts once a beat: `python -m collectors.sampler --trees FILE --spool DIR`.

Each beat gives one hosts row a host and one processes row a (group, colour), flushed at once to hosts.spool and
processes.spool; a group that came anew is an event. It ends at SIGTERM with a last, shorter interval, and by itself when its
parent is gone.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from collectors.snapshot import Rows, count_restarts, make_rows, restart_events, take_snapshot
from collectors.trees import Forest, Key, TreesFile
from evidence import SizeupError, SpoolWriter

LEAST_INTERVAL_S = 0.05
"""A last interval shorter than this is left out: its rates would be noise."""

_PR_SET_PDEATHSIG = 1
_READY = "ready"


class Sampler:
    """The state between two beats: the hosts' members, their last reading, and the restarts that are owed."""

    def __init__(self, trees: Path, beat_s: float) -> None:
        self._file = TreesFile(trees)
        self._forest = Forest()
        self._beat_s = beat_s
        self._owed: Mapping[Key, int] = {}
        self._grow()
        self._last = take_snapshot(self._forest, None)

    def beat(self) -> tuple[Rows, Rows]:
        """End the interval; return its rows of `hosts` and of `processes`."""
        self._grow()
        before, self._last = self._last, take_snapshot(self._forest, self._last)
        restarts, self._owed = count_restarts(before, self._last, self._owed)
        return make_rows(self._file.hosts, before, self._last, self._beat_s, restarts)

    @property
    def since_s(self) -> float:
        """Seconds since the last beat."""
        return time.monotonic() - self._last.moment.monotonic_s

    def _grow(self) -> None:
        if self._file.changed():
            self._forest.plant(self._file.hosts)
        self._forest.refresh()


class Watch:
    """Waits for the next beat, a signal to end, or the parent's end."""

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self._pipe, wake = os.pipe()
        os.set_blocking(wake, False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(wake)
        _signal_at_parents_end(signal.SIGUSR1)

    def ended(self, until_s: float) -> bool:
        """Sleep to the monotonic time `until_s`; return True at once when it is time to end."""
        while os.getppid() == self._parent:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return False
            if select.select([self._pipe], [], [], min(left_s, 1.0))[0] and set(os.read(self._pipe, 64)) & {signal.SIGTERM, signal.SIGINT}:
                return True
        return True


class SamplerHandle:
    """A sampler in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End the sampler after its last interval; a second call does nothing."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


def start_sampler(trees: Path, spool: Path, beat_s: float = 1.0) -> SamplerHandle:
    """Start a sampler and return once it has taken its first readings; what it complains of goes to `<spool>/../sampler.log`.

    Raises
    ------
    SizeupError
        Where it doesn't start.
    """
    spool.mkdir(parents=True, exist_ok=True)
    log = spool.parent / "sampler.log"
    options = ["--trees", str(trees), "--spool", str(spool), "--beat", f"{beat_s}s", "--parent", str(os.getpid())]
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "collectors.sampler", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            text=True, start_new_session=True,  # a ^C in the terminal is for the owner, who then stops us
        )  # fmt: skip
    assert process.stdout is not None
    if process.stdout.readline().strip() != _READY:
        process.kill()
        process.wait()
        raise SizeupError(f"the host sampler didn't start; {log} says why.")
    return SamplerHandle(process)


def run(trees: Path, spool: Path, beat_s: float, seconds: float | None, parent: int) -> None:
    """Sample until a signal, the parent's end, or `seconds` have passed."""
    watch = Watch(parent)
    names = {"hosts": "hosts", "processes": "processes", "events-sampler": "events"}
    writers = [SpoolWriter(spool / f"{name}.spool", table) for name, table in names.items()]
    sampler = Sampler(trees, beat_s)
    print(_READY, flush=True)
    start_s = time.monotonic()
    end_s = start_s + seconds if seconds is not None else float("inf")
    beats = 1
    while not watch.ended(min(start_s + beats * beat_s, end_s)) and time.monotonic() < end_s:
        _write(writers, *sampler.beat())
        beats = int((time.monotonic() - start_s) / beat_s) + 1
    if sampler.since_s > LEAST_INTERVAL_S:
        _write(writers, *sampler.beat())


def _write(writers: Sequence[SpoolWriter], hosts: Rows, processes: Rows) -> None:
    for writer, rows in zip(writers, (hosts, processes, restart_events(processes)), strict=True):
        for row in rows:
            writer.append_named(row)
        writer.flush()


def _signal_at_parents_end(number: int) -> None:
    """Ask Linux for a signal when the thread that started us ends: a prompt to look for the parent, so no more than that."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m collectors.sampler", description="Sample process trees into spools.")
    parser.add_argument("--trees", type=Path, required=True, help="file that names each host's roots")
    parser.add_argument("--spool", type=Path, required=True, help="folder for hosts.spool and processes.spool")
    parser.add_argument("--beat", type=_seconds, default=1.0, help="interval, default 1s")
    parser.add_argument("--seconds", type=float, help="end by itself after so long")
    parser.add_argument("--parent", type=int, default=os.getppid(), help=argparse.SUPPRESS)
    args = parser.parse_args()
    run(args.trees, args.spool, args.beat, args.seconds, args.parent)


if __name__ == "__main__":
    main()
