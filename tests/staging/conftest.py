"""What the stack's tests share: one running stack a session, one bare load balancer a test, targets that misbehave."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stack_client import ELB, GROUP_ARN, Front, Script, ScriptedTarget

from staging import Stack, StackOptions, start_stack
from staging.balancer import BalancerControl
from staging.processes import spawn


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A light stack for every test that changes nothing that another one needs."""
    options = StackOptions(api_memory_bytes=16 * 2**20, api_cpu_s=0.001, overlap_s=0.5, present={"frontend": "t2.micro", "api": "t3.small"})
    with start_stack(tmp_path_factory.mktemp("stack"), options) as running:
        yield running


@pytest.fixture(scope="session")
def front(stack: Stack) -> Front:
    facts = json.loads((stack.home / "stack.json").read_bytes())
    return Front(int(stack.info.alb_url.rpartition(":")[2]), stack.info.access_log, BalancerControl(facts["control_port"]))


@pytest.fixture
def make_target() -> Iterator[Callable[[], ScriptedTarget]]:
    servers: list[socketserver.ThreadingTCPServer] = []

    def make() -> ScriptedTarget:
        target = ScriptedTarget()
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Script)
        server.daemon_threads, server.block_on_close = True, False
        server.target = target  # type: ignore[attr-defined]
        target.address = server.server_address  # type: ignore[assignment]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return target

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Front]:
    """A load balancer alone, impatient (0.8 s), with one target group and nobody in it."""
    settings = {
        "elb": ELB, "target_groups": {"moco-api": GROUP_ARN}, "port": 0, "access_log": str(tmp_path / "access.log"), "idle_s": 0.8,
        "rules": [{"priority": 10, "target_group": "moco-api", "hosts": ["api.example.run"]}, {"priority": 0, "target_group": "moco-api"}],
        "health_check": {"interval_s": 0.1, "timeout_s": 1.0},
    }  # fmt: skip
    proxy = spawn("proxy", "staging.embedded.proxy", settings, tmp_path / "proxy.log").wait_ready()
    yield Front(proxy.address[1], tmp_path / "access.log", BalancerControl(proxy.facts["control_port"]))
    proxy.end()
    assert (tmp_path / "proxy.log").read_text() == ""


@pytest.fixture
def one_target(bare: Front, make_target: Callable[[], ScriptedTarget]) -> ScriptedTarget:
    target = make_target()
    bare.control.register("moco-api", target.address)
    bare.control.wait_healthy("moco-api", target.address)
    return target
