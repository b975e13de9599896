"""What a collection alone carries, and which run is taken beside it where nobody names one."""

from __future__ import annotations

import json

import pytest
from odd_collections import END, constant, daily, make_collection, topology

from evidence import create_run, seal
from sizeup.main import run

WHOLE = {"requests": daily(300), "api_requests": daily(200), "api_5xx": constant(1), "api_time": constant(0.05), "cpu": daily(12)}


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*args, expect=0):
        code = run(["--json", "--results", "runs", *map(str, args)])
        said = capsys.readouterr()
        assert code == expect, said.err
        return (json.loads(said.out) if said.out else None), said.err

    return call


def a_load(results, at, target="staging", synthetic=False):
    """A run of a load that a machine far away sent: requests, and no host's sample."""
    folder = create_run(results, target, "steps", at, counts={"requests": 900, "errors": 0, "workers": 1}, synthetic=synthetic)
    seal(folder, "complete", at)
    return folder.id


def test_the_gate_counts_the_days_of_a_collection(ask, tmp_path):
    """CONTRACT's too_few_days: days of history, 14 of them."""
    make_collection(tmp_path / "runs", WHOLE)

    found, said = ask("gate", "--buy", "t3.small:1:1y:all-upfront", expect=1)

    reasons = {reason["code"]: reason for reason in found["reasons"]}
    assert (reasons["too_few_days"]["value"], reasons["too_few_days"]["ok"]) == (14, True)
    assert (reasons["synthetic"]["ok"], reasons["memory_unmeasured"]["ok"]) == (True, False)
    assert found["runs"][0] in said


def test_the_gate_counts_the_days_of_a_balancer_whose_hosts_nobody_knows(ask, tmp_path):
    """Targets that no settings name a class of: nothing to size, and fourteen days all the same."""
    make_collection(tmp_path / "runs", WHOLE, stack=topology(instances=[]))

    found, _ = ask("gate", "--buy", "t3.small:1:1y:all-upfront", expect=1)

    assert next(reason["value"] for reason in found["reasons"] if reason["code"] == "too_few_days") == 14


def test_without_a_point_the_present_type_is_still_the_topologys(ask, tmp_path):
    make_collection(tmp_path / "runs", {})

    found, _ = ask("recommend")

    (host,) = found["hosts"]
    assert (host["present"]["type"], host["present"]["credit_mode"], host["present"]["fits"]) == ("t3.small", "unlimited", None)
    assert (host["verdict"], host["recommended"]) == ("unknown", None)
    assert "hosts[0].present.fits" in {entry["path"] for entry in found["unknowns"]}


def test_a_host_that_nothing_asked_is_said_to_be_that(ask, tmp_path):
    make_collection(tmp_path / "runs", {"cpu": daily(12)})

    found, _ = ask("recommend")

    assert "no request of the class was counted" in {entry["why"] for entry in found["unknowns"]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"instances": []}, "topology.json names no instance of a host class"),
        ({"instances": [{**topology()["instances"][0], "type": "x9.mega"}]}, "catalogue.json doesn't have x9.mega, which class 'api' runs"),
    ],
)
def test_a_collection_without_a_known_host_is_refused_in_a_sentence(ask, tmp_path, change, sentence):
    make_collection(tmp_path / "runs", WHOLE, stack=topology(**change))

    _, said = ask("recommend", expect=2)

    assert sentence in said.splitlines()[-1]


@pytest.mark.parametrize("load_first", [True, False])
def test_where_nobody_names_a_run_the_newest_history_and_load_are_taken_together_and_said(ask, tmp_path, load_first):
    """`load` then `collect`, or the other way round; another target's load and a stand-in's stay out."""
    results = tmp_path / "runs"
    history = make_collection(results, WHOLE).name
    apart = END.replace(hour=1) if not load_first else END.replace(day=20)
    load = a_load(results, apart)
    a_load(results, apart.replace(minute=1), synthetic=True)
    a_load(results, END.replace(day=1))

    found, said = ask("gate", "--buy", "t3.small:1:1y:all-upfront", expect=1)

    assert found["runs"] == sorted([load, history], reverse=True)
    assert load in said
    assert history in said
    assert next(reason["value"] for reason in found["reasons"] if reason["code"] == "no_run") == 2


def test_of_several_loads_that_of_the_same_target_is_taken(ask, tmp_path):
    results = tmp_path / "runs"
    history = make_collection(results, WHOLE).name
    same, _ = a_load(results, END.replace(day=10), target="production"), a_load(results, END.replace(day=20))

    found, said = ask("recommend")

    assert found["runs"] == [history, same]
    assert f"runs: {history}, and beside it the newest load, {same}" in said
    assert found["traffic"]["source"] == "history"


def test_a_run_that_is_named_stays_alone(ask, tmp_path):
    results = tmp_path / "runs"
    history = make_collection(results, WHOLE).name
    a_load(results, END.replace(day=10))

    found, said = ask("recommend", history)

    assert (found["runs"], said) == ([history], "")
