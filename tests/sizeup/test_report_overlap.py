"""The report says for how long a deployment's two copies ran at once, and what they held."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_run import DEPLOY, write_sample_run

from evidence import open_run
from sizeup.report.sections.hosts import _memory_picture
from sizeup.report.series import Series


def test_the_overlap_is_that_of_the_two_colours(tmp_path: Path):
    """The sample's copies hold 310 MiB each, 1 more every ten seconds; they overlap while it deploys."""
    series = Series(open_run(write_sample_run(tmp_path)))

    seconds, both_mib = series.overlap("api")

    assert seconds == pytest.approx((DEPLOY[1] - DEPLOY[0]).total_seconds())
    assert both_mib == pytest.approx(2 * (310 + 3))


def test_the_words_under_the_picture_say_it(tmp_path: Path):
    _, words = _memory_picture(Series(open_run(write_sample_run(tmp_path))), "api")

    assert "two copies ran at once for 12 s and held up to 626 MiB together" in words


def test_a_class_without_colours_has_no_overlap(tmp_path: Path):
    assert Series(open_run(write_sample_run(tmp_path))).overlap("frontend") == (0.0, 0.0)
