"""make, where something that it needs is missing: one sentence with the mend, nothing half made."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def make(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run make in a folder that holds the Makefile alone."""
    shutil.copy(ROOT / "Makefile", folder)
    return subprocess.run(["make", "-s", *args], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def python_that(folder: Path, refuses: str) -> Path:
    """A stand-in for an interpreter whose every line that has `refuses` in it fails."""
    path = folder / "python-stand-in"
    path.write_text(f'#!/bin/sh\ncase "$*" in *{refuses}*) exit 1;; *-V*) echo Python 3.9.2;; esac\n')
    path.chmod(0o755)
    return path


def test_no_python_at_all_is_one_sentence(tmp_path: Path):
    """A machine with only Python and make."""
    done = make(tmp_path, "setup", "PYTHON=no-such-python")

    assert done.returncode != 0
    assert done.stderr.splitlines()[0].startswith("no-such-python: no such program; install Python 3.11")


@pytest.mark.parametrize(("refuses", "says"), [("version_info", "is Python 3.9.2, sizeup needs 3.11"), ("ensurepip", "has no venv")])
def test_a_python_that_will_not_do_is_one_sentence(refuses: str, says: str, tmp_path: Path):
    """A python3 without venv gets one sentence."""
    done = make(tmp_path, "setup", f"PYTHON={python_that(tmp_path, refuses)}")

    assert done.returncode != 0
    assert says in done.stderr.splitlines()[0]
    assert not (tmp_path / ".venv").exists()
