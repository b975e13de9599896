"""Target groups: which targets there are, which of them are healthy, whose turn it is, and who still drains."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from staging.embedded.http_client import Address, BrokenResponseError, ConnectFailedError, Pool

Health = Literal["initial", "healthy", "unhealthy", "draining"]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a target's health is told: GET `path` each `interval_s`, `passes` or `failures` in a row change the verdict."""

    path: str = "/health"
    interval_s: float = 1.0
    timeout_s: float = 5.0
    passes: int = 2
    failures: int = 2


@dataclass(slots=True)
class Target:
    """One process behind the load balancer; `streak` counts equal health checks in a row, negative for failed ones."""

    address: Address
    health: Health = "initial"
    in_flight: int = 0
    streak: int = 0

    def checked(self, passed: bool, check: HealthCheck) -> None:
        """Take in one health check's outcome."""
        self.streak = (max(self.streak, 0) + 1) if passed else (min(self.streak, 0) - 1)
        if self.health == "draining":
            return
        if self.streak >= check.passes:
            self.health = "healthy"
        elif self.streak <= -check.failures:
            self.health = "unhealthy"


@dataclass(slots=True)
class TargetGroup:
    """Targets that can serve the same requests, taken in turn."""

    name: str
    arn: str
    targets: dict[Address, Target] = field(default_factory=dict)
    _turn: int = 0

    @property
    def dimension(self) -> str:
        """Its name as CloudWatch and the log's readers know it: `targetgroup/moco-api/73e2d6bc24d8a067`."""
        return self.arn.rpartition(":")[2]

    def choose(self) -> Target | None:
        """Return whose turn it is, None where nobody can serve.

        As with AWS, where every registered target is unhealthy all of them are tried ("fail open").
        """
        for health in ("healthy", "unhealthy"):
            able = [target for target in self.targets.values() if target.health == health]
            if able:
                self._turn += 1
                return able[self._turn % len(able)]
        return None

    def register(self, address: Address) -> Target:
        """Add a target, or take back one that drains."""
        target = self.targets.setdefault(address, Target(address))
        if target.health == "draining":
            target.health, target.streak = "initial", 0
        return target

    def deregister(self, address: Address) -> None:
        """Send no more requests to a target; what is under way finishes."""
        if address in self.targets:
            self.targets[address].health = "draining"

    def forget_drained(self) -> list[Address]:
        """Drop draining targets that have nothing under way; return them."""
        gone = [address for address, target in self.targets.items() if target.health == "draining" and not target.in_flight]
        for address in gone:
            del self.targets[address]
        return gone

    def describe(self) -> list[Mapping[str, Any]]:
        """Return each target's address, health and requests under way."""
        return [
            {"host": target.address[0], "port": target.address[1], "health": target.health, "in_flight": target.in_flight}
            for target in self.targets.values()
        ]


async def watch_health(group: TargetGroup, pool: Pool, check: HealthCheck) -> None:
    """Check a group's targets for ever; new ones more often, so that a deployment need not wait for a slow beat."""
    while True:
        targets = [target for target in group.targets.values() if target.health != "draining"]
        outcomes = await asyncio.gather(*(_passes(target.address, pool, check) for target in targets))
        for target, passed in zip(targets, outcomes, strict=True):
            target.checked(passed, check)
        for address in group.forget_drained():
            pool.forget(address)
        starting = not targets or any(target.health == "initial" for target in targets)
        await asyncio.sleep(min(0.1, check.interval_s) if starting else check.interval_s)


async def _passes(address: Address, pool: Pool, check: HealthCheck) -> bool:
    headers = [(b"Host", b"%s:%d" % (address[0].encode(), address[1])), (b"User-Agent", b"ELB-HealthChecker/2.0")]
    try:
        response = await pool.request(address, b"GET", check.path.encode(), headers, timeout_s=check.timeout_s)
    except (ConnectFailedError, BrokenResponseError, TimeoutError):
        return False
    return response.status == 200
