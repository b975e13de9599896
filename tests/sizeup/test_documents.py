"""The JSON documents against their schemas, and the words that are made of them."""

from __future__ import annotations

import copy
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from sample_answer import sample_document
from sample_run import write_sample_run

from evidence import SizeupError
from sizeup.main import run
from sizeup.output import csv_table, dump, markdown_table, mib, money, percent
from sizeup.text import candidate_rows, explain_text, recommend_text
from sizeup.words import binding_words, headline, refusals, why_not

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schema"
BUY = ["gate", "--buy", "t3.small:1:1y:all-upfront", "--region", "ap-northeast-2"]


def faults(name: str, document: dict[str, Any]) -> list[str]:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    return [f"{e.json_path}: {e.message}" for e in Draft202012Validator(schema).iter_errors(document)]


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda p: p.name)
def test_a_schema_is_one_of_draft_2020_12(path: Path):
    """Docs/schema, draft 2020-12, additional fields allowed."""
    schema = json.loads(path.read_text())

    Draft202012Validator.check_schema(schema)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert '"additionalProperties": false' not in path.read_text()


def test_the_recommendation_keeps_to_its_schema():
    """docs/reference/json.md, recommend."""
    assert faults("recommend", sample_document()) == []


def test_the_gate_keeps_to_its_schema_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/json.md, gate: every code is listed each time; t3.small in Seoul is 3.83 and 64.00."""
    code = run([*BUY, "--results", str(tmp_path), "--json"])

    document = json.loads(capsys.readouterr().out)
    assert code == 1
    assert faults("gate", document) == []
    assert (document["wait"]["cost_usd"], document["wrong_usd"], document["pass"]) == ("3.83", "64.00", False)
    assert [r["ok"] for r in document["reasons"] if r["code"] == "too_short"] == [None]


def test_the_gate_keeps_to_its_schema_with_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/json.md, gate: with a run the tests of its evidence are judged."""
    path = write_sample_run(tmp_path, synthetic=False)

    code = run([*BUY, str(path), "--json"])

    document = json.loads(capsys.readouterr().out)
    judged = {r["code"]: r["ok"] for r in document["reasons"]}
    assert code == 1
    assert faults("gate", document) == []
    assert (judged["no_run"], judged["synthetic"], judged["too_short"], judged["no_deployment"]) == (True, True, False, True)


def test_the_gate_takes_the_newest_real_run_by_itself_and_never_a_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/json.md, gate: without RUN the newest complete run that is not synthetic."""
    write_sample_run(tmp_path, synthetic=True)

    run([*BUY, "--results", str(tmp_path), "--json"])

    assert json.loads(capsys.readouterr().out)["runs"] == []


def test_a_price_that_is_neither_known_nor_given_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Asked for, never guessed; exit 2, naming the flags."""
    code = run(["gate", "--buy", "c3.2xlarge:1:1y:all-upfront", "--region", "ap-northeast-2", "--results", str(tmp_path)])

    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert len(told.err.splitlines()) == 1
    assert "--upfront" in told.err


def test_a_price_given_replaces_the_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/json.md: effective = upfront / (8,760 h × years) + recurring; 87.60 / 8,760 = 0.01."""
    run([*BUY, "--upfront", "87.60", "--results", str(tmp_path), "--json"])

    assert Decimal(json.loads(capsys.readouterr().out)["buy"]["effective_hourly_usd"]) == Decimal("0.01")


def test_a_held_reservation_is_told_beside_a_purchase(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """One regional t3.small is one unit, which covers two t3.micro."""
    (tmp_path / "sizeup.toml").write_text('[[held]]\ntype = "t3.small"\n')

    run([*BUY, "-c", str(tmp_path / "sizeup.toml"), "--results", str(tmp_path)])

    assert "it covers 1 × t3.small, or 2 × t3.micro" in capsys.readouterr().out


def test_the_text_says_type_saving_and_chance_of_every_class():
    """CONTRIBUTING.md: `api  t3.small → t3.micro, saves $9.49 a month, holds in 97 % of sampled weeks (policy 95 %)`."""
    document = sample_document()

    text = recommend_text(document)

    heads = [line for line in text.splitlines() if "→" in line or line.endswith(": no candidate fits")]
    assert len(heads) == len(document["hosts"])
    assert text.splitlines()[-1].startswith("next: sizeup ")


def test_what_costs_instead_of_failing_is_not_said_to_bind_where_something_fails():
    """Credits in unlimited mode are overdrawn by most, and a type is refused for its memory."""
    failing = {"type": "t3.nano", "credit_mode": "unlimited", "arch": "x86_64", "count": 1, "fits": False, "constraints": [
        {"constraint": "credits", "need": 900.0, "have": 144.0, "unit": "credits", "margin_ratio": -5.25, "ok": True},
        {"constraint": "memory_steady", "need": 500.0 * 2**20, "have": 400.0 * 2**20, "unit": "bytes", "margin_ratio": -0.25, "ok": False},
    ]}  # fmt: skip
    chosen = {**failing, "type": "t3.micro", "fits": True}

    words = binding_words({"binding": failing["constraints"][0], "recommended": chosen, "candidates": [failing, chosen]})
    alone = binding_words({"binding": failing["constraints"][0], "recommended": chosen, "candidates": [chosen]})

    assert words == "memory: 500 MiB needed, t3.nano unlimited has 400 MiB (measured)"
    assert alone == "CPU credits: 900 credits needed of 144 credits, the rest is charged (computed)"


def test_every_cheaper_candidate_is_refused_with_a_reason():
    """Why not cheaper."""
    for host in sample_document()["hosts"]:
        told = dict(refusals(host))
        cheaper = [c for c in host["candidates"] if c["fits"] is not True and float(c["monthly_usd"]) < float(_dearest(host))]
        assert all(any(name.startswith(c["type"]) for name in told) for c in cheaper)
        assert all(told.values())


def test_the_same_type_stays():
    """Nothing is said to be saved where nothing changes."""
    host = copy.deepcopy(sample_document()["hosts"][0])
    host["recommended"] = host["present"]

    assert headline(host, 0.95).startswith("stays on ")


def test_a_dearer_type_costs_more():
    """An undersized host is told what the larger one costs."""
    host = copy.deepcopy(sample_document()["hosts"][0])
    host["present"] = {**host["present"], "monthly_usd": "1.00"}

    assert re.search(r"costs \$\d+\.\d\d a month more", headline(host, 0.95))


@pytest.mark.parametrize(("asked", "mend"), [("t3.mirco", "did you mean t3.micro?"), ("x9.huge", "they are t")])
def test_explaining_what_was_no_candidate_says_what_was(asked: str, mend: str):
    with pytest.raises(SizeupError) as refused:
        explain_text(sample_document(), asked)

    assert f"--explain {asked}: it is not among the candidates; {mend}" in str(refused.value)
    assert str(refused.value).endswith("with --candidates.")


def test_explain_shows_every_constraint_of_a_type():
    """docs/reference/commands.md: --explain TYPE."""
    document = sample_document()
    constraints = [c for h in document["hosts"] for c in h["candidates"] if c["type"] == "t3.micro"]

    text = explain_text(document, "t3.micro")

    assert sum(line.endswith(("ok", "fails", "unknown")) for line in text.splitlines()) == sum(len(c["constraints"]) for c in constraints)


def test_what_cannot_be_judged_is_said_so():
    """docs/reference/json.md: fits null, arch_unmeasured; of the largest, as the smallest lacks credits besides."""
    candidate = [c for c in sample_document()["hosts"][0]["candidates"] if c["arch"] == "arm64"][-1]

    assert (candidate["fits"], why_not(candidate)) == (None, "arm64 was never measured")


def test_csv_and_markdown_have_a_line_for_each_candidate():
    """docs/reference/commands.md: --format csv|md."""
    rows = candidate_rows(sample_document())

    assert len(csv_table(rows).splitlines()) == len(rows) + 1
    assert len(markdown_table(rows).splitlines()) == len(rows) + 2


def test_recommend_fails_on_the_verdicts_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/commands.md: `--fail-on`, exit 1; without it exit 0 whenever it answered."""
    path = str(write_sample_run(tmp_path))
    verdicts = {h["verdict"] for h in sample_document()["hosts"]}
    words = ",".join(verdicts - {"rightsized"})

    codes = [run(["recommend", path, "--peak", "20/s", "-q", *extra]) for extra in ([], ["--fail-on", words])]

    capsys.readouterr()
    assert codes == [0, 1]


def test_an_unknown_type_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """An unknown type: one sentence with the mend, exit 2."""
    code = run(["recommend", str(write_sample_run(tmp_path)), "--candidates", "t3.micor"])

    assert code == 2
    assert 'did you mean "t3.micro"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("usd", "shown"), [("9.49", "$9.49"), ("-3", "−$3.00"), ("1004.3200", "$1,004.32"), (None, "unknown"), ("-0.001", "$0.00")]
)
def test_money_is_written_in_cents(usd: str | None, shown: str):
    """Numbers have units and as many digits as they bear."""
    assert money(usd) == shown


@given(st.floats(min_value=0, max_value=1))
def test_a_chance_is_never_rounded_to_certainty(ratio: float):
    """97.6 % isn't 100 %: only what is certain is said to be."""
    assert (percent(ratio) == "100 %") == (ratio == 1)
    assert (percent(ratio) == "0 %") == (ratio == 0)


def test_bytes_are_mebibytes():
    """914 MiB, not MB."""
    assert (mib(914 * 2**20), mib(2**19), mib(None)) == ("914 MiB", "0.5 MiB", "unknown")


def test_no_document_has_a_number_that_json_does_not_know():
    """RFC 8259: no NaN, no infinity; what came out as one is null and unknown."""
    told = json.loads(dump({"hosts": [{"p95_s": float("nan")}], "unknowns": [], "peak": np.float32("inf")}), parse_constant=pytest.fail)

    assert (told["hosts"][0]["p95_s"], told["peak"]) == (None, None)
    assert [entry["path"] for entry in told["unknowns"]] == ["hosts[0].p95_s"]


def _dearest(host: dict[str, Any]) -> str:
    """What the recommended candidate costs; the dearest one's price where none fits."""
    return str((host["recommended"] or host["candidates"][-1])["monthly_usd"])
