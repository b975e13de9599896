"""What a stack's service stands on: its folder, its options, its processes; and what a service is to the stack around it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from evidence import SizeupError
from staging.balancer import BalancerControl
from staging.facts import StackOptions
from staging.processes import Child, open_gate, spawn, spawn_program
from staging.trees import Root

COLORS = ("blue", "green")


def other_color(color: str) -> str:
    """Return the colour that a deployment goes to."""
    return COLORS[color == COLORS[0]]


@dataclass(frozen=True, slots=True)
class Balancer:
    """The load balancer before a service: its owner's hand on it, and the port at which it listens."""

    control: BalancerControl
    port: int


class Service(Protocol):
    """The two host classes behind the load balancer, and the data that they share."""

    @property
    def color(self) -> str:
        """The API's colour that serves."""

    def begin(self) -> None:
        """Start what needs no load balancer, the API's first colour at least; need not wait for it."""

    def join(self, balancer: Balancer) -> None:
        """Start the rest, and return when every target's health checks pass."""

    def deploy(self, balancer: Balancer) -> None:
        """Swap the API's colour; the old one serves on where the new one doesn't get healthy (SizeupError)."""

    def trees(self) -> Mapping[str, Sequence[Root]]:
        """Host class -> the processes that are the host, with their groups and colours."""


class Ground:
    """A stack's processes, in the order of their start; `changed` is called whenever there is another one, or one less."""

    def __init__(self, home: Path, options: StackOptions, say: Callable[[str], None], changed: Callable[[], None]) -> None:
        self.home, self.options, self.say, self.changed = home, options, say, changed
        self.children: list[Child] = []
        self.closing = False

    def spawn(self, name: str, module: str, settings: Mapping[str, Any], *arguments: str) -> Child:
        """Start `python -m module`; it reports by itself when it is ready."""
        self._check_open()
        return self._take(spawn(name, module, settings, self.log(name), *arguments))

    def launch(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None, user: str | None = None,
        ends_by: signal.Signals = signal.SIGTERM, folder: Path | None = None,
    ) -> Child:  # fmt: skip
        """Start a program that isn't ours, its mark in stack.json before it begins."""
        self._check_open()
        child = self._take(spawn_program(name, command, self.log(name), env=env, user=user, ends_by=ends_by, folder=folder))
        open_gate(child)
        return child

    def end(self, child: Child) -> None:
        """End one process and forget it."""
        child.end()
        self.children.remove(child)
        self.changed()

    def log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _check_open(self) -> None:
        if self.closing:
            raise SizeupError("the stack is being stopped; start it again.")

    def _take(self, child: Child) -> Child:
        self.children.append(child)
        self.changed()
        return child
