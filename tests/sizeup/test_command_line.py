"""The command line as a user meets it: help, exit codes, one sentence where something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sample_run import write_sample_run

from sizeup import main as entry
from sizeup.main import group, run

HEAVY = {"polars", "numpy", "boto3", "botocore", "pydantic", "locust", "gevent", "matplotlib", "pyarrow", "scipy", "jinja2", "moto", "rich"}


def sizeup(*args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "sizeup", *args], capture_output=True, text=True, cwd=cwd, timeout=120, env=os.environ | env, check=False
    )


def test_help_imports_no_heavy_module():
    """`sizeup --help` imports no heavy module."""
    code = "import sys\nfrom sizeup.main import run\nrun(['--help'])\nprint(*sys.modules, file=sys.stderr)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not HEAVY & {name.partition(".")[0] for name in done.stderr.split()}


def test_help_lists_each_command_file():
    """docs/reference/commands.md: a command appears when its file is there."""
    done = sizeup("--help")

    listed = done.stdout.partition("Commands:")[2]
    files = [p.stem for p in (Path(entry.__file__).parent / "commands").glob("*.py") if not p.stem.startswith("_")]
    assert files
    assert all(f"\n  {name} " in listed for name in files)


def test_an_unknown_command_is_told_the_nearest(capsys: pytest.CaptureFixture[str]):
    """CONTRIBUTING.md: where, what, mend."""
    code = run(["rnus"])

    assert code == 2
    assert capsys.readouterr().err == "sizeup: no such command 'rnus'; did you mean sizeup runs?\n"


def test_an_unknown_option_is_told_the_nearest(capsys: pytest.CaptureFixture[str]):
    """CONTRIBUTING.md: where, what, mend."""
    code = run(["runs", "list", "--jsn"])

    assert code == 2
    assert capsys.readouterr().err == "sizeup: runs list: no such option '--jsn'; did you mean --json?\n"


def test_a_value_outside_the_choice_is_refused_in_one_sentence(capsys: pytest.CaptureFixture[str]):
    """docs/reference/commands.md: usage is exit 2."""
    code = run(["runs", "list", "--format", "xml"])

    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert len(told.err.splitlines()) == 1
    assert "'xml' is not one of" in told.err


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_common_option_stands_before_or_after_the_command(where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/commands.md: common options."""
    common = ["--json", "--results", str(tmp_path)]

    code = run([*common, "runs", "list"] if where == "before" else ["runs", "list", *common])

    assert code == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "sizeup.runs_list/1"


def test_results_come_from_the_environment_where_no_option_names_them(tmp_path: Path):
    """docs/reference/commands.md: SIZEUP_RESULTS."""
    write_sample_run(tmp_path)

    done = sizeup("runs", "list", "--json", SIZEUP_RESULTS=str(tmp_path))

    assert len(json.loads(done.stdout)["items"]) == 1


def test_an_internal_error_says_where_its_trace_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/commands.md: 3 internal error, trace in a file whose path is said."""

    def burst(ctx: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(group, "invoke", burst)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    code = run(["runs", "list"])

    told = capsys.readouterr()
    (trace,) = (tmp_path / "sizeup").iterdir()
    assert (code, told.out) == (3, "")
    assert "Traceback" not in told.err
    assert str(trace) in told.err
    assert "ZeroDivisionError: a bug" in trace.read_text()


def test_an_interrupt_is_exit_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """docs/reference/commands.md: 130 interrupted."""

    def interrupted(ctx: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(group, "invoke", interrupted)

    assert run(["runs", "list"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_reader_that_went_away_is_no_error(tmp_path: Path):
    """`sizeup runs list | head -1`: silence, and the exit code of the answer."""
    command = f"{sys.executable} -m sizeup runs list --json --results {tmp_path} | true; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_version_is_that_of_the_project():
    """One number, in pyproject.toml and in the package."""
    import tomllib

    project = tomllib.loads((Path(entry.__file__).parents[1] / "pyproject.toml").read_text())["project"]

    assert sizeup("--version").stdout == f"sizeup {project['version']}\n"


@pytest.mark.parametrize("args", [["load", "staging"], ["gate", "--buy", "t3.small:1:1y:all-upfront"]])
def test_a_broken_settings_file_is_one_sentence(args: list[str], tmp_path: Path):
    """Bad input, one sentence with the mend, exit 2."""
    (tmp_path / "sizeup.toml").write_text("[target.staging]\nalbs = 'x'\n")

    done = sizeup(*args, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'sizeup: sizeup.toml, [target.staging]: unknown key "albs"; did you mean "alb"?\n'


def test_load_without_a_settings_file_is_one_sentence(tmp_path: Path):
    """docs/reference/definitions.md: load, collect and doctor need a sizeup.toml."""
    done = sizeup("load", "staging", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("sizeup: sizeup.toml: no settings file here; ")
    assert len(done.stderr.splitlines()) == 1


def test_a_named_settings_file_that_is_not_there_is_one_sentence(tmp_path: Path):
    """docs/reference/commands.md: -c and SIZEUP_CONFIG."""
    done = sizeup("gate", "--buy", "t3.small:1:1y:all-upfront", "-c", "nowhere.toml", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith("sizeup: nowhere.toml: no such settings file; ")
