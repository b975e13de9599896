"""docs/case-moco.md: its figures are those of the runs in results/moco, and the runs are small enough to be checked in."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "results" / "moco"


@pytest.fixture(scope="module")
def case():
    sys.path.insert(0, str(ROOT / "docs"))
    import case_moco

    yield case_moco
    sys.path.remove(str(ROOT / "docs"))


def test_the_paper_is_what_the_script_writes(case):
    """The figures are written by a script from a run folder, not by hand. Else: .venv/bin/python docs/case_moco.py."""
    assert case.PAPER.read_text(encoding="utf-8") == case.write() + "\n"


def test_the_runs_are_under_5_mb():
    assert sum(file.stat().st_size for file in RUNS.rglob("*") if file.is_file()) < 5_000_000


def test_the_runs_hold_no_secret():
    for file in RUNS.rglob("*"):
        if file.is_file():
            assert b"demo-password" not in file.read_bytes(), file
            assert b"eyJhbGciOi" not in file.read_bytes(), file


def test_the_collectors_are_those_that_the_types_would_choose(case):
    """OpenJDK: a server-class machine has two processors and 1,792 MiB."""
    collectors = {name: case.read_run(RUNS / name).jvm.gc for name in (case.SMALL, case.MICRO, case.CAPPED)}

    assert collectors == {"t3.small": "G1", "t3.micro": "Serial", "t3.micro-capped": "Serial"}


def test_two_colours_overlap_in_each_run(case):
    for name in (case.SMALL, case.MICRO, case.CAPPED):
        measured = case.read_run(RUNS / name)
        jvms = measured.run.processes.filter(pl.col("group") == "jvm")
        assert set(jvms["color"].unique()) == {"blue", "green"}
        assert measured.overlap_s >= 2
        assert 0.5 < measured.second_ratio < 1.2


def test_what_is_spare_within_the_assumed_parts_width_is_left_open(case):
    assert case.verdict(case.spread_mib() - 1).startswith("too near to say")
    assert case.verdict(case.spread_mib() + 1).startswith("holds")
    assert case.verdict(-case.spread_mib() - 1).startswith("no")
