"""A user's mistake is one sentence with its mend and exit 2; never a traceback, and nothing is sent."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
SAMPLE = Path(__file__).parents[2] / "results" / "sample"


def sizeup(*arguments: str, cwd: Path, **options) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SIZEUP_"))}
    command = [sys.executable, "-m", "sizeup", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, cwd=cwd, env=environment, **options)


def assert_one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    told = [line for line in done.stderr.strip().splitlines() if line.startswith("sizeup: ")]
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(told) == 1, done.stderr
    for word in words:
        assert word in told[0], told[0]


def settings(folder: Path, url: str) -> None:
    (folder / "sizeup.toml").write_text(
        f'[project]\nregion = "ap-northeast-2"\n[target.staging]\nurl = "{url}"\nmax_rate_per_s = 20\n'
        '[target.staging.hosts]\nfrontend = "example.run"\n'
    )


@pytest.mark.parametrize("command", [("load", "staging")])
def test_no_settings_file(tmp_path, command):
    assert_one_sentence(sizeup(*command, cwd=tmp_path), "sizeup.toml", "--config")


def test_a_broken_settings_file(tmp_path):
    (tmp_path / "sizeup.toml").write_text("[target.staging\nurl = 1\n")

    assert_one_sentence(sizeup("load", "staging", cwd=tmp_path), "sizeup.toml", "TOML")


def test_a_target_that_is_not_named_is_refused_before_a_connection(tmp_path):
    """The listener that the settings do name sees no connection at all."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        settings(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}")

        done = sizeup("load", "production", cwd=tmp_path)

        assert_one_sentence(done, '"production"', "nothing was sent")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_an_unreachable_target(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings(tmp_path, f"http://127.0.0.1:{port}")

    done = sizeup("load", "staging", "--rates", "5", "--step-time", "2s", cwd=tmp_path)

    assert_one_sentence(done, "can't be reached", "[target.staging]")
    assert not (tmp_path / "results").exists()


def test_a_rate_over_the_cap(tmp_path):
    settings(tmp_path, "http://127.0.0.1:9")

    assert_one_sentence(sizeup("load", "staging", "--rates", "50", cwd=tmp_path), "cap of 20/s", "nothing was sent")


def test_a_time_zone_that_is_none(tmp_path):
    (tmp_path / "sizeup.toml").write_text('[project]\ntimezone = "Mars/Olympus"\n')

    assert_one_sentence(sizeup("load", "staging", "--dry-run", cwd=tmp_path), "sizeup.toml", "timezone", "Mars/Olympus", "Asia/Seoul")


def test_a_results_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")

    assert_one_sentence(sizeup("runs", "list", "--results", "file", cwd=tmp_path), "--results file", "is a file")


def test_a_scenario_that_is_none(tmp_path):
    settings(tmp_path, "http://127.0.0.1:9")

    assert_one_sentence(sizeup("load", "staging", "--scenario", "nope", "--dry-run", cwd=tmp_path), '"nope"', "boards")
    assert not (tmp_path / "results").exists()


def test_a_run_without_samples(tmp_path):
    """A complete run whose tables are empty: the sentence names the file."""
    run = tmp_path / "runs" / "20261124T030000Z-staging-steps"
    run.mkdir(parents=True)
    meta = json.loads((SAMPLE / "run.json").read_text()) | {"id": run.name}
    (run / "run.json").write_text(json.dumps(meta))

    assert_one_sentence(sizeup("recommend", str(run), cwd=tmp_path), "hosts.parquet")


def test_a_folder_that_is_no_run(tmp_path):
    assert_one_sentence(sizeup("recommend", str(tmp_path), cwd=tmp_path), "sizeup runs list")


def test_a_torn_file_of_a_run(tmp_path):
    run = tmp_path / "20261124T030000Z-staging-steps"
    shutil.copytree(SAMPLE, run)
    (run / "hosts.parquet").write_bytes(b"PAR1 not really")

    assert_one_sentence(sizeup("recommend", str(run), cwd=tmp_path), "sizeup runs check")


@pytest.mark.parametrize("text", ["{", "[]"])
@pytest.mark.parametrize("name", ["topology.json", "catalogue.json"])
def test_a_torn_document_of_a_run(tmp_path, name, text):
    run = tmp_path / "20260101T000000Z-demo-steps"
    shutil.copytree(SAMPLE, run)
    (run / name).write_text(text)

    assert_one_sentence(sizeup("recommend", str(run), cwd=tmp_path), name)


def test_an_unknown_type_and_an_unknown_class(tmp_path):
    assert_one_sentence(sizeup("recommend", str(SAMPLE), "--candidates", "t3.smal", cwd=tmp_path), "t3.small")
    assert_one_sentence(sizeup("recommend", str(SAMPLE), "--class", "wrker", cwd=tmp_path), "wrker", "api")


def test_a_seed_below_zero(tmp_path):
    assert_one_sentence(sizeup("recommend", str(SAMPLE), "--seed", "-1", cwd=tmp_path), "--seed")


@pytest.mark.parametrize("peak", ["fast", "-3/s", "5,2,9/s", "20/parsec"])
def test_a_peak_that_is_no_rate(tmp_path, peak):
    assert_one_sentence(sizeup("recommend", str(SAMPLE), "--peak", peak, cwd=tmp_path), "--peak")


@pytest.mark.parametrize(
    "buy", ["t3.small", "t3.small:0:1y:all-upfront", "t3.small:1:2y:all-upfront", "t3.small:1:1y:monthly", "x9.huge:1:1y:no-upfront"]
)
def test_a_purchase_that_is_none(tmp_path, buy):
    assert_one_sentence(sizeup("gate", "--buy", buy, cwd=tmp_path))


def obey_permissions() -> None:
    """Give up root's right to overrule a file's permissions, before the command starts (prctl, PR_CAPBSET_DROP)."""
    libc = ctypes.CDLL(None)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@pytest.mark.parametrize("command", [("look", "--seconds", "1"), ("demo", "--quick", "--no-open")], ids=["look", "demo"])
def test_a_folder_that_may_not_be_written(tmp_path, command):
    """Root may write anywhere, so as root the command gives that right up first; another user may not reach the interpreter."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)

    done = sizeup(*command, "--results", str(closed / "runs"), cwd=tmp_path, preexec_fn=obey_permissions if os.getuid() == 0 else None)

    assert_one_sentence(done, "--results")


def test_a_port_in_use(tmp_path):
    from evidence import SizeupError
    from staging import StackOptions, start_stack

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SizeupError, match="port"):
        start_stack(tmp_path / "demo", StackOptions(port=taken.getsockname()[1], api_memory_bytes=1 << 20))
