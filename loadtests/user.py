"""A Locust user that asks at its own pace, whatever the server does: arrivals of an open model, a greenlet each.

Each arrival keeps the instant it was meant for and its first request counts from there, so a stalled server can't hide
behind an idle client (coordinated omission; Tene, "How NOT to Measure Latency", 2015).
"""

from __future__ import annotations

import itertools
import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar

import gevent
import gevent.lock
import gevent.pool
import numpy as np
from locust import User, events, task
from locust.exception import StopTest
from locust.runners import WorkerRunner

from evidence import SizeupError
from loadtests.arrivals import endless_times, phase_of, stream
from loadtests.engine import MAIN, Engine, Site, engine_of
from loadtests.run_folder import record_run
from loadtests.session import Session

log = logging.getLogger("sizeup.load")

DRAIN_S = 0.25
"""What is under way when Locust stops may end within this; Locust's master waits 0.5 s for its workers' statistics."""

F = TypeVar("F", bound=Callable[..., Any])


class Arrival(Protocol):
    """What is called at an arrival: its name, its weight in the mix, the class of host it starts on."""

    @property
    def name(self) -> str: ...

    @property
    def weight(self) -> float: ...

    @property
    def host_class(self) -> str: ...

    def call(self, session: Session) -> None: ...


class Method:
    """A method marked with `@scenario`, as an arrival."""

    host_class = MAIN

    def __init__(self, name: str, weight: float, call: Callable[[Session], None]) -> None:
        self.name, self.weight, self.call = name, weight, call


def scenario(weight: float = 1) -> Callable[[F], F]:
    """Mark a method `(self, session)` of an OpenLoopUser as something that an arrival may do, by weight."""

    def mark(method: F) -> F:
        method.sizeup_weight = weight  # type: ignore[attr-defined]  # a mark on a function, read back below
        return method

    return mark


class OpenLoopUser(User):
    """`rate` arrivals a second, each one call of a method marked with `@scenario`.

    Attributes
    ----------
    rate : float
        Arrivals a second of one Locust user: `-u 500` is 500 times as many.
    arrivals : str
        "poisson" or "constant".
    connections : int
        Opened to each host before the first arrival, by all users of a process together.
    timeout_s : float
        From a request's send to the end of its answer.
    hosts : Mapping[str, str]
        The Host header by class, where it isn't the host's own.
    http : Session
        For requests outside an arrival, as in `on_start`.
    """

    abstract = True
    rate: float = 1.0
    arrivals: str = "poisson"
    connections: int = 64
    timeout_s: float = 5.0
    seed: int = 0
    hosts: Mapping[str, str] = {}

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.engine: Engine = engine_of(environment)
        self.site = Site(str(self.host).rstrip("/"), self.hosts, self.timeout_s)
        self.number = self.engine.next_user()
        self.random = stream(self.seed, self.engine.worker, self.number)
        self.http = Session(self.engine, self.site, MAIN, "on_start")
        self._flight = gevent.pool.Group()

    def scenarios(self) -> Sequence[Arrival]:
        """Return what an arrival may do; here the marked methods."""
        methods = ((name, getattr(self, name)) for name in dir(type(self)) if hasattr(getattr(type(self), name), "sizeup_weight"))
        return [Method(name, method.sizeup_weight, method) for name, method in methods]

    @task
    def run_arrivals(self) -> None:
        """Open the connections, then start arrivals until Locust stops this user."""
        mix = Mix(self.scenarios(), self.random)
        if not mix.arrivals:
            self.give_up("nothing to do at an arrival: mark a method with @scenario(weight=1), or give what its token needs.")
        self.open_connections({arrival.host_class for arrival in mix.arrivals})
        try:
            self.play(mix)
        finally:
            self.drain(DRAIN_S)

    def play(self, mix: Mix) -> None:
        """Start each arrival when it is due; here at `rate`, for ever."""
        start = time.perf_counter()
        for due in endless_times(self.rate, self.arrivals, self.random, phase_of(self.number)):
            self.pace(start + due)
            self.start_arrival(mix.draw(), start + due)

    def pace(self, due: float) -> None:
        """Sleep until an arrival is due; where it is overdue, only let the others run."""
        gevent.sleep(max(0.0, due - time.perf_counter()))

    def start_arrival(self, arrival: Arrival, due: float) -> None:
        """Start one arrival in a greenlet of its own; `due` is its intended `time.perf_counter`."""
        self._flight.spawn(self._arrive, arrival, Session(self.engine, self.site, arrival.host_class, arrival.name, due))

    def drain(self, seconds: float) -> None:
        """Wait for what is under way; what isn't done by then is cut off, and recorded as aborted."""
        self._flight.join(timeout=seconds)
        self._flight.kill(block=True)

    def open_connections(self, host_classes: set[str]) -> None:
        """Open this process's connections, once, whichever of its users comes first."""
        for host_class in sorted(host_classes):
            if failed := self.engine.connect_once(self.site, host_class, self.connections):
                log.warning("%s: %s while opening connections; going on, each request says for itself.", self.site.url, failed)

    def give_up(self, why: str) -> NoReturn:
        """End the whole load, exit 2: going on would look like a load of nothing."""
        log.error("%s: %s", type(self).__name__, why)
        self.environment.process_exit_code = 2
        gevent.spawn(self.environment.runner.quit)
        raise StopTest(why)

    def _arrive(self, arrival: Arrival, session: Session) -> None:
        try:
            arrival.call(session)
        except Exception as stumbled:  # a scenario is anybody's code; one arrival must not end the load
            if not session.failed:  # else it stumbled over an answer whose failure is in its row already
                log.exception("scenario %s failed", arrival.name)
                self.environment.events.user_error.fire(user_instance=self, exception=stumbled, tb=stumbled.__traceback__)


class Mix:
    """Draws arrivals by weight."""

    def __init__(self, arrivals: Sequence[Arrival], rng: np.random.Generator) -> None:
        self.arrivals = [arrival for arrival in arrivals if arrival.weight > 0]
        self._bounds = list(itertools.accumulate(arrival.weight for arrival in self.arrivals))
        self._rng = rng

    def draw(self) -> Arrival:
        return self.arrivals[int(np.searchsorted(self._bounds, self._rng.random() * self._bounds[-1], side="right"))]


def listen(hook: Any, listener: Callable[..., None]) -> None:
    """Have Locust call `listener` at an event."""
    hook.add_listener(listener)


def _add_options(parser: Any) -> None:
    group = parser.add_argument_group("sizeup")
    group.add_argument("--sizeup-run", metavar="DIR", default="", help="record every request in this run folder; else nothing is")
    group.add_argument("--sizeup-extra-cpu", metavar="SECONDS", type=float, default=0.0, help="CPU to burn here after each request")


def refuse(wrong: SizeupError) -> None:
    """End this process as for any wrong question: its sentence, exit 2."""
    print(wrong, file=sys.stderr)
    sys.exit(2)


def _start(environment: Any, runner: Any, **_: Any) -> None:
    if isinstance(runner, WorkerRunner):
        return
    try:
        for kind in environment.user_classes:
            if issubclass(kind, OpenLoopUser):
                _check(kind, environment.host)
        if environment.parsed_options.sizeup_run:
            record_run(environment, Path(environment.parsed_options.sizeup_run))
    except SizeupError as wrong:
        refuse(wrong)


def _check(kind: type[OpenLoopUser], host: str | None) -> None:
    if not (host or kind.host or "").startswith(("http://", "https://")):
        raise SizeupError(f"{kind.__name__}: no host to load; give one with --host http://NAME, or set `host` in the class.")
    if kind.rate <= 0 or kind.arrivals not in ("poisson", "constant"):
        raise SizeupError(f'{kind.__name__}: rate must be above 0 and arrivals "poisson" or "constant"; mend the class.')


listen(events.init_command_line_parser, _add_options)
listen(events.init, _start)
