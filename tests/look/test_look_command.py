"""`sizeup look` as a person runs it: its JSON, its text, its run folder, its refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from evidence import open_run

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "look.json"


def look(where: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sizeup", "look", "--results", str(where / "runs"), "--region", "ap-northeast-2", *args]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    where = tmp_path_factory.mktemp("look")
    done = look(where, "--seconds", "2", "--as", "t2.micro,t3.micro,t3.small", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), where


def test_the_answer_follows_its_schema(answered):
    """docs/schema/look.json, draft 2020-12."""
    document, _ = answered
    schema = json.loads(SCHEMA.read_text())

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)


def test_each_need_is_the_sum_of_what_was_measured(answered):
    """docs/reference/definitions.md, memory need; no JVM's default heap makes it less here or there."""
    document, _ = answered
    groups = document["memory"]["groups"]

    held = sum(group["rss_bytes"] if group["pss_bytes"] is None else group["pss_bytes"] for group in groups)

    need = held + document["system_bytes"] + document["page_cache_floor_bytes"]
    assert all(entry["need_bytes"] == need for entry in document["types"]) or any(group["jvm"] for group in groups)
    assert document["system_bytes"] == document["memory"]["kernel_bytes"]
    assert (document["provisional"], document["seconds"], document["seed"]) == (True, 2.0, None)


def test_the_run_folder_holds_the_whole_machine(answered):
    """A run of the plan `look`, so that the gate can use it; one row of hosts each half second."""
    document, where = answered

    run = open_run(where / "runs" / document["runs"][0])

    assert (run.status, run.meta["plan"]["name"], run.requests.height) == ("complete", "look", 0)
    assert run.id.endswith("-look")
    assert run.hosts.height == 4
    assert run.hosts["mem_total_bytes"].unique().to_list() == [document["memory"]["total_bytes"]]
    assert run.hosts.select("cpu_idle_s", "mem_available_bytes").null_count().sum_horizontal().item() == 0
    assert set(run.processes["at"]) == set(run.hosts["at"])
    assert [t["type"] for t in run.catalogue["types"]] == ["t2.micro", "t3.micro", "t3.small"]


def test_the_text_is_provisional_and_ends_in_what_to_do_next(tmp_path):
    done = look(tmp_path, "--seconds", "0.5", "--as", "t2.micro")

    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("provisional: ") for line in lines)
    assert lines[-1].startswith("next: sizeup ")
    assert "t2.micro" in done.stdout


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["ec2-user@nowhere.invalid"], "ec2-user@nowhere.invalid: "),
        (["--as", "t2.mikro"], 'unknown instance type "t2.mikro" in ap-northeast-2; did you mean "t2.micro"?'),
        (["--as", ","], "--as names no type"),
        (["--seconds", "0"], "0 is not in the range"),
    ],
)
def test_a_wrong_question_is_one_sentence_and_exit_code_two(tmp_path, args, sentence):
    done = look(tmp_path, *args)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert sentence in done.stderr
    assert not (tmp_path / "runs").exists()
