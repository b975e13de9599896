"""This machine watched: what its processes are, what they hold, and that the parts add up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from collectors import measure_memory
from collectors.machine import name_group, parse_meminfo, read_machine_memory
from sizing.settings import GroupRule

MIB = 1 << 20

HOLDER = "import sys; held = bytearray(80 << 20); held[::4096] = b'x' * len(held[::4096]); print('up', flush=True); sys.stdin.read()"

MEMINFO = """\
MemTotal:        1000000 kB
MemFree:          200000 kB
MemAvailable:     500000 kB
Buffers:           10000 kB
Cached:           300000 kB
Active(file):     180000 kB
Mapped:           100000 kB
SReclaimable:      20000 kB
SwapTotal:         50000 kB
SwapFree:          45000 kB
HugePages_Total:       0
"""


@pytest.mark.parametrize(
    ("program", "command", "group"),
    [
        ("java", ["java", "-Xmx256m", "-cp", "lib/*", "-jar", "/opt/app/moco.jar", "--server.port=8081"], "java moco.jar"),
        ("java", ["/usr/bin/java", "-classpath", "x.jar:y.jar", "run.example.Main", "-jar", "no.jar"], "java run.example.Main"),
        ("java", ["java", "--module-path", "mods", "-m", "run.example/run.example.Main"], "java run.example.Main"),
        ("node", ["next-server (v16.0.1)"], "node"),
        ("python3.11", ["python3", "app.py"], "python"),
        ("python-config", ["python-config"], "python-config"),
        ("nginx", ["nginx: worker process"], "nginx"),
        ("postgres", ["postgres: checkpointer"], "postgres"),
        ("redis-server", ["/usr/bin/redis-server 127.0.0.1:6379"], "redis"),
        ("ruby3.2", ["codedeploy-agent: master 1234"], "codedeploy-agent"),
        ("sshd", ["sshd: /usr/sbin/sshd -D"], "sshd"),
    ],
)  # fmt: skip
def test_a_process_is_named_after_what_it_is(program, command, group):
    """docs/reference: java by jar, node, python, nginx, postgres, redis, codedeploy-agent, else by program; a JVM's port is its colour."""
    named, color = name_group(program, command)

    assert (named, color) == (group, "8081" if "--server.port=8081" in command else None)


def test_the_settings_name_groups_and_colours_first():
    """docs/reference/settings.md: `color` is what tells the copies apart."""
    rules = [GroupRule(name="jvm", match=r"java .*moco.*\.jar", color=r"--server\.port=(\d+)"), GroupRule(name="web", match="nginx")]

    blue = name_group("java", ["java", "-jar", "moco.jar", "--server.port=8081"], rules)
    web = name_group("nginx", ["nginx: master"], rules)

    assert (blue, web) == (("jvm", "8081"), ("web", None))


def test_pages_that_a_process_maps_are_no_page_cache():
    """proc(5): Mapped counts each file page that a process maps once, and PSS holds it already."""
    memory = parse_meminfo(MEMINFO)

    assert memory.unmapped_cache_bytes == (10_000 + 300_000 + 20_000 - 100_000) * 1024
    assert memory.active_cache_bytes == (180_000 - 100_000) * 1024
    assert memory.swap_used_bytes == 5_000 * 1024
    assert memory.system_bytes(400_000 * 1024) == (1_000_000 - 200_000 - 230_000 - 400_000) * 1024
    assert memory.system_bytes(1_000_000 * 1024) == 0


def test_total_and_available_are_psutils():
    """psutil as the yardstick of the same file."""
    ours, theirs = read_machine_memory(), psutil.virtual_memory()

    assert ours.total_bytes == theirs.total
    assert ours.available_bytes == pytest.approx(theirs.available, rel=0.1)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="PSS is Linux's")
def test_a_process_that_holds_80_mib_is_seen_with_them_and_we_are_not(tmp_path):
    """A holder under a rule of its own; this very test process under another."""
    holder = subprocess.Popen([sys.executable, "-S", "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    rules = [GroupRule(name="holder", match=r"held\[::4096\]"), GroupRule(name="ourselves", match="pytest")]

    try:
        memory = measure_memory(0.5, rules=rules)
    finally:
        holder.communicate()

    (found,) = [group for group in memory.groups if group.group == "holder"]
    assert found.pids == 1
    assert 80 * MIB <= found.pss_bytes <= found.rss_bytes <= 100 * MIB
    assert memory.seconds == pytest.approx(0.5, abs=0.1)
    assert memory.held_bytes < memory.total_bytes
