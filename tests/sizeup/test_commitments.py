"""`sizeup commitments` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from sample_run import write_sample_run

from evidence import SizeupError
from sizeup.commit import leave_ratio, read_offers
from sizeup.main import run

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs" / "schema" / "commitments.json").read_text())
SEOUL = ["--region", "ap-northeast-2"]


def asked(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    code = run(["commitments", *args, *SEOUL])
    return code, capsys.readouterr().out


def test_without_a_run_it_says_what_would_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Nothing is known, so nothing is said to pay; the document keeps to its schema."""
    code, shown = asked(capsys, "--results", str(tmp_path))
    _, document = asked(capsys, "--results", str(tmp_path), "--json")

    assert code == 0
    assert shown.splitlines()[0].startswith("unknown: ")
    assert list(Draft202012Validator(SCHEMA).iter_errors(json.loads(document))) == []


def test_a_synthetic_run_never_says_buy(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Neither does one without history; it waits, and names what lifts that."""
    path = write_sample_run(tmp_path)

    _, text = asked(capsys, str(path), "--detail")
    code, shown = asked(capsys, str(path), "--json", "--term", "1y", "--payment", "all-upfront")

    document = json.loads(shown)
    assert code == 0
    assert document["plan"]["action"] in {"wait", "none"}
    assert document["missing"]
    assert "next: " in text
    assert list(Draft202012Validator(SCHEMA).iter_errors(document)) == []


@pytest.mark.parametrize(("text", "ratio"), [("3%/month", 0.03), ("0.03", 0.03), ("0", 0.0)])
def test_the_chance_of_leaving_is_read(text: str, ratio: float):
    """docs/reference/commands.md: --leave 3%/month."""
    assert leave_ratio(text) == pytest.approx(ratio)


@pytest.mark.parametrize("text", ["", "3 a month", "120%", "1.2.3", "-1"])
def test_no_chance_of_leaving_is_one_sentence(text: str):
    """CONTRIBUTING.md."""
    with pytest.raises(SizeupError, match="3%/month"):
        leave_ratio(text)


@pytest.mark.parametrize("args", [["--term", "2y"], ["--payment", "cash"], ["--leave", "often"]])
def test_a_wrong_question_exits_with_2(args: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """CONTRIBUTING.md."""
    code, _ = asked(capsys, *args, "--results", str(tmp_path))

    assert code == 2


def test_an_offers_file_states_prices(tmp_path: Path):
    """docs/reference/json.md: its example."""
    text = (Path(__file__).resolve().parents[2] / "docs/reference/json.md").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(text.split("```toml\n")[1].split("```")[0], encoding="utf-8")

    found = read_offers(tmp_path / "mine.toml")

    assert [key for key in found] == [("sp_compute", "t3.micro", 1, "no_upfront")]  # noqa: C416
    assert str(next(iter(found.values())).hourly_usd) == "0.0094"
