"""The report in a real browser: one file that reads anywhere, and nothing from outside in it but as text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from sample_answer import sample, sample_document
from sample_run import write_sample_run

from evidence import write_json
from sizeup.main import run
from sizeup.report import Page, render_report, sections

ARGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
HOSTILE = '<script>document.title="broken"</script><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium, which make test installs as root."""
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=shutil.which("chromium"), args=list(ARGS))
        yield found
        found.close()


def look(browser: Browser, file: Path, width: int, scheme: Any) -> dict[str, Any]:
    """Open a file; return what went wrong in it, and what it measures."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    told: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    unnamed = "[...document.querySelectorAll('svg')].filter(s => !s.querySelector('title + desc')).length"
    seen = {
        "told": told, "asked": asked, "title": page.title(), "text": page.inner_text("body"),
        "over_px": page.evaluate("document.documentElement.scrollWidth - window.innerWidth"),
        "paper": page.evaluate("getComputedStyle(document.body).backgroundColor"),
        "unnamed": page.evaluate(unnamed),
        "uncaptioned": page.evaluate("[...document.querySelectorAll('table')].filter(t => !t.caption).length"),
        "same_ids": page.evaluate("(ids => ids.length - new Set(ids).size)([...document.querySelectorAll('[id]')].map(e => e.id))"),
        "headings": page.evaluate("[...document.querySelectorAll('main h2')].map(h => h.textContent)"),
    }  # fmt: skip
    context.close()
    return seen


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report(Page(sample()[0], sample_document())), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_opens_without_an_error_a_request_or_an_overflow(browser: Browser, file: Path, width: int, scheme: str):
    """Opens without a console error; one self-contained file; docs/design.md: readable on a phone."""
    seen = look(browser, file, width, scheme)

    assert seen["told"] == []
    assert seen["asked"] == [file.as_uri()]
    assert seen["over_px"] <= 0


def test_it_is_dark_where_the_reader_wants_it_dark(browser: Browser, file: Path):
    """prefers-color-scheme."""
    assert look(browser, file, 1280, "light")["paper"] != look(browser, file, 1280, "dark")["paper"]


def test_pictures_tables_and_ids_serve_those_who_cannot_see(browser: Browser, file: Path):
    """WCAG 2.2: text alternatives (1.1.1), info and relationships (1.3.1), unique ids."""
    seen = look(browser, file, 1280, "light")

    assert (seen["unnamed"], seen["uncaptioned"], seen["same_ids"]) == (0, 0, 0)


def test_every_section_with_something_to_say_is_there(browser: Browser, file: Path):
    """CONTRIBUTING.md: a section is one file; the sample run has something for each."""
    titles = [section.title for section in sections().values()]

    assert look(browser, file, 1280, "light")["headings"] == titles


def test_it_says_the_answer_in_words(browser: Browser, file: Path):
    """The same document as the terminal's."""
    document = sample_document()

    text = look(browser, file, 1280, "light")["text"]

    assert all(host["recommended"]["type"] in text for host in document["hosts"] if host["recommended"])
    assert all(warning["message"] in text for warning in document["warnings"])


def test_what_came_from_outside_stays_text(browser: Browser, tmp_path: Path):
    """docs/design.md: the report escapes everything that came from outside."""
    document = sample_document()
    document["hosts"][0]["class"] = HOSTILE
    document["hosts"][0]["demand"][0]["request"] = HOSTILE
    document["warnings"].append({"code": HOSTILE, "message": HOSTILE})
    document["unknowns"].append({"path": "x", "why": HOSTILE, "lift": HOSTILE})
    path = tmp_path / "report.html"
    path.write_text(render_report(Page(sample()[0], document)), encoding="utf-8")

    seen = look(browser, path, 1280, "light")

    assert seen["told"] == []
    assert seen["title"].startswith("sizeup")
    assert HOSTILE in seen["text"]


def test_a_process_group_with_markup_in_its_name_stays_text(browser: Browser, tmp_path: Path):
    """A picture's labels come from outside too: group names are what the host says."""
    run_path = write_sample_run(tmp_path, group='<b onload="x">$&api$</b>')
    from evidence import open_run

    path = tmp_path / "report.html"
    path.write_text(render_report(Page(open_run(run_path), sample_document())), encoding="utf-8")

    seen = look(browser, path, 1280, "light")

    assert seen["told"] == []
    assert '<b onload="x">' not in path.read_text(encoding="utf-8")


def test_the_command_writes_it_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """docs/reference/commands.md: report [RUN] [-o F]."""
    path = write_sample_run(tmp_path)
    out = tmp_path / "out.html"

    code = run(["report", str(path), "-o", str(out), "--json"])

    assert code == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(out)
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Bad input, one sentence with the mend, exit 2."""
    path = write_sample_run(tmp_path)

    code = run(["report", str(path), "-o", str(tmp_path / "nowhere" / "out.html"), "-q"])

    assert code == 2
    assert capsys.readouterr().err.endswith("name another file with -o.\n")


def test_a_run_without_load_still_has_its_report(tmp_path: Path):
    """A document without hosts, a run without requests: sections leave themselves out."""
    path = write_sample_run(tmp_path)
    write_json(path / "topology.json", {})
    document = sample_document() | {"hosts": [], "stack": None, "commitment": [], "held": []}

    from evidence import open_run

    page = render_report(Page(open_run(path), document))

    assert "The stack" not in page
