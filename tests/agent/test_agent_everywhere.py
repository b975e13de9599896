"""The agent runs on whatever Python a host has: 3.7 and newer, its standard library alone, no leftovers of the compiler."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from agent_process import AGENT, start_agent, wait_for_beats

from collectors.agent_spool import read_spool_rows

OLDEST = (3, 7)


def pythons() -> list[str]:
    """Every Python that is found: on the path, the system's, and pyenv's."""
    named = [shutil.which(f"python3.{minor}") for minor in range(7, 20)]
    pyenv = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin/python"))
    paths = [sys.executable, "/usr/bin/python3", *filter(None, named), *pyenv]
    found = dict.fromkeys(os.path.realpath(path) for path in paths if os.path.exists(path))
    return [path for path in found if (version := version_of(path)) and version >= OLDEST]


def version_of(path: str) -> tuple[int, int] | None:
    told = subprocess.run([path, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False, timeout=20)
    numbers = told.stdout.split()
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else None


@pytest.mark.skipif(sys.platform != "linux", reason="the agent reads /proc")
@pytest.mark.parametrize("python", pythons(), ids=lambda path: path.replace("/", "_")[-40:])
def test_it_runs_on_every_python_found(python, tmp_path):
    """Compiled by that Python, warnings as errors, without site, user or environment, as it is installed."""
    (tmp_path / "groups.json").write_text('[{"name": "any", "match": "python", "color": "(3.)"}]')
    process = start_agent(
        tmp_path / "spool", "--beat", "100ms", "--seconds", "0.35", "--groups", str(tmp_path / "groups.json"), python=python,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    _, errors = process.communicate(timeout=30)

    rows = read_spool_rows(tmp_path / "spool")

    assert (process.returncode, errors) == (0, b"")
    assert len(rows.hosts) >= 2
    assert rows.head["python"].startswith("3.")
    assert rows.processes


def test_every_call_is_in_python_3_7():
    """vermin finds the least Python that has each syntax, module and member used."""
    vermin = Path(sys.executable).with_name("vermin")

    told = subprocess.run([vermin, "--no-tips", str(AGENT)], capture_output=True, text=True, check=False, timeout=60)

    least = re.search(r"Minimum required versions:\s*(.*)", told.stdout)
    assert least is not None, told.stdout + told.stderr
    assert re.search(r"\b3\.([0-7])\b", least.group(1)), told.stdout
    assert not re.search(r"\b3\.([89]|1\d)\b", least.group(1)), told.stdout


def test_it_imports_the_standard_library_alone():
    """docs/design.md: the agent imports the standard library alone, and of that at its start nothing heavy."""
    tree = ast.parse(AGENT.read_text())
    top = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    every = plain | {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}

    assert top == {"_signal", "fcntl", "gc", "os", "struct", "sys", "time", "zlib"}
    assert every <= sys.stdlib_module_names


@pytest.mark.skipif(sys.platform != "linux", reason="the agent reads /proc")
def test_it_opens_no_port_and_holds_little(tmp_path):
    """docs/design.md: opens no port. RSS at most 11 MB; benchmarks/agent.py measures that as it is installed."""
    import psutil

    compiled = tmp_path / "agent.pyc"
    script = "import py_compile, sys; py_compile.compile(sys.argv[1], cfile=sys.argv[2], doraise=True, optimize=2)"
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    subprocess.run([python, "-I", "-S", "-E", "-c", script, str(AGENT), str(compiled)], check=True)
    options = ["--spool", str(tmp_path / "spool"), "--beat", "100ms", "--seconds", "1.5"]
    process = subprocess.Popen([python, "-I", "-S", "-E", str(compiled), *options])
    wait_for_beats(tmp_path / "spool", 2)
    known = psutil.Process(process.pid)
    rss, sockets = known.memory_info().rss, known.net_connections()
    process.wait(20)

    assert sockets == []
    assert rss <= 14e6  # a host of hundreds of processes holds more than the benchmark's
