"""The house: what imports what, what is installed, and that the papers say what the code does."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import click
import pytest

from collectors.registry import Collector
from evidence import TABLES
from loadtests.mix import Scenario
from sizeup.main import group, run
from sizeup.settings import Settings, load_settings
from sizeup.words import NAMES, REASONS
from sizing.constraints import Constraint, constraints

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("evidence", "catalogue", "sizing", "loadtests", "collectors", "staging", "sizeup")
HEAVY = {"polars", "pyarrow", "boto3", "botocore", "scipy", "locust", "gevent", "matplotlib", "moto", "pydantic", "numpy"}
KINDS = {
    "ts": "timestamp[us, UTC]", "i16": "int16", "i32": "int32", "i64": "int64", "f32": "float32", "f64": "float64", "str": "string",
    "bool": "bool",
}  # fmt: skip
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "results").glob("*.md")])


def commands(command: click.Command = group, path: tuple[str, ...] = ("sizeup",)) -> dict[str, click.Command]:
    """Every command by its whole name, groups not counted."""
    if not isinstance(command, click.Group):
        return {" ".join(path): command}
    context = click.Context(command, info_name=path[-1])
    found: dict[str, click.Command] = {}
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        found |= commands(child, (*path, name))
    return found


def section(paper: str, heading: str) -> str:
    """The text of a paper under a heading, up to the next of its kind."""
    text = (ROOT / paper).read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def blocks(paper: str, language: str) -> list[str]:
    """The code blocks of one language in a paper."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / paper).read_text(encoding="utf-8"), re.DOTALL)


def test_no_two_modules_of_the_tests_share_a_name():
    """Test folders are no packages: of two modules with one name, the second to be imported would be the first."""
    names = [path.stem for path in (ROOT / "tests").rglob("*.py") if path.stem != "conftest"]
    assert sorted(names) == sorted(set(names))


def test_imports_point_down():
    """docs/design.md: the contracts that import-linter holds."""
    done = subprocess.run([Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_no_dependency_owns_a_name_of_ours():
    """docs/design.md: plain top-level packages, so nothing installed may have one of our names."""
    owners = packages_distributions()

    assert {room: sorted(set(owners.get(room, ())) - {"sizeup"}) for room in ROOMS} == {room: [] for room in ROOMS}


@pytest.mark.parametrize("room", ROOMS)
def test_a_face_pulls_nothing_heavy(room: str):
    """CONTRIBUTING.md: importing is free, milliseconds, and a Locust worker may import any face."""
    code = f"import sys, {room}; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not HEAVY & {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("room", ROOMS[:-1])
def test_every_name_of_a_face_is_there(room: str):
    """CONTRIBUTING.md: the face is `__all__`; in a process of its own, since Locust patches the one it is imported into."""
    code = f"import {room}; print(*[name for name in {room}.__all__ if not hasattr({room}, name)])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


@pytest.mark.parametrize("name", ["run", "notebook", "dev"])
def test_a_requirement_file_is_hashed_and_names_no_index(name: str):
    """Hashed requirement files without index addresses."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    pins = re.findall(r"^[A-Za-z0-9_.\[\]-]+==[^\n]*(?:\n +[^\n]*)*", text, re.MULTILINE)

    assert pins
    assert all("--hash=sha256:" in pin for pin in pins)
    assert not re.search(r"https?://|--index|--find-links|--extra", text)


def test_what_running_needs_is_locked_alike_in_all_three_files():
    """`make test` after `make demo` only adds."""
    texts = [(ROOT / "requirements" / f"{name}.txt").read_text() for name in ("run", "notebook", "dev")]
    run_pins, notebook_pins, dev_pins = (set(re.findall(r"^(\S+==\S+)", text, re.MULTILINE)) for text in texts)

    assert run_pins <= notebook_pins <= dev_pins


@pytest.mark.parametrize("name", commands())
def test_every_help_ends_in_an_example_of_that_command(name: str, capsys: pytest.CaptureFixture[str]):
    """CONTRIBUTING.md: every --help ends in a command that runs."""
    code = run([*name.split()[1:], "--help"])

    last = capsys.readouterr().out.strip().splitlines()[-1].strip()
    assert code == 0
    assert last.startswith(name)


@pytest.mark.parametrize("name", commands())
def test_every_example_is_understood(name: str):
    """CONTRIBUTING.md: the example parses, with every option it names."""
    command = commands()[name]
    example = shlex.split((command.epilog or "").partition("Example:")[2])

    command.make_context(name, example[len(name.split()) :])


@pytest.mark.parametrize("page", ["commands", "registered"])
def test_the_reference_is_as_the_code_says(page: str):
    """CONTRIBUTING.md: one entry for each command and registered thing; where this fails, `make docs` mends it."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)

    assert (ROOT / "docs" / "reference" / f"{page}.md").read_text(encoding="utf-8") == getattr(generate, f"{page}_page")()


@pytest.mark.parametrize("table", TABLES)
def test_every_column_stands_in_the_reference(table: str):
    """docs/reference/run-folder.md: name, type and whether it may be null."""
    text = section("docs/reference/run-folder.md", table)
    rows = [f"| `{c.name}` | {KINDS[c.kind]} | {'yes' if c.nullable else ''} |" for c in TABLES[table]]

    assert re.findall(r"^\| `.*?` \| .*? \| (?:yes)? ?\|", text, re.MULTILINE) == rows


def test_every_key_of_the_settings_stands_in_the_reference():
    """docs/reference/settings.md."""
    text = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    tables = {f.alias or name: _inner(f.annotation) for name, f in Settings.model_fields.items()}
    keys = [f"{name}.{key}" for name, table in tables.items() for key in table.model_fields]

    assert [key for key in keys if not re.search(rf"`{_as_documented(key)}", text)] == []


def test_the_example_settings_are_valid(tmp_path: Path):
    """docs/reference/settings.md: the reference's own example."""
    (tmp_path / "sizeup.toml").write_text(blocks("docs/reference/settings.md", "toml")[0], encoding="utf-8")

    settings = load_settings(tmp_path / "sizeup.toml")

    assert settings.target["staging"].max_rate_per_s == 50
    assert settings.class_["api"].deploy == "blue_green"


def test_every_constraint_and_reason_has_its_words():
    """What a person reads is made of them; `arch_unmeasured` and `price_missing` are no constraint files."""
    assert set(constraints()) <= set(NAMES)
    assert [code for code in REASONS if f"`{code}`" not in (ROOT / "docs/reference/json.md").read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(("number", "kind"), [(0, Scenario), (1, Collector), (2, Constraint)])
def test_the_examples_of_contributing_run(number: int, kind: type):
    """CONTRIBUTING: one file each, as it stands there."""
    names: dict[str, object] = {}

    exec(compile(blocks("CONTRIBUTING.md", "python")[number], "CONTRIBUTING.md", "exec"), names)

    assert isinstance(names[kind.__name__.upper()], kind)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_between_papers_leads_somewhere(paper: Path):
    """CONTRIBUTING.md: docs are tested: links."""
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", paper.read_text(encoding="utf-8")) if "://" not in link]

    assert [link for link in links if not (paper.parent / link).exists()] == []


def test_the_readme_shows_what_the_gate_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Its real output; the price's age is the one thing that moves."""
    block = next(b for b in blocks("README.md", "console") if b.startswith("$ sizeup gate "))
    command, _, shown = block.partition("\n")

    code = run([*shlex.split(command)[2:], "--results", str(tmp_path), "--region", "ap-northeast-2"])

    said = capsys.readouterr().out
    assert code == 1
    assert _ageless(shown) == _ageless(said)


def test_the_readme_fits_one_screen():
    """CONTRIBUTING.md: all on one screen."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 75


def test_the_licence_and_ci_are_there():
    """LICENSE (Apache-2.0), .ci/run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert "make test" in (ROOT / ".ci/run").read_text()


def _ageless(text: str) -> str:
    return re.sub(r"\d+ days old", "N days old", text).strip()


def _inner(annotation: Any) -> Any:
    """Find the table in `Table`, `tuple[Table, ...]` or `dict[str, Table]`."""
    if hasattr(annotation, "model_fields"):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _inner(part)) is not None), None)


def _as_documented(key: str) -> str:
    """`target.url` stands there as `target.NAME.url`; a scenario's keys stand in its one line."""
    table, _, name = key.partition(".")
    if table == "scenario":
        return rf"scenario\.CLASS`.*`{name}"
    return rf"{table}(\.NAME)?\.{name}`"
