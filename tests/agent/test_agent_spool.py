"""The agent's spool: whole after any kill, torn at any byte, a ring, on a full disk."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from agent_process import AGENT, beats, record, start_agent, wait_for_beats

from collectors import read_spool
from collectors.agent import HOST_COLUMNS, Segment, Spool, spool_head, to_json
from collectors.agent_spool import read_segment, read_spool_rows
from evidence import TABLES, SizeupError

KILLS = int(os.environ.get("AGENT_KILLS", "20"))
HOST_ROW = [1_000_000, 2, *[0] * (len(HOST_COLUMNS) - 2)]


def group_row(cpu_us: int, gc: str | None = None) -> list:
    return [1, cpu_us, 100, 50, 60, 0, 1, 3, 0, None, gc, *[None if gc is None else 1000 + cpu_us] * 6]


def write_made(spool: Spool, count: int, first: int = 0) -> None:
    """Beats whose CPU seconds are their number."""
    for n in range(first, first + count):
        rows = {("app", None): group_row(n), ("java app.jar", "8080"): group_row(n, "G1" if n % 2 else "Serial")}
        events = [(n, None, "restart", 'na"me\n', {"count": n})] if n % 5 == 0 else []
        spool.write(1_000_000 * n, HOST_ROW, rows, events)


def made(folder: Path, cap_bytes: int = 10**9) -> Spool:
    return Spool(str(folder), spool_head("api", 1.0), cap_bytes)


def test_frames_have_the_contracts_columns(tmp_path):
    """docs/reference/run-folder.md; the agent's own columns stand behind them."""
    write_made(made(tmp_path), 7)

    frames = read_spool(tmp_path)

    for frame, table in zip(frames, ("hosts", "processes", "events"), strict=True):
        names = [column.name for column in TABLES[table]]
        assert frame.columns[: len(names)] == names
        for column in TABLES[table]:
            assert column.nullable or frame[column.name].null_count() == 0, column.name
    assert frames.hosts["at"].dtype == pl.Datetime("us", "UTC")


def test_what_was_written_is_read(tmp_path):
    """Levels, what happened in a beat, null, words and events come back as they were."""
    write_made(made(tmp_path), 11)

    rows = read_spool_rows(tmp_path)

    jvm = [row for row in rows.processes if row["group"] == "java app.jar"]
    assert [round(row["cpu_s"] * 1e6) for row in jvm] == list(range(11))
    assert [row["jvm_gc"] for row in jvm] == ["G1" if n % 2 else "Serial" for n in range(11)]
    assert [row["jvm_used_bytes"] for row in jvm] == [1000 + n for n in range(11)]
    assert {row["limit_bytes"] for row in rows.processes} == {None}
    assert [(row["at"], row["subject"], json.loads(row["detail"])) for row in rows.events] == [
        (n, 'na"me\n', {"count": n}) for n in (0, 5, 10)
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["a", 'quo"te\\', "Zeile\n\t\x00", "한글 ключ", None, True, 3, -2.5, ["a", ["b"]], {"k": {"l": None}}])
def test_the_agents_own_json_is_json(value):
    """RFC 8259; json itself would cost the agent 0.3 MB."""
    assert json.loads(to_json(value)) == value


def test_a_spool_torn_at_any_byte_gives_every_whole_beat(tmp_path):
    """Every length of a recorded file, in process: what is read is the beginning of what was written, never less than was whole."""
    record(tmp_path, 1.2, "--beat", "100ms")
    data = next(tmp_path.glob("*.seg")).read_bytes()
    whole = read_segment(data)

    counts = []
    for length in range(len(data)):
        torn = read_segment(data[:length])
        counts.append(len(torn.hosts))
        assert torn.hosts == whole.hosts[: len(torn.hosts)]
        assert torn.processes == whole.processes[: len(torn.processes)]

    assert counts == sorted(counts)
    assert counts[-1] == len(whole.hosts) - 1


def test_a_damaged_byte_ends_the_reading_before_it(tmp_path):
    """Each frame has its checksum."""
    write_made(made(tmp_path), 40)
    data = bytearray(next(tmp_path.glob("*.seg")).read_bytes())
    whole = read_segment(bytes(data)).hosts
    data[len(data) // 2] ^= 0x40

    found = read_segment(bytes(data)).hosts

    assert 0 < len(found) < len(whole)
    assert found == whole[: len(found)]


def test_a_kill_at_any_moment_loses_one_beat_at_most(tmp_path):
    """SIGKILL at random moments, seed 0: every spool can be read, and each beat that was due before the kill but the last is in it."""
    chance = random.Random(0)
    beat_s = 0.05
    lost = []
    for n in range(KILLS):
        spool = tmp_path / str(n)
        process = start_agent(spool, "--beat", "50ms", "--no-pss")
        wait_for_beats(spool, 1)
        time.sleep(chance.uniform(0.0, 0.15))
        before = beats(spool)
        at_us = time.time_ns() // 1000
        process.kill()
        process.wait()
        rows = read_spool_rows(spool)
        late_us = at_us - rows.hosts[-1]["at"]
        lost.append(max(before - len(rows.hosts), int(late_us / 1e6 / beat_s) - 1))
        assert not any(row["gap"] for row in rows.hosts if row["interval_s"] < 1.5 * beat_s)

    print(f"{KILLS} kills, most beats lost: {max(lost)}")
    assert max(lost) <= 1 or sum(n > 1 for n in lost) <= KILLS // 10  # a busy machine starts a beat late


def test_a_time_without_an_agent_is_an_event(tmp_path):
    """Killed, then started again on the same spool."""
    record(tmp_path, 0.3, "--beat", "100ms")
    time.sleep(0.5)
    record(tmp_path, 0.3, "--beat", "100ms")

    events = read_spool(tmp_path).events.filter(pl.col("subject") == "agent").to_dicts()

    silent = [event for event in events if "did not run" in event["detail"] and event["until"] > event["at"]]
    assert len(list(tmp_path.glob("*.seg"))) == 2
    assert max((event["until"] - event["at"]).total_seconds() for event in silent) >= 0.5


def test_the_oldest_files_make_room(tmp_path):
    """A ring: what is kept passes the cap by one file at most, and what is left can be read."""
    spool = made(tmp_path, cap_bytes=40_000)

    write_made(spool, 20_000)

    files = list(tmp_path.glob("*.seg"))
    largest = max(file.stat().st_size for file in files)
    rows = read_spool_rows(tmp_path)
    assert sum(file.stat().st_size for file in files) <= 40_000 + largest
    assert len(files) < 20_000 // 900
    assert rows.hosts[-1]["at"] == 19_999 * 1_000_000


def test_two_agents_never_write_to_one_spool(tmp_path):
    first = start_agent(tmp_path, "--beat", "50ms")
    wait_for_beats(tmp_path, 1)

    second = start_agent(tmp_path, stderr=subprocess.PIPE)
    _, errors = second.communicate(timeout=20)
    first.terminate()

    assert second.returncode == 2
    assert b"another agent writes to" in errors
    assert first.wait(20) == 0


def test_on_a_full_disk_it_stops_writing_goes_on_and_says_so(tmp_path):
    """A disk of 64 KiB that something else fills and then empties: mount needs root or a user namespace."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f"""
mount -t tmpfs -o size=64k none {disk} || exit 77
head -c 200k /dev/zero > {disk}/other 2>/dev/null
/usr/bin/env python3 -I -S -E {AGENT} --spool {disk}/spool --beat 50ms --seconds 2.5 2>{tmp_path}/said &
until [ -s {tmp_path}/said ]; do sleep 0.02; done
rm {disk}/other
wait $!; echo $? > {tmp_path}/code
cp -r {disk}/spool {tmp_path}/spool
"""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    done = subprocess.run(["unshare", *as_root, "--mount", "sh", "-c", script], timeout=30, check=False)
    if done.returncode == 77:
        pytest.skip("no file system can be mounted here")

    rows = read_spool_rows(tmp_path / "spool")

    full = [json.loads(event["detail"]) for event in rows.events if event["subject"] == "spool"]
    assert (tmp_path / "code").read_text().strip() == "0"
    assert "No space left on device" in (tmp_path / "said").read_text()
    assert [event["why"] for event in full] == ["No space left on device"]
    assert full[0]["beats"] >= 10
    assert rows.hosts


def test_a_write_that_was_cut_short_leaves_no_torn_frame(tmp_path):
    """setrlimit(2), RLIMIT_FSIZE: a write that crosses the limit is cut there; what was half written is cut off again."""
    words = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", sys.executable, "-I", "-S", "-E", str(AGENT)]
    agent = subprocess.Popen([*words, "--spool", str(tmp_path), "--beat", "50ms"], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while len(list(tmp_path.glob("*.seg"))) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    agent.terminate()

    assert agent.wait(20) == 0
    first = min(tmp_path.glob("*.seg")).read_bytes()
    rows = read_spool_rows(tmp_path)
    lost = [json.loads(event["detail"])["beats"] for event in rows.events if event["subject"] == "spool"]
    assert len(read_segment(first + b"x").hosts) == len(read_segment(first).hosts) > len(read_segment(first[:-1]).hosts)
    assert lost


def test_an_interrupted_write_of_a_file_system_that_is_gone_is_no_crash(tmp_path):
    """The folder removed beneath it, as by hand."""
    spool = made(tmp_path / "spool")
    write_made(spool, 3)
    shutil.rmtree(tmp_path / "spool")

    write_made(spool, 2000, first=3)

    assert not (tmp_path / "spool").exists()


def test_a_folder_without_a_spool_is_a_sentence(tmp_path):
    with pytest.raises(SizeupError, match="no agent's spool lies there"):
        read_spool(tmp_path)


def test_a_newer_format_is_a_sentence():
    """A reader never guesses."""
    from collectors.agent import MAGIC

    data = MAGIC + Segment().frame(b'{"format": 2}')

    with pytest.raises(SizeupError, match="newer than this sizeup reads"):
        read_segment(data, "1764000000.seg")


def test_a_signal_ends_it_with_a_last_beat(tmp_path):
    process = start_agent(tmp_path, "--beat", "30s")
    time.sleep(0.6)

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0
    assert 0.05 < read_spool_rows(tmp_path).hosts[-1]["interval_s"] < 20
