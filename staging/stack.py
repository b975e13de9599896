"""A stack as a whole: account and load balancer, and the service behind it; started, deployed to, stopped; a killed one's rest ended."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from evidence import SizeupError, process_mark, write_json
from staging.balancer import BalancerControl
from staging.embedded.account import Account, Clients, build_account, record_deployment, rules
from staging.facts import HOSTS, TARGET_GROUPS, Deployment, StackInfo, StackOptions, boot_id, info_facts, read_facts, stack_file
from staging.ground import Balancer, Ground, Service, other_color
from staging.processes import Child, end_marked, lives
from staging.publisher import MetricPublisher
from staging.remote import Door, deployment_facts
from staging.settings_file import settings_toml
from staging.trees import write_trees

_PACKAGE = "staging.embedded"
_HEALTH_CHECK = {"path": "/health", "interval_s": 1.0, "timeout_s": 5.0, "passes": 2, "failures": 2}
_IDLE_S = 60.0
# The load balancer first, so that what is under way still finds its targets; data after those that ask for it.
_END_ORDER = ("proxy", "frontend", "nginx", "api", "agent", "redis", "postgres", "moto", "guard")


def clear_leftovers(home: Path) -> list[str]:
    """End what a killed owner left in `home`: only processes whose id and start are those of stack.json. Return what was done.

    Raises
    ------
    SizeupError
        Where the owner still lives: its stack isn't left over.
    """
    facts = read_facts(home)
    owner = facts.get("owner")
    if owner and lives(owner):
        raise SizeupError(f"{home}: process {owner['pid']} serves a stack from there; stop it with sizeup demo --stop.")
    since_boot = facts.get("boot", boot_id()) == boot_id()
    left = [each for each in facts.get("processes", ()) if since_boot and end_marked(each)]
    for name in ("stack.json", "trees.json", ".key"):
        (home / name).unlink(missing_ok=True)
    return [f"ended {each['name']} (process {each['pid']}), left by a stack that was killed" for each in left]


def start_stack(home: Path, options: StackOptions | None = None, say: Callable[[str], None] = lambda _: None) -> Stack:
    """Start the stack and return when its health checks pass.

    Writes stack.json, trees.json, sizeup.toml, the load balancer's access.log and the processes' logs into `home`.

    Raises
    ------
    SizeupError
        Where a port is in use, `home` can't be written, a stack is served from there already, or a process didn't start.
    """
    _prepare(home, say)
    stack = Stack(home, options or StackOptions(), say)
    try:
        stack._start()
    except BaseException:
        stack.stop()
        raise
    return stack


def _prepare(home: Path, say: Callable[[str], None]) -> None:
    try:
        (home / "logs").mkdir(parents=True, exist_ok=True)
        for sentence in clear_leftovers(home):
            say(sentence)
        (home / "access.log").write_bytes(b"")
    except OSError as refused:
        raise SizeupError(f"{home}: can't be written ({refused.strerror}); mend its permissions or name another with --results.") from None


class Stack:
    """A running stack and its owner's hand on it; ends with its `with` block, or with `stop`."""

    def __init__(self, home: Path, options: StackOptions, say: Callable[[str], None]) -> None:
        self.home, self.options, self._say = home, options, say
        self._ground = Ground(home, options, say, self._say_so)
        self._service = _service(self._ground)
        self._door: Door | None = None
        self._publisher: MetricPublisher | None = None
        self._deploying, self._stopping, self._ended = threading.Lock(), threading.Lock(), threading.Event()
        self._facts: dict[str, Any] = {"owner": process_mark(os.getpid()), "boot": boot_id()}
        self._say_so()

    @property
    def info(self) -> StackInfo:
        """Where the stack stands now; pids change at a deployment."""
        hosts = {name: [root.child.pid for root in roots] for name, roots in self._service.trees().items()}
        pids = {"proxy": self._proxy.pid, "moto": self._cloud.pid, **hosts}
        return StackInfo(
            alb_url=f"http://127.0.0.1:{self._proxy.facts['port']}", hosts=dict(HOSTS), aws_endpoint_url=self._clients.endpoint_url,
            access_log=self.home / "access.log", trees=self.home / "trees.json", load_balancer=self._account.load_balancer,
            target_groups=dict(TARGET_GROUPS), region=self.options.region, pids=pids,
        )  # fmt: skip

    def deploy(self) -> Deployment:
        """Swap the API's colour: start the other one, shift traffic when it is healthy, drain and end the old one.

        Raises
        ------
        SizeupError
            Where the new process doesn't get healthy; the old one serves on.
        """
        with self._deploying:
            started_at, from_color = datetime.now(UTC), self._service.color
            to_color = other_color(from_color)
            record_deployment(self._clients, to_color)
            self._service.deploy(self._balancer)
            return Deployment(started_at, datetime.now(UTC), from_color, to_color)

    def publish_metrics(self) -> None:
        """Bring CloudWatch up to date at once, for a run that is shorter than the publishing's beat."""
        if self._publisher is not None:
            self._publisher.publish()

    def stop(self) -> None:
        """End every process; safe to be called again."""
        with self._stopping:
            if self._ended.is_set():
                return
            self._ground.closing = True
            if self._publisher is not None:
                self._publisher.stop()
            for child in sorted(self._ground.children, key=lambda each: _END_ORDER.index(each.name.partition("-")[0])):
                child.end()
            if self._door is not None:
                self._door.close()
            for name in ("stack.json", "trees.json"):
                (self.home / name).unlink(missing_ok=True)
            self._ended.set()

    def serve_until_interrupted(self) -> None:
        """Wait until ^C, or until somebody else asked for the stop; the stack is stopped then."""
        try:
            while not self._ended.wait(3600):
                pass
        except KeyboardInterrupt:
            self._say("stopping the stack")
        self.stop()

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _start(self) -> None:
        self._say("starting the stack: account, API, load balancer, frontend")
        cloud = self._ground.spawn("moto", f"{_PACKAGE}.cloud", {})
        self._service.begin()
        self._cloud = cloud.wait_ready()
        self._clients = Clients(f"http://127.0.0.1:{self._cloud.facts['port']}", self.options.region)
        self._account = build_account(self._clients, self.options.present)
        self._proxy = self._start_proxy(self._account)
        self._balancer = Balancer(BalancerControl(self._proxy.facts["control_port"]), self._proxy.facts["port"])
        self._service.join(self._balancer)
        every_s, name = self.options.metrics_every_s, self._account.load_balancer
        self._publisher = MetricPublisher(self._balancer.control, self._clients, name, every_s)
        self._door = Door(self.home, {"deploy": lambda: deployment_facts(self.deploy()), "stop": self._stop_asked})
        (self.home / "sizeup.toml").write_text(settings_toml(self.info, self.options.stack))
        self._say_so()
        self._say(f"the stack serves at {self.info.alb_url} as {', '.join(HOSTS.values())}")

    def _start_proxy(self, account: Account) -> Child:
        proxy = self._ground.spawn("proxy", f"{_PACKAGE}.proxy", {
            "elb": account.load_balancer, "target_groups": dict(account.target_groups), "rules": list(rules()), "port": self.options.port,
            "access_log": str(self.home / "access.log"), "health_check": _HEALTH_CHECK, "idle_s": _IDLE_S,
        }).wait_ready()  # fmt: skip
        if "error" in proxy.facts:
            raise SizeupError(f"port {self.options.port}: can't be listened on ({proxy.facts['error']}); name a free one, or 0 for any.")
        return proxy

    def _say_so(self) -> None:
        """Replace stack.json and trees.json, so that a kill at any moment leaves the names of what runs."""
        facts = {**self._facts, "processes": [child.record for child in self._ground.children]}
        if self._door is not None:
            ports = {"door_port": self._door.port, "control_port": self._balancer.control.port}
            facts |= {**info_facts(self.info), **ports, "options": asdict(self.options)}
        write_trees(self.home / "trees.json", self._service.trees())
        write_json(stack_file(self.home), facts)  # last: who waits for it finds the rest

    def _stop_asked(self) -> Mapping[str, Any]:
        # Answered before it is done, by a thread that the process waits for: the answer must get out of a door that closes.
        threading.Thread(target=self.stop, name="stop").start()
        return {}


def _service(ground: Ground) -> Service:
    """Return what stands behind the load balancer; each stack's own programs are imported only where they are run."""
    if ground.options.stack == "moco":
        from staging.moco.service import MocoService

        return MocoService(ground)
    from staging.embedded.service import EmbeddedService

    return EmbeddedService(ground)
