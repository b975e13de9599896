"""The agent on a host behind a real OpenSSH server: installed, asked, fetched from, removed; and a look at that host."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import jsonschema
import pytest

from collectors import read_spool
from evidence import open_run

LOOK_SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "look.json"


def answer(done) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def until(tell, wanted, seconds: float = 10.0):
    """Ask again until it is as wanted, or fail with what was told last."""
    end = time.monotonic() + seconds
    while not wanted(told := tell()) and time.monotonic() < end:
        time.sleep(0.1)
    assert wanted(told), told
    return told


def test_an_agent_is_installed_asked_fetched_from_and_removed(ssh_host, tmp_path):
    """docs/reference/commands.md: agent install|status|fetch|remove; each says first what it will do, and can be run again."""

    def agent(what: str, *options: str) -> dict:
        return answer(ssh_host.sizeup("agent", what, ssh_host.host, "--no-root", "--json", *options, cwd=tmp_path))

    installed = agent("install", "--beat", "100ms", "-y")
    again = agent("install", "--beat", "100ms", "-y")
    until(lambda: agent("status")["agent"], lambda told: told["spool_bytes"] > 2000)
    first = agent("fetch")
    second = until(lambda: agent("fetch"), lambda told: told["rows"]["hosts"] > first["rows"]["hosts"])
    spool = read_spool(tmp_path / second["folder"])
    removed = agent("remove", "-y")

    assert installed["agent"]["running"]
    assert [step.split()[0] for step in installed["done"]] == ["write", "start"]
    assert (again["done"], again["agent"]["pid"]) == ([], installed["agent"]["pid"])
    assert spool.hosts["at"].is_sorted()
    assert spool.hosts["at"].is_unique().all()
    assert "sizeup-agent" in spool.processes["group"]
    assert not removed["agent"]["running"]
    assert not (ssh_host.home / ".sizeup-agent").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(installed["agent"]["pid"], 0)


def test_what_will_be_done_is_said_first(ssh_host, tmp_path):
    """Says what it will do first."""
    done = ssh_host.sizeup("agent", "remove", ssh_host.host, "--no-root", "-y", cwd=tmp_path)

    assert done.returncode == 0
    assert "on staging, over ssh, with your own keys:\n  nothing: no agent is installed there\n" in done.stderr


def test_a_source_stands_in_for_bytecode_of_another_python(ssh_host, tmp_path):
    """PEP 3147: a .pyc whose magic number isn't this Python's can't be run, as after the host's Python was updated."""
    names = ("agent", "install", ssh_host.host, "--no-root", "--json", "-y")
    home = ssh_host.home / ".sizeup-agent"
    pid = answer(ssh_host.sizeup(*names, cwd=tmp_path))["agent"]["pid"]
    os.kill(pid, signal.SIGKILL)
    compiled = home / "agent.pyc"
    compiled.write_bytes(b"\0\0\r\n" + compiled.read_bytes()[4:])

    run = os.posix_spawn("/bin/sh", ["sh", str(home / "run.sh"), "--seconds", "0.3"], dict(os.environ))
    _, status = os.waitpid(run, 0)
    ssh_host.sizeup("agent", "remove", ssh_host.host, "--no-root", "-y", cwd=tmp_path)

    assert os.waitstatus_to_exitcode(status) == 0


def test_a_look_at_another_host_is_judged_here(ssh_host, tmp_path):
    """docs/reference/json.md, look: the same document; nothing stays on the host."""
    options = ("--seconds", "1.5", "--as", "t2.micro,t3.small", "--region", "ap-northeast-2", "--json")

    document = answer(ssh_host.sizeup("look", ssh_host.host, *options, cwd=tmp_path))

    jsonschema.Draft202012Validator(json.loads(LOOK_SCHEMA.read_text())).validate(document)
    run = open_run(tmp_path / "results" / "runs" / document["runs"][0])
    assert document["seconds"] == pytest.approx(1.5, abs=0.2)
    assert [group["group"] for group in document["memory"]["groups"]].count("sizeup-agent") == 0
    assert set(run.hosts["source"]) == {"agent"}
    assert run.processes["rss_bytes"].min() >= 0
    assert not list(ssh_host.home.iterdir())


def test_a_host_that_can_not_be_reached_is_one_sentence(ssh_host, tmp_path):
    """CONTRIBUTING.md: where, what, mend; exit 2."""
    done = ssh_host.sizeup("agent", "status", "nobody@nowhere.invalid", cwd=tmp_path)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "nowhere.invalid" in done.stderr


def test_a_name_that_ssh_would_take_for_an_option_is_refused(ssh_host, tmp_path):
    """OpenSSH runs what -oProxyCommand names."""
    done = ssh_host.sizeup("agent", "status", "--", "-oProxyCommand=touch pwned", cwd=tmp_path)

    assert done.returncode == 2
    assert not (tmp_path / "pwned").exists()
