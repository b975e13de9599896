"""A verdict's reasons as JUnit XML, which build servers show: a test that doesn't hold, or can't be judged, is a failure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from evidence import Reason, SizeupError

NO_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What XML 1.0 has no way to write; ElementTree writes it all the same."""


def write_junit(path: Path, suite: str, reasons: Sequence[Reason]) -> None:
    """Write one test case a reason.

    Raises
    ------
    SizeupError
        Where the file can't be written.
    """
    refused = [reason for reason in reasons if reason.ok is not True]
    told = {"tests": str(len(reasons)), "failures": str(len(refused)), "errors": "0", "skipped": "0", "time": "0"}
    root = ET.Element("testsuite", {"name": _plain(suite)} | told)
    for reason in reasons:
        case = ET.SubElement(root, "testcase", classname="sizeup.gate", name=_plain(reason.code), time="0")
        if reason.ok is not True:
            ET.SubElement(case, "failure", message=_plain(_said(reason)), type=_kind(reason)).text = _plain(reason.lift)
    try:
        ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as refused_file:
        raise SizeupError(f"--junit {path}: {refused_file.strerror}; name a file in a folder that may be written.") from refused_file


def _said(reason: Reason) -> str:
    if reason.value is None or reason.need is None:
        return f"{reason.code}: can't be judged yet"
    return f"{reason.code}: {reason.value:g} {reason.unit}, needs {reason.need:g}"


def _kind(reason: Reason) -> str:
    return "unknown" if reason.ok is None else "refused"


def _plain(text: str) -> str:
    return NO_XML.sub("\ufffd", text)
