"""The agent's figures of real JVMs against jcmd's, on a heap that stands still after a collection."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from collectors.agent_spool import SpoolRows, read_spool_rows

AGENT = Path(__file__).parents[2] / "collectors" / "agent.py"
KIB = 1024
KEEP = """
public class Keep {
    public static void main(String[] args) throws Exception {
        byte[][] kept = new byte[Integer.parseInt(args[0]) * 4][];
        for (int n = 0; n < kept.length; n++) kept[n] = new byte[1 << 18];
        System.gc();
        System.out.println("ready");
        Thread.sleep(600_000);
        System.out.println(kept.length);
    }
}
"""

pytestmark = pytest.mark.skipif(not (shutil.which("javac") and shutil.which("jcmd")), reason="no JDK here")


@pytest.fixture(scope="module")
def classes() -> Iterator[Path]:
    """Not below /tmp, which a namespace of the tests hides."""
    with tempfile.TemporaryDirectory(prefix="sizeup-jvm-", dir="/var/tmp") as folder:
        (Path(folder) / "Keep.java").write_text(KEEP)
        subprocess.run(["javac", "-d", folder, f"{folder}/Keep.java"], check=True)
        yield Path(folder)


@contextmanager
def jvm(classes: Path, port: int, mib: int, *options: str, before: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[bytes]]:
    words = [*before, "java", "-Xmx768m", *options, f"-Dserver.port={port}", "-cp", str(classes), "Keep", str(mib)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"ready"
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def watch(spool: Path, seconds: float = 1.0, *options: str) -> SpoolRows:
    words = [sys.executable, "-I", "-S", "-E", str(AGENT), "--spool", str(spool), "--beat", "200ms", "--seconds", str(seconds)]
    subprocess.run([*words, *options], check=True, timeout=60)
    return read_spool_rows(spool)


def last_row(rows: SpoolRows, port: int) -> dict[str, Any]:
    return next(row for row in reversed(rows.processes) if (row["group"], row["color"]) == ("java Keep", str(port)))


def jcmd_bytes(*words: str) -> tuple[int, int]:
    """Used and committed of `jcmd PID GC.heap_info`: G1 tells the heap's, Serial each generation's."""
    told = subprocess.run([*words, "GC.heap_info"], capture_output=True, text=True, check=True, timeout=60).stdout
    heap = told.partition("Metaspace")[0]
    sizes = re.findall(r"(?:garbage-first heap|generation)\s+total (\d+)K, used (\d+)K", heap)
    assert sizes, told
    return sum(int(used) for _, used in sizes) * KIB, sum(int(total) for total, _ in sizes) * KIB


@pytest.mark.parametrize(("flag", "name"), [("-XX:+UseSerialGC", "Serial"), ("-XX:+UseG1GC", "G1")])
def test_used_and_committed_are_jcmds(classes, tmp_path, flag, name):
    """Within 1 % on a paused heap after a collection; jcmd first, as answering it takes 4 MB of the heap."""
    with jvm(classes, 9001, 300, flag) as process:
        used, committed = jcmd_bytes("jcmd", str(process.pid))
        rows = watch(tmp_path)

    row = last_row(rows, 9001)
    assert row["jvm_gc"] == name
    assert row["jvm_used_bytes"] == pytest.approx(used, rel=0.01)
    assert row["jvm_committed_bytes"] == pytest.approx(committed, rel=0.01)
    assert row["jvm_live_bytes"] == pytest.approx(300 << 20, rel=0.03)
    assert row["jvm_max_bytes"] == pytest.approx(768 << 20, rel=0.01)


def test_two_jvms_at_once_are_told_apart(classes, tmp_path):
    """Blue and green: the same class, each with its port."""
    with ExitStack() as stack:
        blue = stack.enter_context(jvm(classes, 9002, 250, "-XX:+UseSerialGC"))
        green = stack.enter_context(jvm(classes, 9003, 320, "-XX:+UseG1GC"))
        truth = {9002: jcmd_bytes("jcmd", str(blue.pid)), 9003: jcmd_bytes("jcmd", str(green.pid))}
        rows = watch(tmp_path)

    for port, (used, committed) in truth.items():
        row = last_row(rows, port)
        assert row["jvm_used_bytes"] == pytest.approx(used, rel=0.01)
        assert row["jvm_committed_bytes"] == pytest.approx(committed, rel=0.01)


@pytest.mark.skipif(os.geteuid() != 0, reason="a namespace of its own needs root")
def test_a_jvm_in_its_own_pid_and_mount_namespace_is_found(classes, tmp_path):
    """As in a container: its file is named by the inner pid, in a /tmp that is not ours."""
    mounts = 'mount -t tmpfs none /tmp && mount -t proc proc /proc && exec "$@"'
    inside = ("unshare", "--pid", "--fork", "--kill-child", "--mount", "sh", "-c", mounts, "sh")
    with jvm(classes, 9004, 300, "-XX:+UseSerialGC", before=inside) as process:
        java = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
        used, committed = jcmd_bytes("nsenter", "-t", str(java), "--mount", "--pid", "jcmd", "1")
        rows = watch(tmp_path)

    row = last_row(rows, 9004)
    assert row["jvm_used_bytes"] == pytest.approx(used, rel=0.01)
    assert row["jvm_committed_bytes"] == pytest.approx(committed, rel=0.01)


def test_a_jvm_without_its_file_is_null_with_a_reason(classes, tmp_path):
    """-XX:-UsePerfData; said once, after it had time to start."""
    with jvm(classes, 9005, 10, "-XX:-UsePerfData"):
        rows = watch(tmp_path, 3.0)

    told = [json.loads(event["detail"]) for event in rows.events if event["subject"] == "java Keep"]
    assert last_row(rows, 9005)["jvm_used_bytes"] is None
    assert [reason["source"] for reason in told] == ["jvm"]
    assert "UsePerfData" in told[0]["why"]


def test_jvms_that_start_and_are_killed_meanwhile_are_gaps(classes, tmp_path):
    """A JVM that is just starting has a file without entries; a killed one leaves its file behind."""
    words = [sys.executable, "-I", "-S", "-E", str(AGENT), "--spool", str(tmp_path), "--beat", "50ms"]
    agent = subprocess.Popen(words)
    while not list(tmp_path.glob("*.seg")):
        time.sleep(0.02)
    for n in range(4):
        with jvm(classes, 9006 + n, 20, "-XX:+UseSerialGC"):
            time.sleep(0.3)
    agent.send_signal(signal.SIGTERM)

    assert agent.wait(20) == 0
    rows = read_spool_rows(tmp_path)
    for n in range(4):
        mine = [row for row in rows.processes if (row["group"], row["color"]) == ("java Keep", str(9006 + n))]
        told = [row["jvm_used_bytes"] for row in mine if row["pids"]]
        assert told[-1] is not None
        assert all(value is None or value > 0 for value in told)
