"""The embedded service: one process an API colour, one for the frontend, the boards in a SQLite file."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from evidence import SizeupError
from staging.embedded import board
from staging.facts import DEMO_EMAIL, DEMO_PASSWORD, HOSTS, TARGET_GROUPS
from staging.ground import COLORS, Balancer, Ground, other_color
from staging.processes import Child
from staging.trees import Root

_PACKAGE = "staging.embedded"


class EmbeddedService:
    """The load balancer's targets are the API's processes themselves, so a deployment is a change of targets."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._secret = ground, secrets.token_hex(32)
        self._api: list[Root] = []
        self._frontend: list[Root] = []

    @property
    def color(self) -> str:
        return str(self._api[0].color)

    def begin(self) -> None:
        board.create(self._database, self._ground.options.seed, DEMO_EMAIL, DEMO_PASSWORD)
        self._start_api(COLORS[0])

    def join(self, balancer: Balancer) -> None:
        api = self._api[0].child.wait_ready()
        balancer.control.register(TARGET_GROUPS["api"], api.address)
        settings = {"balancer_host": "127.0.0.1", "balancer_port": balancer.port, "api_host": HOSTS["api"]}
        frontend = self._ground.spawn("frontend", f"{_PACKAGE}.frontend", settings).wait_ready()
        self._frontend.append(Root(frontend, "frontend"))
        self._ground.changed()
        balancer.control.register(TARGET_GROUPS["frontend"], frontend.address)
        for kind, child in (("api", api), ("frontend", frontend)):
            balancer.control.wait_healthy(TARGET_GROUPS[kind], child.address)

    def deploy(self, balancer: Balancer) -> None:
        old = self._api[0].child
        self._add_api(balancer, other_color(self.color))
        balancer.control.deregister(TARGET_GROUPS["api"], old.address)
        balancer.control.wait_drained(TARGET_GROUPS["api"], old.address)
        time.sleep(self._ground.options.overlap_s)
        self._drop_api(old)

    def trees(self) -> Mapping[str, Sequence[Root]]:
        return {"frontend": self._frontend, "api": self._api}

    @property
    def _database(self) -> Path:
        return self._ground.home / "board.sqlite"

    def _start_api(self, color: str) -> Child:
        options = self._ground.options
        settings = {
            "memory_bytes": options.api_memory_bytes, "cpu_s": options.api_cpu_s, "database": str(self._database), "secret": self._secret,
        }  # fmt: skip
        child = self._ground.spawn(f"api-{color}", f"{_PACKAGE}.api", settings, f"--color={color}")
        self._api.append(Root(child, "api", color))
        self._ground.changed()
        return child

    def _add_api(self, balancer: Balancer, color: str) -> None:
        child = self._start_api(color)
        try:
            balancer.control.register(TARGET_GROUPS["api"], child.wait_ready().address)
            balancer.control.wait_healthy(TARGET_GROUPS["api"], child.address)
        except SizeupError:
            if child.facts:
                balancer.control.deregister(TARGET_GROUPS["api"], child.address)
            self._drop_api(child)
            raise

    def _drop_api(self, child: Child) -> None:
        self._api = [root for root in self._api if root.child is not child]
        self._ground.end(child)
