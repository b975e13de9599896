"""What the users of one Locust process share: connections, row numbers, clock, recorder; made after Locust's fork."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import gevent
import gevent.lock
from locust.env import Environment
from locust.runners import WorkerRunner

from evidence import HEADER, make_trace
from loadtests.recorder import Recorder
from loadtests.session import Answer, Call, RequestFailed
from loadtests.wire import CONNECTIONS_MAX, Exchange, Wire

MAIN = ""
"""The host class of a user that has only one host."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a user's requests go: connections to `url`, the Host header by class (else the url's own)."""

    url: str
    hosts: Mapping[str, str]
    timeout_s: float

    def host(self, host_class: str) -> str:
        return self.hosts.get(host_class) or urlsplit(self.url).netloc.rpartition("@")[2]


class Engine:
    """One process's sending side, whatever users it has."""

    def __init__(self, environment: Environment) -> None:
        options, runner = environment.parsed_options, environment.runner
        self.worker = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        self.workers = int(options.expect_workers) if isinstance(runner, WorkerRunner) and options else 1
        self.completed = 0
        self.recorder: Recorder | None = None
        self._extra_cpu_s = float(getattr(options, "sizeup_extra_cpu", 0.0) or 0.0)
        self._fire_request: Callable[..., None] = environment.events.request.fire
        self._wires: dict[tuple[str, str, float], Wire] = {}
        self._connecting, self._connected = gevent.lock.RLock(), set[Wire]()
        self._seqs, self._users = itertools.count(), itertools.count()
        self._wall_us = time.time_ns() / 1000 - time.perf_counter() * 1e6
        run = getattr(options, "sizeup_run", None)
        if run:
            self._record(environment, Path(run))

    def next_seq(self) -> int:
        """Return the next request's number, unique within this worker."""
        return next(self._seqs)

    def next_user(self) -> int:
        """Return the next user's number within this worker."""
        return next(self._users)

    def wall_us(self, at: float) -> int:
        """Return a `time.perf_counter` instant as UTC microseconds."""
        return int(self._wall_us + at * 1e6)

    def trace(self, call: Call) -> dict[str, str]:
        """Return the header that joins a request's row to its access-log line; none where nothing is recorded."""
        if self.recorder is None:
            return {}
        return {HEADER: make_trace(self.recorder.run12, self.worker, call.seq, self.wall_us(call.intended) // 1_000_000)}

    def wire(self, site: Site, host_class: str) -> Wire:
        """Return the kept connections to a class's host."""
        key = (site.url, site.host(host_class), site.timeout_s)
        if key not in self._wires:
            self._wires[key] = Wire(*key)
        return self._wires[key]

    def connect_once(self, site: Site, host_class: str, count: int) -> str | None:
        """Open a host's connections unless another user of this process did; return the error's word where one fails."""
        wire = self.wire(site, host_class)
        with self._connecting:
            if wire in self._connected:
                return None
            self._connected.add(wire)
            return wire.open_connections(min(count, CONNECTIONS_MAX))

    def note(self, call: Call, seen: Exchange, answer: Answer) -> None:
        """Record one request that ended, tell Locust's statistics, and burn what `--sizeup-extra-cpu` asks for."""
        sent = seen.ended if seen.sent is None else seen.sent
        lateness, wait, service = (_us(span) for span in (seen.started - call.intended, sent - seen.started, seen.ended - sent))
        response = lateness + wait + service
        if self.recorder is not None:
            first = None if seen.first_byte is None else _us(seen.first_byte - sent)
            self.recorder.request((
                self.worker, call.seq, self.wall_us(call.intended), lateness, wait, first, service, response, call.name, call.scenario,
                call.host, call.method, seen.status, answer.error, answer.ok, seen.request_bytes, seen.response_bytes,
            ), lateness, answer.ok)  # fmt: skip
        # A request that our own stop cut off is no failure of the target: Locust itself counts none either.
        if answer.error != "aborted":
            self.completed += 1
            self._tell_locust(call, answer, response)
            _burn(self._extra_cpu_s)

    def _tell_locust(self, call: Call, answer: Answer, response_us: int) -> None:
        self._fire_request(
            request_type=call.method, name=call.name.removeprefix(f"{call.method} "), response_time=response_us / 1000,
            response_length=len(answer.content), exception=None if answer.ok else RequestFailed(f"{answer.error} (status {answer.status})"),
            context={}, response=answer, start_time=self.wall_us(call.intended) / 1e6, url=answer.url,
        )  # fmt: skip

    def _record(self, environment: Environment, run: Path) -> None:
        recorder = self.recorder = Recorder(run, self.worker)
        gevent.spawn(_flush_each_second, recorder)
        # By then all users have stopped, and what they cut off is in its rows.
        add_listener: Callable[..., object] = environment.events.test_stop.add_listener
        add_listener(lambda **_: recorder.finish())


_ENGINES: WeakKeyDictionary[Environment, Engine] = WeakKeyDictionary()


def engine_of(environment: Environment) -> Engine:
    """Return this process's engine, made at the first call: by then Locust has forked and knows its worker's index."""
    if environment not in _ENGINES:
        _ENGINES[environment] = Engine(environment)
    return _ENGINES[environment]


def _us(seconds: float) -> int:
    return max(0, round(seconds * 1e6))


def _flush_each_second(recorder: Recorder) -> None:
    while True:
        gevent.sleep(1.0)
        recorder.flush()


def _burn(seconds: float) -> None:
    """Spend CPU time in this process, so that a test can show that the generator's own cost reaches no host's demand."""
    if seconds > 0:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass
