"""The sampler against real processes whose use is known."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from collectors import start_sampler
from collectors.sampler import Sampler
from collectors.snapshot import restart_events
from collectors.trees import Forest, TreesFile, parse_trees
from evidence import process_mark, read_frames, write_json

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups are sampled from /proc")

# Waits for a line, burns what the line says, forks a child that burns as much, and says what it used meanwhile.
BURNER = """
import os, sys, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
print("up", flush=True)
for line in sys.stdin:
    before = os.times()
    burn(float(line))
    child = os.fork()
    if child == 0:
        burn(float(line)); os._exit(0)
    os.waitpid(child, 0)
    after = os.times()
    print(sum(after[:4]) - sum(before[:4]), flush=True)
"""


@contextlib.contextmanager
def burner() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-S", "-c", BURNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def burn(process: subprocess.Popen[str], seconds: float) -> float:
    """Let it burn; return the CPU seconds that it and its child say they used."""
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def plant(path: Path, *roots: tuple[int, str, str | None], host: str = "api") -> Path:
    marks = [{**process_mark(pid), "group": group, "color": color} for pid, group, color in roots]
    write_json(path, {"hosts": [{"host": host, "class": host, "roots": marks}]})
    return path


def rows_of(spool: Path) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for _, columns in read_frames(spool) for row in zip(*columns.values(), strict=True)]


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_cpu_seconds_of_a_tree_are_those_that_it_used_its_ended_children_among_them(tmp_path):
    """times(2) of the burner itself, which counts in ticks of 10 ms: 40 ms is what four cut figures may be off by."""
    with burner() as process:
        sampler = Sampler(plant(tmp_path / "trees.json", (process.pid, "api", "blue")), beat_s=1.0)
        truth_s = burn(process, 0.3)

        (host,), (group,) = sampler.beat()

    assert host["cpu_user_s"] + host["cpu_system_s"] == pytest.approx(truth_s, abs=0.04)
    assert group["cpu_s"] == pytest.approx(host["cpu_user_s"] + host["cpu_system_s"])


def test_an_idle_tree_uses_nothing(tmp_path):
    """A process that waits for input spends no CPU."""
    with burner() as process:
        sampler = Sampler(plant(tmp_path / "trees.json", (process.pid, "api", None)), beat_s=1.0)

        (host,), _ = sampler.beat()

    assert host["cpu_user_s"] + host["cpu_system_s"] < 0.001


def test_what_a_root_used_before_it_was_sampled_does_not_count(tmp_path):
    """Only the interval's use belongs to the interval."""
    with burner() as process:
        burn(process, 0.1)
        sampler = Sampler(plant(tmp_path / "trees.json", (process.pid, "api", None)), beat_s=1.0)

        (host,), _ = sampler.beat()

    assert host["cpu_user_s"] + host["cpu_system_s"] < 0.02


def test_a_root_that_is_named_later_counts_from_then_on(tmp_path):
    """A deployment: green is added to the trees file while the sampler runs."""
    with burner() as blue, burner() as green:
        trees = plant(tmp_path / "trees.json", (blue.pid, "api", "blue"))
        burn(green, 0.1)
        sampler = Sampler(trees, beat_s=1.0)
        plant(trees, (blue.pid, "api", "blue"), (green.pid, "api", "green"))
        _, first = sampler.beat()
        truth_s = burn(green, 0.1)
        _, second = sampler.beat()

    assert {row["color"]: row["cpu_s"] < 0.02 for row in first} == {"blue": True, "green": True}
    assert next(row["cpu_s"] for row in second if row["color"] == "green") == pytest.approx(truth_s, abs=0.04)


def test_a_process_that_replaces_an_ended_one_is_a_restart(tmp_path):
    """New pids replacing ended ones of the same group and colour."""
    with burner() as first, burner() as second:
        trees = plant(tmp_path / "trees.json", (first.pid, "api", "blue"))
        sampler = Sampler(trees, beat_s=1.0)
        first.kill()
        first.wait()
        (gone,), none_left = sampler.beat()
        plant(trees, (second.pid, "api", "blue"))

        _, (row,) = sampler.beat()

    assert (gone["gap"], none_left) == (True, [])
    assert row["restarts"] == 1
    (event,) = restart_events([row])
    assert (event["kind"], event["subject"], event["at"], json.loads(event["detail"])["count"]) == ("restart", "api", row["at"], 1)


def test_one_of_many_workers_that_was_replaced_is_no_event():
    """A pool that renews its workers has not restarted."""
    worker = {"at": 0, "group": "worker", "color": None, "host": "api", "pids": 4, "restarts": 1}

    assert restart_events([worker]) == []


def test_a_child_belongs_to_its_root_after_the_root_ended(tmp_path):
    """Init takes it over, the host still runs it."""
    script = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=0)
print(child.pid, flush=True)
child.wait()
"""
    root = subprocess.Popen([sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child = int(root.stdout.readline())
    forest = Forest()
    forest.plant(parse_trees(json.loads(plant(tmp_path / "trees.json", (root.pid, "api", None)).read_text())))
    forest.refresh()

    root.kill()
    root.wait()
    forest.refresh()

    assert list(forest.members) == [child]
    root.communicate()
    until(lambda: not Path(f"/proc/{child}").exists())


def test_processes_that_come_and_go_all_the_time_are_counted_and_crash_nothing(tmp_path):
    """A root that forks 300 children, each gone within milliseconds; times(2) of the root, which waited for them all."""
    script = """
import os, sys
print("up", flush=True)
sys.stdin.readline()
for _ in range(300):
    child = os.fork()
    if child == 0:
        sum(range(50_000)); os._exit(0)
    os.waitpid(child, 0)
print(sum(os.times()[:4]), flush=True)
sys.stdin.readline()
"""
    root = subprocess.Popen([sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    root.stdout.readline()
    base_s = sum(psutil.Process(root.pid).cpu_times()[:4])
    sampler = Sampler(plant(tmp_path / "trees.json", (root.pid, "api", None)), beat_s=0.01)
    root.stdin.write("\n")
    root.stdin.flush()
    seen = [sampler.beat() for _ in range(50)]
    truth_s = float(root.stdout.readline()) - base_s

    seen.append(sampler.beat())

    root.communicate("\n")
    assert sum(row["cpu_user_s"] + row["cpu_system_s"] for hosts, _ in seen for row in hosts) == pytest.approx(truth_s, rel=0.1, abs=0.06)


def test_memory_threads_and_cpus_are_those_of_the_process(tmp_path):
    """The burner's own /proc files."""
    with burner() as process:
        sampler = Sampler(plant(tmp_path / "trees.json", (process.pid, "api", None)), beat_s=1.0)
        (host,), (row,) = sampler.beat()
        status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
        cpus = len(os.sched_getaffinity(process.pid))

    assert row["rss_bytes"] == pytest.approx(int(status["VmRSS"].split()[0]) * 1024, rel=0.05)
    assert row["rss_anon_bytes"] == int(status["RssAnon"].split()[0]) * 1024
    assert 0 < row["pss_bytes"] <= row["rss_bytes"] * 1.01
    assert (row["pids"], row["threads"], row["fds"], row["limit_bytes"], row.get("jvm_gc")) == (1, 1, 3, None, None)
    assert host["vcpus"] == cpus
    assert host["source"] == "process_group"
    assert not {"mem_total_bytes", "cpu_idle_s", "net_rx_bytes"} & host.keys()


def test_rows_are_on_disk_after_each_beat_and_a_term_signal_adds_the_last(tmp_path):
    """Every beat is flushed; a kill loses at most the beat that runs."""
    with burner() as process:
        sampler = start_sampler(plant(tmp_path / "trees.json", (process.pid, "api", "blue")), tmp_path / ".spool", beat_s=0.2)
        try:
            until(lambda: len(rows_of(tmp_path / ".spool" / "hosts.spool")) >= 3)
        finally:
            sampler.stop()
        sampler.stop()

    rows = rows_of(tmp_path / ".spool" / "hosts.spool")
    steps_s = [(after["at"] - before["at"]) / 1e6 for before, after in itertools.pairwise(rows)]
    assert steps_s == pytest.approx([row["interval_s"] for row in rows[1:]], abs=0.01)
    assert len(rows_of(tmp_path / ".spool" / "processes.spool")) == len(rows)
    assert rows_of(tmp_path / ".spool" / "events-sampler.spool") == []
    assert not Path(f"/proc/{sampler.pid}").exists()


def test_a_sampler_ends_when_its_parent_is_killed(tmp_path):
    """kill -9 of the owner runs no handler of its own."""
    owner = """
import sys, time
from pathlib import Path
from collectors import start_sampler
print(start_sampler(Path(sys.argv[1]), Path(sys.argv[2])).pid, flush=True)
time.sleep(60)
"""
    trees = plant(tmp_path / "trees.json", (os.getpid(), "api", None))
    parent = subprocess.Popen([sys.executable, "-c", owner, str(trees), str(tmp_path / ".spool")], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())

    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    until(lambda: not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text())


def test_a_missed_beat_is_a_gap(tmp_path):
    """The interval is longer than the beat by half or more."""
    with burner() as process:
        sampler = Sampler(plant(tmp_path / "trees.json", (process.pid, "api", None)), beat_s=0.05)
        time.sleep(0.2)

        (host,), _ = sampler.beat()

    assert host["gap"] is True


def test_the_last_trees_hold_while_the_file_cannot_be_read(tmp_path):
    """A file that vanished says nothing about the processes."""
    trees = plant(tmp_path / "trees.json", (os.getpid(), "api", None))
    file = TreesFile(trees)
    assert file.changed()

    trees.write_text("{")

    assert not file.changed()
    assert [tree.host for tree in file.hosts] == ["api"]


def test_a_pid_whose_start_differs_is_another_process(tmp_path):
    """Pids are used again; the start tick tells."""
    root = {"pid": os.getpid(), "start": 1, "group": "api", "color": None}
    forest = Forest()

    forest.plant(parse_trees({"hosts": [{"host": "api", "class": "api", "roots": [root]}]}))

    assert forest.members == {}
