"""How a stack begins and ends: refused, stopped from elsewhere, killed; nothing of it is left, nothing of others is touched."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from stack_client import until

from evidence import SizeupError, process_mark, write_json
from staging import Stack, StackOptions, clear_leftovers, read_stack, request_deploy, start_stack, stop_served
from staging.facts import read_facts
from staging.processes import lives

OWNER = """
import sys
from pathlib import Path
from staging import StackOptions, start_stack
try:
    with start_stack(Path(sys.argv[1]), StackOptions(api_memory_bytes=2**20, api_cpu_s=0)) as stack:
        stack.serve_until_interrupted()
except KeyboardInterrupt:
    pass  # it came while the stack was starting: its facts are on disk a moment before it serves
"""
LIGHT = StackOptions(api_memory_bytes=2**20, api_cpu_s=0)


class Owner:
    """A process of its own that serves a stack; all that it starts is told by a variable of its environment."""

    def __init__(self, home: Path) -> None:
        self.home, self.mark = home, f"SIZEUP_TEST={uuid4().hex}"
        name, _, value = self.mark.partition("=")
        self.process = subprocess.Popen([sys.executable, "-c", OWNER, str(home)], env={**os.environ, name: value})

    def facts(self) -> dict[str, Any]:
        return read_facts(self.home)

    def started(self) -> list[dict[str, Any]]:
        """Return the marks of what stack.json says was started."""
        return list(self.facts().get("processes", ()))

    def family(self) -> list[int]:
        """Return the living processes that carry the mark."""
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._is_mine(entry)]

    def _is_mine(self, entry: Path) -> bool:
        try:
            return self.mark.encode() in (entry / "environ").read_bytes() and lives(process_mark(int(entry.name)))
        except OSError:
            return False


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    started = Owner(tmp_path / "demo")
    yield started
    started.process.kill()
    started.process.wait()


def test_a_port_in_use_is_one_sentence_and_leaves_nothing(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SizeupError, match=rf"port {port}: .*EADDRINUSE.*; name a free one"):
            start_stack(tmp_path, StackOptions(api_memory_bytes=0, port=port))

    assert not (tmp_path / "stack.json").exists()


def test_a_named_port_is_taken_and_free_again_afterwards(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    for _ in range(2):
        with start_stack(tmp_path, StackOptions(api_memory_bytes=0, port=port)) as stack:
            assert stack.info.alb_url == f"http://127.0.0.1:{port}"


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SizeupError, match="can't be written"):
        start_stack(tmp_path / "file" / "demo", LIGHT)


def test_a_second_stack_from_the_same_home_is_refused(stack: Stack):
    with pytest.raises(SizeupError, match="serves a stack from there"):
        start_stack(stack.home, LIGHT)


def test_asking_where_nothing_is_served_is_one_sentence(tmp_path: Path):
    with pytest.raises(SizeupError, match="no stack is served"):
        read_stack(tmp_path)
    with pytest.raises(SizeupError, match="no stack is served"):
        request_deploy(tmp_path)
    assert stop_served(tmp_path) is False


def test_another_process_can_stop_what_is_served(owner: Owner):
    until(lambda: "alb_url" in owner.facts(), 30)

    stopped = stop_served(owner.home)

    assert stopped is True
    assert owner.process.wait(10) == 0
    assert owner.family() == []
    assert owner.facts() == {}


def test_an_interrupt_ends_the_stack_in_order(owner: Owner):
    until(lambda: "alb_url" in owner.facts(), 30)

    owner.process.send_signal(signal.SIGINT)

    assert owner.process.wait(20) == 0
    assert owner.family() == []


@pytest.mark.parametrize("processes", [1, 3, 4, 5])
def test_a_killed_owner_leaves_no_process_and_the_next_start_is_free(owner: Owner, processes: int):
    """`processes` of the four have been started at the kill; 5 is a stack that serves."""
    until(lambda: "alb_url" in owner.facts() if processes == 5 else len(owner.started()) >= processes, 30)

    owner.process.kill()
    owner.process.wait()

    until(lambda: owner.family() == [] and not any(lives(mark) for mark in owner.started()), 5)
    with pytest.raises(SizeupError, match="no stack is served"):
        read_stack(owner.home)
    assert clear_leftovers(owner.home) == []
    assert owner.facts() == {}


def test_leftovers_are_ended_by_id_and_start_and_nothing_else_is(tmp_path: Path):
    left, stranger = (subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) for _ in range(2))
    try:
        dead = {"pid": 2**22 - 1, "start": 1}
        of_another = {**process_mark(stranger.pid), "start": 1}
        marks = [{"name": "api-blue", **process_mark(left.pid)}, {"name": "proxy", **of_another}, {"name": "moto", **dead}]
        write_json(tmp_path / "stack.json", {"owner": dead, "processes": marks})

        said = clear_leftovers(tmp_path)

        assert said == [f"ended api-blue (process {left.pid}), left by a stack that was killed"]
        assert left.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
        assert not (tmp_path / "stack.json").exists()
    finally:
        for process in (left, stranger):
            process.kill()
            process.wait()


def test_nothing_is_left_over_from_before_a_reboot(tmp_path: Path):
    """Ids and start ticks begin anew with each boot, so a mark from before may name a stranger."""
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        mark = {"name": "proxy", **process_mark(stranger.pid)}
        write_json(tmp_path / "stack.json", {"owner": {"pid": 2**22 - 1, "start": 1}, "boot": "another", "processes": [mark]})

        assert clear_leftovers(tmp_path) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_stopping_twice_is_stopping_once(tmp_path: Path):
    stack = start_stack(tmp_path, LIGHT)
    marks = [child.mark for child in stack._ground.children]

    stack.stop()
    stack.stop()

    assert not any(lives(mark) for mark in marks)


def test_importing_the_room_is_free():
    """CONTRIBUTING.md: no heavy module comes along."""
    code = "import sys, staging, staging.stack; print([m for m in ('boto3','moto','starlette','uvicorn','httptools') if m in sys.modules])"
    started = time.monotonic()

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"
    assert time.monotonic() - started < 10
