"""A spool is readable whatever moment its writer died at, and nothing is moved twice."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import SpoolWriter, compact, create_run, open_run, read_frames, seal, settle

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ROW = (0, 1, 1_764_000_000_000_000, 10, 20, None, 3000, 3030, "GET /boards", "board", "api.example.run", "GET", 200, None, True, 120, 900)


def row(seq: int) -> tuple[object, ...]:
    return (ROW[0], seq, *ROW[2:])


def written(folder: Path, frames: int, per_frame: int = 5) -> Path:
    path = folder / "requests-0.spool"
    writer = SpoolWriter(path, "requests")
    for frame in range(frames):
        for k in range(per_frame):
            writer.append(row(frame * per_frame + k))
        writer.flush()
    writer.close()
    return path


def test_a_spool_cut_at_any_byte_gives_every_whole_frame(tmp_path):
    """Every length from nothing to all of a recorded spool."""
    path = written(tmp_path, frames=4)
    data = path.read_bytes()
    ends = [end for end in range(len(data) + 1) if _whole_at(tmp_path, data, end)]

    cut = tmp_path / "cut.spool"
    for length in range(len(data) + 1):
        cut.write_bytes(data[:length])
        rows = sum(len(columns["seq"]) for _, columns in read_frames(cut))
        assert rows == 5 * sum(end <= length for end in ends if end > 0)


def _whole_at(folder: Path, data: bytes, end: int) -> bool:
    from evidence.spool import read_frames_at

    probe = folder / "probe.spool"
    probe.write_bytes(data)
    return end in {at for at, _, _ in read_frames_at(probe, 0)}


@given(position=st.floats(0, 1), flip=st.integers(1, 255))
def test_a_damaged_byte_never_gives_a_wrong_row(tmp_path_factory, position, flip):
    folder = tmp_path_factory.mktemp("flip")
    path = written(folder, frames=3)
    data = bytearray(path.read_bytes())
    data[min(int(position * len(data)), len(data) - 1)] ^= flip
    path.write_bytes(bytes(data))

    seqs = [seq for _, columns in read_frames(path) for seq in columns["seq"]]

    assert seqs == list(range(len(seqs)))


def test_nothing_is_lost_or_doubled_when_compaction_repeats(tmp_path):
    """The Parquet parts remember which bytes of the spool they hold."""
    run = create_run(tmp_path, "t", "steps", NOW)
    written(run.spool, frames=3)
    compact(run.path)
    writer = SpoolWriter(run.spool / "requests-0.spool", "requests")
    writer.append(row(15))
    writer.close()

    before = open_run(run.path).requests["seq"].to_list()
    compact(run.path)
    compact(run.path)

    assert before == open_run(run.path).requests["seq"].to_list() == list(range(16))


def test_a_sealed_run_holds_what_was_in_its_spools(tmp_path):
    run = create_run(tmp_path, "t", "steps", NOW)
    written(run.spool, frames=2)

    seal(run, "complete", NOW)

    read = open_run(run.path)
    assert read.status == "complete"
    assert read.requests.height == 10
    assert not list(run.path.glob(".spool/*.spool"))
    assert (run.path / "hosts.parquet").exists()


def test_a_writer_that_was_killed_leaves_a_crashed_run_that_settles_once(tmp_path):
    """The process that made the run is gone: its run is crashed, whatever run.json still says."""
    script = f"""
from datetime import UTC, datetime
from pathlib import Path
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_spool import written
from evidence import create_run
run = create_run(Path({str(tmp_path)!r}), "t", "steps", datetime.now(UTC))
written(run.spool, frames=2)
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], check=False, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    (path,) = (p.parent for p in tmp_path.glob("*/run.json"))

    assert open_run(path).status == "crashed"
    assert settle(tmp_path, NOW) == [path.name]
    assert settle(tmp_path, NOW) == []
    assert open_run(path).requests.height == 10


@pytest.mark.parametrize("torn", [1, 7, 40])
def test_an_access_log_cut_short_gives_its_whole_lines(tmp_path, torn):
    """A kill in the middle of an append leaves a torn gzip member at the end."""
    import gzip

    run = create_run(tmp_path, "t", "steps", NOW)
    alb = run.path / "alb"
    alb.mkdir()
    line = (
        "http 2026-11-24T03:00:00.100000Z app/a/1 127.0.0.1:5 127.0.0.1:6 0.000 0.004 0.000 200 200 120 900 "
        '"GET http://api.example.run:80/boards HTTP/1.1" "x" - - arn:aws:elasticloadbalancing:r:1:targetgroup/moco-api/1 '
        '"Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 1 2026-11-24T03:00:00.096000Z "forward" "-" "-" "127.0.0.1:6" "200" "-" "-"\n'
    )
    member = gzip.compress(line.encode())
    (alb / "a.log.gz").write_bytes(member + member[: len(member) - torn])

    assert open_run(run.path).access_log.height in (1, 2)
