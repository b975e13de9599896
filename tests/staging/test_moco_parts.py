"""The parts of the real stack that can be tested without a JVM, Node or a database: what it needs, how it is built, what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from catalogue import load_catalogue
from evidence import SizeupError, process_mark
from staging.moco import tools
from staging.moco.build import API, FRONTEND, build, sources_digest
from staging.moco.data import fill_sql
from staging.moco.jvm import host_flags, jvm_flags
from staging.moco.tools import check_toolchain, install_missing
from staging.processes import end_marked, lives, open_gate, spawn_program
from staging.sample import sample_data

SEOUL = load_catalogue("ap-northeast-2").types


def test_a_missing_toolchain_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SizeupError, match=r"Maven and Node 20\.9 or newer: javac.* is missing; Maven is missing; node is missing"):
        check_toolchain()


@pytest.mark.parametrize(("node", "javac", "why"), [("v18.19.0", "17.0.15", "node is v18.19"), ("v20.9.0", "11.0.2", "the JDK is 11")])
def test_what_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, node: str, javac: str, why: str):
    for name, says in (("node", node), ("javac", f"javac {javac}"), ("mvn", ""), ("npm", "")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SizeupError, match=why):
        check_toolchain()


def test_who_is_not_root_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("staging.moco.tools.find_program", lambda name: None if name in ("nginx", "ruby") else f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(SizeupError, match="needs nginx, ruby; run sudo apt-get install -y --no-install-recommends nginx ruby"):
        install_missing(print)


def test_no_service_starts_while_packages_are_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """invoke-rc.d(8): a policy-rc.d that exits 101 forbids it; one that the machine has already is left alone."""
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(tools, "_POLICY", policy)

    with tools._no_service_starts():
        forbids = subprocess.run([policy]).returncode
    gone = not policy.exists()
    policy.write_text("theirs")
    with tools._no_service_starts():
        pass

    assert (forbids, gone, policy.read_text()) == (101, True, "theirs")


@pytest.mark.parametrize(("kind", "flags"), [
    ("t3.small", ["-XX:MaxRAM=1910m", "-XX:ActiveProcessorCount=2", "-XX:+UseG1GC"]),
    ("t3.micro", ["-XX:MaxRAM=914m", "-XX:ActiveProcessorCount=2", "-XX:+UseSerialGC"]),
    ("t2.small", ["-XX:MaxRAM=1955m", "-XX:ActiveProcessorCount=1", "-XX:+UseSerialGC"]),
])  # fmt: skip
def test_a_jvm_is_told_the_host_that_it_stands_for(kind: str, flags: list[str]):
    """OpenJDK: G1 from two CPUs and 1,792 MiB on; measured: MemTotal 914 and 1,910 MiB, Xen types about 45 MiB more than Nitro ones."""
    told = host_flags(SEOUL[kind])

    assert told[1:] == flags[1:]
    assert int(told[0][len("-XX:MaxRAM=") : -1]) == pytest.approx(int(flags[0][len("-XX:MaxRAM=") : -1]), rel=0.01)


def test_a_given_collector_replaces_the_hosts_own():
    """HotSpot refuses to start with two."""
    flags = jvm_flags(SEOUL["t3.small"], ("-Xmx64m", "-XX:+UseSerialGC"))

    assert [flag for flag in flags if flag.startswith("-XX:+Use")] == ["-XX:+UseSerialGC"]
    assert flags[-2:] == ["-Xmx64m", "-XX:+UseSerialGC"]


def test_a_build_is_done_once_and_again_when_a_source_changes(tmp_path: Path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.txt").write_text("1")
    make = (("sh", "-c", "echo built >> made; cat src/a.txt >> made"),)
    project = replace(API, folder=tmp_path, sources=("src/*",), made="made", stamp="stamp", quick=make, whole=make)

    for _ in range(2):
        build(project, tmp_path / "log", print)
    (tmp_path / "src" / "a.txt").write_text("2")
    build(project, tmp_path / "log", print)

    assert (tmp_path / "made").read_text().split() == ["built", "1built", "2"]


def test_a_build_without_network_comes_first_and_a_failing_one_is_one_sentence(tmp_path: Path):
    offline, online = (("sh", "-c", "echo offline >> tried; exit 1"),), (("sh", "-c", "echo online >> tried; exit 1"),)
    project = replace(API, folder=tmp_path, sources=(), quick=offline, whole=online)

    with pytest.raises(SizeupError, match=r"doesn't build; .*log says why"):
        build(project, tmp_path / "log", print)

    assert (tmp_path / "tried").read_text().split() == ["offline", "online"]


def test_generated_files_are_no_sources():
    digest = sources_digest(FRONTEND)

    assert len(digest) == 64
    assert not any(pattern.startswith((".next", "node_modules", "target")) for project in (API, FRONTEND) for pattern in project.sources)


def test_the_lock_file_and_the_pom_hold_no_addresses_of_registries():
    """`omit-lockfile-registry-resolved`; a Maven project without repositories."""
    packages = json.loads((FRONTEND.folder / "package-lock.json").read_text())["packages"]
    pom = ElementTree.parse(API.folder / "pom.xml").getroot()

    assert not any("resolved" in package for package in packages.values())
    assert all("integrity" in package for name, package in packages.items() if name)
    assert "omit-lockfile-registry-resolved=true" in (FRONTEND.folder / ".npmrc").read_text()
    assert not [child.tag for child in pom.iter() if child.tag.endswith(("repositories", "pluginRepositories"))]


def test_both_stacks_hold_the_same_boards():
    sql = "\n".join(fill_sql(sample_data(7)))

    assert all(title in sql for title, _ in sample_data(7).boards)
    assert sample_data(7) == sample_data(7) != sample_data(8)


def test_a_program_begins_only_when_its_mark_could_be_written(tmp_path: Path):
    """Else a kill between start and note would leave a process that nobody knows."""
    child = spawn_program("sleeper", ["sleep", "60"], tmp_path / "log")
    waiting = Path(f"/proc/{child.pid}/comm").read_text().strip()

    open_gate(child)

    _until(lambda: Path(f"/proc/{child.pid}/comm").read_text().strip() == "sleep")
    assert waiting != "sleep"
    assert process_mark(child.pid) == child.mark
    child.end()


def test_a_program_whose_owner_dies_before_the_gate_never_begins(tmp_path: Path):
    code = "import sys; from pathlib import Path; from staging.processes import spawn_program; import os, signal\n"
    code += "child = spawn_program('toucher', ['touch', sys.argv[1] + '/began'], Path(sys.argv[1]) / 'log'); print(child.pid, flush=True)\n"
    code += "os.kill(os.getpid(), signal.SIGKILL)"

    printed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True).stdout

    _until(lambda: not lives(process_mark(int(printed))) or not Path(f"/proc/{int(printed)}").exists())
    assert not (tmp_path / "began").exists()


def test_what_a_killed_leader_left_of_its_group_is_ended_too(tmp_path: Path):
    """nginx's workers live on when their master is killed; they have the master's group."""
    child = spawn_program("master", ["sh", "-c", "sleep 60 & wait"], tmp_path / "log")
    open_gate(child)
    _until(lambda: len(_group(child.pid)) == 2)
    (worker,) = set(_group(child.pid)) - {child.pid}
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    child.process.send_signal(signal.SIGKILL)
    child.process.wait()

    ended = end_marked(child.record)

    assert ended
    _until(lambda: not lives(process_mark(worker)) or not Path(f"/proc/{worker}").exists())
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def _group(leader: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                group = os.getpgid(int(entry.name))
            except ProcessLookupError:
                continue
            if group == leader:
                found.append(int(entry.name))
    return found


def _until(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
