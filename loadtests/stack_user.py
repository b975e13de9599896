"""The user behind `locustfile.py`: the scenarios of `loadtests/scenarios/`, a plan where one is given, tokens and their renewal."""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gevent
import gevent.lock
from locust.runners import MasterRunner, WorkerRunner

from evidence import SizeupError
from loadtests.arrivals import stream
from loadtests.auth import Token, TokenSource, renew, renew_in_s, sign_in, token_sources
from loadtests.mix import Ctx, Scenario, learn_boards, scenario_mix, scenarios
from loadtests.plan import Plan, read_plan
from loadtests.plan_run import play_plan
from loadtests.session import Session
from loadtests.user import Mix, OpenLoopUser

log = logging.getLogger("sizeup.load")

PLAN_DONE = "sizeup_plan_done"
"""The message by which a worker tells Locust's master that its share of the plan is over."""
_UNTIL_STOPPED_S = 1e6
_CHOICE = 1
"""The stream that chooses scenarios; a plan's arrival times come from stream 0 of the same seed."""


class Bound:
    """A scenario bound to what its process shares, as an arrival."""

    def __init__(self, name: str, scenario: Scenario, ctx: Ctx) -> None:
        self.name, self.weight, self.host_class = name, scenario.weight or 1.0, str(scenario.host_class)
        self._run, self._ctx = scenario.run, ctx

    def call(self, session: Session) -> None:
        self._run(session, self._ctx)


class Shared:
    """What all stack users of one process share: the plan, the visitors' context, and the tokens while they last."""

    def __init__(self, options: Any, worker: int) -> None:
        self.plan: Plan | None = read_plan(Path(options.sizeup_plan)) if options.sizeup_plan else None
        seed = self.plan.seed if self.plan else 0
        self.ctx = Ctx(random.Random(f"{seed}/{worker}"))  # noqa: S311 - chooses pages, guards nothing
        named = options.sizeup_scenario or (self.plan.scenario if self.plan else None)
        self.mix = scenario_mix(self.plan.simple if self.plan else (), named)
        self._once = gevent.lock.RLock()
        self._prepared = False

    def prepare(self, session: Session) -> None:
        """Look around and log in, once a process, before its first arrival."""
        with self._once:
            if self._prepared:
                return
            self._prepared = True
            if scenarios().keys() & self.mix.keys() and not learn_boards(session, self.ctx):
                self._leave_out_api()
            needed = {item.auth or "token" for item in self.mix.values() if item.auth or item.needs_account}
            for name, source in token_sources(self.plan.auth if self.plan else {}, os.environ).items():
                if name in needed:
                    self._get_token(session, name, source)

    def arrivals(self) -> list[Bound]:
        """Return the scenarios that have what they need."""
        return [Bound(name, item, self.ctx) for name, item in self.mix.items() if self.ctx.serves(item)]

    def _leave_out_api(self) -> None:
        left = {name: item for name, item in self.mix.items() if item.host_class != "api" or name not in scenarios()}
        if left and len(left) < len(self.mix):
            log.warning("no API answers GET /boards; going on with %s. Name its host with --hosts api=NAME.", ", ".join(sorted(left)))
            self.mix = left

    def _get_token(self, session: Session, name: str, source: TokenSource) -> None:
        token = sign_in(session, source)
        if token is None:
            left_out = sorted(key for key, item in self.mix.items() if item.auth == name or item.needs_account)
            log.warning('no token "%s" could be got; going on without %s. Name a login in [auth.%s].', name, ", ".join(left_out), name)
            return
        self.ctx.tokens[name] = token.access
        if name == "token":
            self.ctx.account = source.body
        gevent.spawn(self._keep, session, name, source, token)

    def _keep(self, session: Session, name: str, source: TokenSource, token: Token) -> None:
        while (pause_s := renew_in_s(token, time.time())) is not None:
            gevent.sleep(pause_s)
            renewed = renew(session, source, token)
            if renewed is not None:
                token = renewed
                self.ctx.tokens[name] = token.access


class StackUser(OpenLoopUser):
    """One arrival a second of the mix; with `--sizeup-plan` the plan's rates, played by the first user of each process."""

    abstract = True
    rate = 1.0
    connections = 16
    _shared: Shared | None = None

    def __init__(self, environment: Any) -> None:
        self.hosts = parse_hosts(environment.parsed_options.hosts)
        super().__init__(environment)

    def on_start(self) -> None:
        kind = type(self)
        if kind._shared is None:
            kind._shared = Shared(self.environment.parsed_options, self.engine.worker)
        self.shared = kind._shared
        if self.shared.plan:
            self.random = stream(self.shared.plan.seed, self.engine.worker, _CHOICE)
        self.shared.prepare(Session(self.engine, self.site, "api", "on_start"))

    def scenarios(self) -> Sequence[Bound]:
        return self.shared.arrivals()

    def play(self, mix: Mix) -> None:
        if self.shared.plan is None:
            super().play(mix)
        elif self.number == 0:
            play_plan(self, self.shared.plan, mix)
            say_done(self.environment.runner)
        gevent.sleep(_UNTIL_STOPPED_S)


def parse_hosts(text: str) -> dict[str, str]:
    """Read `frontend=example.run,api=api.example.run`.

    Raises
    ------
    SizeupError
        Where a part isn't CLASS=NAME.
    """
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if wrong := [name for name, _, host in pairs if name.strip() not in ("frontend", "api") or not host.strip()]:
        raise SizeupError(f'--hosts: "{wrong[0]}" is no class with a name; write frontend=NAME,api=NAME.')
    return {name.strip(): host.strip() for name, _, host in pairs}


def say_done(runner: Any) -> None:
    """End the load: this process's own, or by a word to the master, which ends it when all its workers are done."""
    if isinstance(runner, WorkerRunner):
        runner.send_message(PLAN_DONE)
    else:
        gevent.spawn(runner.quit)


def quit_when_all_done(runner: MasterRunner) -> None:
    """Have Locust's master quit when every worker has said that its share of the plan is over."""
    done: set[str] = set()

    def one_done(environment: Any, msg: Any, **_: Any) -> None:
        done.add(msg.node_id)
        if len(done) >= environment.parsed_options.expect_workers:
            gevent.spawn(runner.quit)

    runner.register_message(PLAN_DONE, one_done)
