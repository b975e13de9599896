"""`sizeup gate` as a build server runs it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from sample_run import write_sample_run

from evidence import Reason
from sizeup.junit import write_junit
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


def test_whatever_a_reason_says_the_junit_file_is_xml(tmp_path: Path):
    """XML 1.0, 2.2: control characters and lone surrogates have no way in; the rest is escaped and read back as it was."""
    hostile = Reason("<&\"'>\x00\x1b\ud800]]>", False, 1.0, 2.0, "\x07", "sizeup look \ufffe")

    write_junit(tmp_path / "gate.xml", "--buy <&\x08>", [hostile])

    suite = ET.parse(tmp_path / "gate.xml").getroot()
    assert suite.get("name") == "--buy <&\ufffd>"
    assert suite[0].get("name") == "<&\"'>\ufffd\ufffd\ufffd]]>"
    assert suite[0][0].text == "sizeup look \ufffd"


def test_a_verdict_is_on_one_purchase(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Of two, the last would have been judged and the first forgotten."""
    code = run([*BUY, "--buy", "t3.micro:1:1y:all-upfront", "--results", str(tmp_path)])

    assert code == 2
    assert "--buy is given 2 times; a verdict is on one purchase" in capsys.readouterr().err
