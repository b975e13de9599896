"""`sizeup runs`: what lies there, and whether its files hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sample_run import write_sample_run

from evidence import SpoolWriter
from sizeup.main import run
from sizeup.runs import check_run, run_line


def faults(path: Path) -> list[str]:
    return [f"{f.file}: {f.what}" for f in check_run(path) if f.level == "fault"]


def test_a_whole_run_has_no_fault(tmp_path: Path):
    """A run written by the room's own writers, with its access log."""
    path = write_sample_run(tmp_path)

    assert check_run(path) == []


def test_a_line_tells_status_requests_and_valid_windows(tmp_path: Path):
    """Runs list."""
    line = run_line(write_sample_run(tmp_path))

    assert (line.status, line.valid_windows, line.windows, line.seconds) == ("complete", 3, 3, 60)
    assert line.requests is not None
    assert line.requests > 500


def test_a_missing_column_is_a_fault(tmp_path: Path):
    """docs/reference/run-folder.md: the columns are exactly these."""
    path = write_sample_run(tmp_path)
    file = path / "hosts.parquet"
    pq.write_table(pq.read_table(file).drop(["vcpus"]), file)

    assert faults(path) == ["hosts.parquet: column vcpus is missing"]


def test_a_column_of_another_type_is_a_fault(tmp_path: Path):
    """docs/reference/run-folder.md: types too."""
    path = write_sample_run(tmp_path)
    file = path / "hosts.parquet"
    hosts = pq.read_table(file)
    at = hosts.schema.get_field_index("vcpus")
    pq.write_table(hosts.set_column(at, "vcpus", hosts["vcpus"].cast(pa.int64())), file)

    assert faults(path) == ["hosts.parquet: column vcpus is int64, not int16"]


def test_a_torn_parquet_file_is_a_fault(tmp_path: Path):
    """A disk that was full, a copy that was cut."""
    path = write_sample_run(tmp_path)
    file = path / "hosts.parquet"
    file.write_bytes(file.read_bytes()[:-100])

    assert len(faults(path)) == 1
    assert faults(path)[0].startswith("hosts.parquet: can't be read")


def test_a_request_without_its_log_line_is_a_fault(tmp_path: Path):
    """Every row that reached the proxy joins exactly one line."""
    path = write_sample_run(tmp_path)
    import gzip

    file = path / "alb" / "sample.log.gz"
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join([lines[0], *lines[:-1]])))

    lost = "alb/: 1 answered requests have no line, their lines were on the way at the end: 0-SEQ"
    assert [re.sub(r"0-\d+$", "0-SEQ", fault) for fault in faults(path)] == ["alb/: 1 lines carry a trace id that another one has", lost]


@pytest.mark.parametrize("spoilt", [b"garbage", None])
def test_an_access_log_that_is_not_whole_is_named(tmp_path: Path, spoilt: bytes | None):
    """A download that was cut, a file that is none: what can be read counts, the rest is said."""
    path = write_sample_run(tmp_path)
    whole = (path / "alb" / "sample.log.gz").read_bytes()
    (path / "alb" / "z.log.gz").write_bytes(whole[: len(whole) // 2] if spoilt is None else spoilt)

    assert [f.file for f in check_run(path) if "can't be read to its end" in f.what] == ["alb/z.log.gz"]


def test_what_a_kill_left_is_sealed_and_its_torn_tail_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Kill -9 at any moment leaves a folder that reads, status crashed."""
    path = write_sample_run(tmp_path, sealed=False)
    meta = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps(meta | {"writer": {"pid": 2**22 + 1, "start": 1}}))
    spool = path / ".spool" / "requests-0.spool"
    SpoolWriter(spool, "requests").close()
    spool.write_bytes(spool.read_bytes() + b"torn")

    notes = [f.what for f in check_run(path)]
    code = run(["runs", "check", str(path), "--results", str(tmp_path), "--json"])

    document = json.loads(capsys.readouterr().out)
    assert "its last 4 bytes were torn off at the kill" in notes
    assert (code, document["ok"]) == (0, True)
    assert json.loads((path / "run.json").read_text())["status"] == "crashed"


def test_check_exits_1_where_a_fault_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/commands.md: 1, the verdict is no."""
    path = write_sample_run(tmp_path)
    (path / "processes.parquet").unlink()

    code = run(["runs", "check", str(path), "--results", str(tmp_path)])

    assert code == 1
    assert "processes.parquet: the file is missing" in capsys.readouterr().out


def test_what_is_no_run_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/commands.md: 2, an unreadable run."""
    code = run(["runs", "show", str(tmp_path)])

    assert code == 2
    assert "neither a run folder nor an id" in capsys.readouterr().err


@pytest.mark.parametrize(("format", "starts"), [("csv", "id,status,"), ("md", "| id | status |")])
def test_the_list_is_a_table_too(format: str, starts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/commands.md: --format."""
    write_sample_run(tmp_path)

    code = run(["runs", "list", "--results", str(tmp_path), "--format", format])

    out = capsys.readouterr().out
    assert code == 0
    assert out.startswith(starts)
