"""`sizeup gate` as a build server runs it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from sample_run import write_sample_run

from sizeup.main import run

BUY = ["gate", "--buy", "t3.small:1:1y:all-upfront", "--region", "ap-northeast-2"]


def test_each_reason_is_a_test_case_of_the_junit_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """JUnit XML: a testsuite with its counts, a testcase a reason, a failure in each that doesn't hold."""
    file = tmp_path / "gate.xml"

    code = run([*BUY, str(write_sample_run(tmp_path)), "--junit", str(file)])

    suite = ET.parse(file).getroot()
    failures = {case.get("name"): failure for case in suite for failure in case}
    assert code == 1
    assert (suite.tag, suite.get("name"), suite.get("tests")) == ("testsuite", "sizeup gate t3.small:1:1y:all-upfront", str(len(suite)))
    assert suite.get("failures") == str(len(failures))
    assert (failures["synthetic"].get("type"), failures["synthetic"].text) == ("refused", "load your own stack: sizeup load staging")
    assert "no_run" not in failures


def test_a_junit_file_that_cannot_be_written_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """CONTRIBUTING.md: what, where, mend."""
    code = run([*BUY, "--results", str(tmp_path), "--junit", str(tmp_path / "nowhere" / "gate.xml")])

    assert code == 2
    assert "nowhere" in capsys.readouterr().err
