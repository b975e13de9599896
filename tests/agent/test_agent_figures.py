"""The agent's figures against psutil's on the same instant: each is read by psutil before and after, and must lie between.

psutil cuts CPU time to a tick of 10 ms where the agent has ns, so a tick more is allowed there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from agent_process import record, start_agent, wait_for_beats

from collectors.agent import (
    GROUP_COLUMNS,
    HOST_COLUMNS,
    KNOWN,
    SLOW_BEATS,
    HostReader,
    ProcessTable,
    duration_s,
    ids_between,
    memory_limit,
    name_group,
    parse_options,
    read_rules,
)
from collectors.agent_spool import read_spool_rows
from collectors.machine import read_machine_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the agent reads /proc")

MARK = "sizeup-agent-test"
TICK_S = 0.01
WORK = """
import mmap, os, sys, threading, time
kept = bytearray(os.urandom(30 << 20))
shared = mmap.mmap(-1, 4 << 20)
shared.write(bytes(range(256)) * (4 << 12))
files = [open(os.devnull) for _ in range(7)]
for _ in range(3):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print("ready", flush=True)
while True:
    sum(range(20000))
    time.sleep(0.01)
"""
COUNTERS = [name for name, _, level in HOST_COLUMNS if not level and name not in ("interval_s", "agent_cpu_s", "gap")]
LEVELS = [name for name, _, level in HOST_COLUMNS if level and name != "vcpus"]


@pytest.fixture(scope="module")
def worker() -> Iterator[psutil.Process]:
    """A process that works, holds anonymous and shared memory, has threads and open files."""
    process = subprocess.Popen([sys.executable, "-c", WORK, MARK], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.2)
    yield psutil.Process(process.pid)
    process.kill()
    process.wait()


@pytest.fixture
def rules(tmp_path: Path) -> list:
    file = tmp_path / "groups.json"
    file.write_text(json.dumps({"class": "api", "groups": [{"name": "worker", "match": MARK}]}))
    host_class, found = read_rules(str(file))
    assert host_class == "api"
    return found


def between(low: float, value: float, high: float, slack: float = 0.0) -> bool:
    return min(low, high) - slack <= value <= max(low, high) + slack


def cpu_of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def test_a_processs_figures_are_psutils(worker, rules):
    """RSS, anonymous memory, PSS, threads and files as they are; CPU over an interval within two ticks."""
    table = ProcessTable(rules, True)
    table.read((), 1.0)
    cpu_before = cpu_of(worker)
    clock_before = time.clock_gettime((~worker.pid << 3) | 2)
    table.read((), 1.0)
    time.sleep(0.5)
    low, low_cpu = worker.memory_full_info(), cpu_of(worker)
    groups = table.read((), 1.0)
    high, high_cpu = worker.memory_full_info(), cpu_of(worker)

    row = dict(zip([name for name, _, _ in GROUP_COLUMNS], table.rows(groups)["worker", None], strict=True))
    slack = 256 << 10  # a page or two that the worker's allocator takes and gives back
    assert between(low.rss, row["rss_bytes"] * 1024, high.rss, slack)
    assert between(low.rss - low.shared, row["rss_anon_bytes"] * 1024, high.rss - high.shared, slack)
    assert between(low.pss, row["pss_bytes"] * 1024, high.pss, slack)
    assert (row["pids"], row["threads"], row["fds"]) == (1, worker.num_threads(), worker.num_fds())
    assert between(low_cpu - cpu_before, row["cpu_s"] / 1e6, high_cpu - cpu_before, 2 * TICK_S + (clock_before - cpu_before))
    assert (row["restarts"], row["jvm_gc"]) == (0, None)


def test_the_machines_counters_are_psutils():
    """CPU by mode, disk and network: what only grows lies between two readings of psutil."""
    reader = HostReader()

    low = machine_counters(reader)
    ours = dict(zip(COUNTERS, reader.counters(), strict=True))
    high = machine_counters(reader)

    for name, value in low.items():
        assert between(value, ours[name], high[name], TICK_S * 1e6 if name.startswith("cpu") else 0), name


def machine_counters(reader: HostReader) -> dict[str, float]:
    cpu = psutil.cpu_times()
    disks = {name: count for name, count in psutil.disk_io_counters(perdisk=True).items() if f" {name} ".encode() in reader._disks}
    wires = {name: count for name, count in psutil.net_io_counters(pernic=True).items() if f" {name}:".encode() in reader._wires}
    found = {
        "cpu_user_s": (cpu.user + cpu.nice) * 1e6, "cpu_system_s": (cpu.system + cpu.irq + cpu.softirq) * 1e6,
        "cpu_iowait_s": cpu.iowait * 1e6, "cpu_steal_s": cpu.steal * 1e6, "cpu_idle_s": cpu.idle * 1e6,
    }  # fmt: skip
    if disks:
        found["disk_read_bytes"] = sum(disk.read_bytes for disk in disks.values())
        found["disk_write_bytes"] = sum(disk.write_bytes for disk in disks.values())
    if wires:
        found["net_rx_bytes"] = sum(wire.bytes_recv for wire in wires.values())
        found["net_tx_bytes"] = sum(wire.bytes_sent for wire in wires.values())
    return found


def test_the_machines_memory_and_load_are_psutils():
    """Total and swap exactly, what moves within 32 MiB of either reading; the load to a hundredth."""
    reader = HostReader()

    low, swap = psutil.virtual_memory(), psutil.swap_memory()
    ours = dict(zip(LEVELS, reader.levels(), strict=True))
    high, load = psutil.virtual_memory(), psutil.getloadavg()[0]

    slack = 32 << 20
    assert ours["mem_total_bytes"] * 1024 == low.total
    assert between(low.available, ours["mem_available_bytes"] * 1024, high.available, slack)
    assert between(low.free, ours["mem_free_bytes"] * 1024, high.free, slack)
    assert ours["swap_used_bytes"] * 1024 == pytest.approx(swap.used, abs=1 << 20)
    assert ours["load_1m"] / 100 == pytest.approx(load, abs=0.5)


def test_the_cache_is_what_the_portable_reader_says():
    """collectors.machine reads the same file for look on this machine."""
    ours = dict(zip(LEVELS, HostReader().levels(), strict=True))
    portable = read_machine_memory()

    assert ours["mem_cached_bytes"] * 1024 == pytest.approx(portable.cached_bytes, abs=32 << 20)
    assert ours["cache_unmapped_bytes"] * 1024 == pytest.approx(portable.unmapped_cache_bytes, abs=32 << 20)
    assert ours["cache_active_bytes"] * 1024 == pytest.approx(portable.active_cache_bytes, abs=32 << 20)


def test_pressure_that_a_kernel_has_not_is_null(monkeypatch):
    """PSI is off in many kernels: none is not 0."""
    import collectors.agent as agent

    keep = agent._keep
    monkeypatch.setattr(agent, "_keep", lambda path: -1 if "pressure" in path else keep(path))

    counters = dict(zip(COUNTERS, HostReader().counters(), strict=True))

    assert [counters[name] for name in ("psi_cpu_some_s", "psi_mem_full_s", "psi_io_full_s")] == [None] * 3
    assert counters["cpu_user_s"] is not None


def test_pressure_is_the_kernels_total(tmp_path, monkeypatch):
    """Documentation/accounting/psi.rst: total is absolute stall time in us; the lines as a kernel with PSI writes them."""
    import collectors.agent as agent

    some, full = "some avg10=0.00 avg60=0.12 avg300=0.05 total={}\n", "full avg10=0.00 avg60=0.00 avg300=0.00 total={}\n"
    for name, stalled_us in (("cpu", 1_204_551), ("memory", 77), ("io", 9_000_000_012)):
        (tmp_path / name).write_text(some.format(stalled_us + 5 * (name != "cpu")) + full.format(stalled_us * (name != "cpu")))
    keep = agent._keep
    monkeypatch.setattr(agent, "_keep", lambda path: keep(path.replace("/proc/pressure", str(tmp_path))))

    counters = dict(zip(COUNTERS, HostReader().counters(), strict=True))

    assert [counters[name] for name in ("psi_cpu_some_s", "psi_mem_full_s", "psi_io_full_s")] == [1_204_551, 77, 9_000_000_012]


def test_children_that_come_and_go_within_a_beat_are_counted(tmp_path):
    """proc(5), cutime: what the ended used is their parent's, once it has waited for them. Ten children of 60 ms CPU each."""
    burn = "import time; end = time.process_time() + 0.06\nwhile time.process_time() < end: pass"
    child = f"subprocess.run([sys.executable, '-S', '-c', {burn!r}])"
    parent = f"import subprocess, sys, time; time.sleep(1.0)\nfor _ in range(10): {child}\nprint('done', flush=True); time.sleep(60)"
    (tmp_path / "groups.json").write_text('[{"name": "family", "match": "process_time"}]')
    process = subprocess.Popen([sys.executable, "-S", "-c", parent], stdout=subprocess.PIPE)
    agent = start_agent(tmp_path / "spool", "--beat", "250ms", "--no-pss", "--groups", str(tmp_path / "groups.json"))
    known = psutil.Process(process.pid)
    assert process.stdout is not None
    assert process.stdout.readline() == b"done\n"
    truth = known.cpu_times()
    time.sleep(0.6)
    agent.terminate()
    agent.wait(20)
    process.kill()
    process.wait()

    rows = [row for row in read_spool_rows(tmp_path / "spool").processes if row["group"] == "family"]

    used = sum(row["cpu_s"] for row in rows)
    assert used == pytest.approx(truth.user + truth.system + truth.children_user + truth.children_system, abs=0.1)


def test_processes_that_end_while_they_are_read_are_no_crash(tmp_path):
    """A storm of short processes at 20 beats a second."""
    storm = "i=0; while [ $i -lt 400 ]; do /bin/true & i=$((i+1)); done; wait"
    agent = start_agent(tmp_path, "--beat", "50ms")
    wait_for_beats(tmp_path, 2)

    subprocess.run(["sh", "-c", storm], check=True, timeout=60)
    agent.terminate()

    assert agent.wait(20) == 0


def test_a_restart_is_counted_and_told(tmp_path):
    """The one process of a group ends and another takes its place."""
    (tmp_path / "groups.json").write_text(json.dumps([{"name": "service", "match": "restart-test"}]))
    agent = start_agent(tmp_path / "spool", "--beat", "100ms", "--groups", str(tmp_path / "groups.json"))
    words = [sys.executable, "-S", "-c", "import time; time.sleep(60)", "restart-test"]
    wait_for_beats(tmp_path / "spool", 1)
    for _ in range(2):
        process = subprocess.Popen(words)
        time.sleep(0.4)
        process.kill()
        process.wait()
    agent.terminate()
    agent.wait(20)

    rows = read_spool_rows(tmp_path / "spool")

    assert sum(row["restarts"] for row in rows.processes if row["group"] == "service") == 1
    assert [event["subject"] for event in rows.events if event["kind"] == "restart" and event["subject"] == "service"] == ["service"]


def test_pss_pays_for_itself(worker, rules):
    """1 ms of reading buys 1 s of pause; between readings it is estimated from RssAnon and marked."""
    table = ProcessTable(rules, True)
    table.read((), 1.0)
    readings: list[float] = []
    reader = table._pss
    assert reader is not None
    measure = reader._measure
    reader._measure = lambda process: readings.append(measure(process)) or readings[-1]  # type: ignore[method-assign,func-returns-value]

    began = time.monotonic()
    groups = [table.read((), 0.1) for _ in range(20)]
    time.sleep(0.1)  # the worker works on, so what it holds now is an estimate
    groups.append(table.read((), 0.0))
    elapsed_s = time.monotonic() - began

    assert sum(readings[:-1]) * 1000 <= elapsed_s + 0.1
    assert groups[-1]["worker", None].estimated == 1
    pss = worker.memory_full_info().pss
    assert groups[-1]["worker", None].pss * 1024 == pytest.approx(pss, rel=0.02)


def test_without_pss_it_is_null(tmp_path):
    """--no-pss: unknown, not 0."""
    rows = record(tmp_path, 0.3, "--beat", "100ms", "--no-pss")

    assert {row["pss_bytes"] for row in rows.processes} == {None}
    assert {row["pss_estimated"] for row in rows.processes} == {False}


@pytest.mark.parametrize(
    ("program", "command", "cgroup", "named"),
    [
        ("java", "java -Xmx256m -jar /srv/moco.jar --server.port=8081", "", ("java moco.jar", "8081")),
        ("java", "java -Dserver.port=8082 -cp lib/* run.example.Main", "", ("java run.example.Main", "8082")),
        ("java", "java -jar moco.jar", "docker/" + "ab" * 32, ("java moco.jar", None)),
        ("node", "node server.js", "", ("node", None)),
        ("python3.11", "python3 app.py", "", ("python", None)),
        ("ruby", "codedeploy-agent: master 1234", "", ("codedeploy-agent", None)),
        ("app", "/app", "/docker/" + "0123456789ab" + "c" * 52, ("container 0123456789ab", None)),
        ("app", "/app", "/system.slice/docker-" + "0123456789ab" + "c" * 52 + ".scope", ("container 0123456789ab", None)),
        ("app", "/app", "/kubepods/pod1/cri-containerd-" + "0123456789ab" + "c" * 52 + ".scope", ("container 0123456789ab", None)),
        ("sshd", "sshd: /usr/sbin/sshd -D", "/system.slice/ssh.service", ("sshd", None)),
    ],
)  # fmt: skip
def test_groups_without_rules_go_by_what_a_process_is(program, command, cgroup, named):
    """docs/reference/settings.md: java by jar and colour, known programs, containers by cgroup, else by program."""
    assert name_group(program, command.split(), (), cgroup) == named
    assert {"java", "node"} <= KNOWN


def test_a_limit_is_the_least_up_the_tree(tmp_path, monkeypatch):
    """cgroup v2 memory.max and v1 memory.limit_in_bytes; `max`, or v1's largest number, is none."""
    import collectors.agent as agent

    files = {"/sys/fs/cgroup/a/b/memory.max": b"max\n", "/sys/fs/cgroup/a/memory.max": b"2048\n", "/sys/fs/cgroup/x/memory.max": b"max\n"}
    monkeypatch.setattr(agent, "_pread_once", lambda path: files.get(path, b""))

    assert memory_limit("/a/b") == 2048
    assert memory_limit("/x") is None


def test_ids_given_out_since_are_looked_at_and_many_are_all():
    """fs/proc/loadavg.c: the last id given out; ids are given out in turn and begin anew at the largest."""
    assert list(ids_between(10, 13)) == [11, 12, 13]
    assert len(ids_between(10, 10)) == 0
    assert len(ids_between(32000, 400)) > 300
    assert SLOW_BEATS == 15


@pytest.mark.parametrize("words", [[], ["--spool"], ["--spool", "x", "--colour", "1"], ["--beat", "1s"], ["spool"]])
def test_wrong_options_are_a_sentence(words):
    with pytest.raises(ValueError, match=r"unknown option|needs a value|is missing"):
        parse_options(words)


def test_options_and_durations_are_read():
    """docs/reference/run-folder.md: --spool DIR [--beat 1s] [--groups FILE.json] [--no-pss] [--seconds N]."""
    found = parse_options(["--spool=x", "--beat", "500ms", "--no-pss", "--seconds", "3"])

    assert found == {"--spool": "x", "--beat": "500ms", "--no-pss": "yes", "--seconds": "3"}
    assert [duration_s(text) for text in ("1", "1s", "500ms", "0.25s")] == [1.0, 1.0, 0.5, 0.25]


def test_a_wrong_rule_file_is_a_sentence_and_exit_code_two(tmp_path):
    (tmp_path / "groups.json").write_text('[{"name": "x", "match": "("}]')

    process = start_agent(tmp_path / "spool", "--groups", str(tmp_path / "groups.json"), stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 2
    assert b"groups.json" in errors
    assert not os.path.exists(tmp_path / "spool")
