"""kill -9 of the real stack's owner at any moment: nothing of its own is left, nothing of others is touched."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from moco_client import alive, family, until

from staging import Stack, clear_leftovers
from staging.facts import read_facts
from staging.moco.data import data_folder
from staging.moco.tools import program

OWNER = """
import sys
from pathlib import Path
from staging import StackOptions, start_stack
stack = start_stack(Path(sys.argv[1]), StackOptions(stack="moco"))
while True:
    stack.deploy()
"""
SEEDS = [int(seed) for seed in os.environ.get("SIZEUP_MOCO_KILL_SEEDS", "1,2,3").split(",")]


@pytest.fixture
def strangers(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A Redis of somebody else's, and a program that only looks like one of ours."""
    redis = [program("redis-server"), "--port", "0", "--unixsocket", str(tmp_path / "redis.sock"), "--save", ""]
    others = [subprocess.Popen(each, stdout=subprocess.DEVNULL, start_new_session=True) for each in (redis, ["sleep", "600"])]
    yield others
    for other in others:
        other.kill()
        other.wait()


@pytest.fixture(autouse=True)
def no_folder_left(tmp_path: Path) -> Iterator[None]:
    """The next start from the same home clears what the killed one kept beside it; here there is none."""
    yield
    shutil.rmtree(data_folder(tmp_path / "demo"), ignore_errors=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_owner_leaves_none_of_its_own_and_ends_no_other(stack: Stack, strangers, tmp_path: Path, seed: int):
    """Fixed seeds choose the moment, from the first process to a deployment under way; the session's own stack stands beside."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path / "demo")])
    time.sleep(random.Random(seed).uniform(0.3, 30))
    ours = family(owner.pid)
    beside = {child.pid for child in stack._ground.children}

    owner.send_signal(signal.SIGKILL)
    owner.wait()

    clear_leftovers(tmp_path / "demo")
    until(lambda: not [pid for pid, born in ours.items() if alive(pid, born)], 20)
    assert read_facts(tmp_path / "demo") == {}
    assert all(other.poll() is None for other in strangers)
    assert beside == {child.pid for child in stack._ground.children if child.process.poll() is None}


def test_a_killed_owner_and_a_killed_guard_are_cleaned_up_by_the_next_start(tmp_path: Path):
    """The guard is the first line; marks in stack.json are the second."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path / "demo")])
    until(lambda: "alb_url" in read_facts(tmp_path / "demo"), 90)
    ours = family(owner.pid)
    (guard,) = [each for each in read_facts(tmp_path / "demo")["processes"] if each["name"] == "guard"]
    os.kill(guard["pid"], signal.SIGKILL)
    owner.send_signal(signal.SIGKILL)
    owner.wait()

    said = clear_leftovers(tmp_path / "demo")

    assert {"postgres", "redis", "nginx", "agent", "frontend"} <= {sentence.split()[1] for sentence in said}
    until(lambda: not [pid for pid, born in ours.items() if alive(pid, born)], 20)


def test_a_stack_that_is_stopped_leaves_no_process_and_no_folder(tmp_path: Path):
    from staging import StackOptions, start_stack

    with start_stack(tmp_path / "demo", StackOptions(stack="moco")) as running:
        ours, folder = family(os.getpid()), data_folder(tmp_path / "demo")
        started = [child.mark["pid"] for child in running._ground.children]
        assert folder.exists()

    assert not [pid for pid in started if pid in ours and alive(pid, ours[pid])]
    assert not folder.exists()
