"""Real demos, each run once a session: the command line, the stack, Locust, the samplers and moto."""

from __future__ import annotations

import json

import pytest
from finished import Demo, sizeup


@pytest.fixture(scope="session")
def demos(tmp_path_factory):
    """Return a function that runs a quick demo with these flags, once each."""
    done: dict[tuple[str, ...], Demo] = {}

    def run(*flags: str) -> Demo:
        if flags not in done:
            results = tmp_path_factory.mktemp("demo") / "runs"
            finished = sizeup("demo", "--quick", "--no-open", "--json", *flags, results=results)
            assert finished.returncode == 0, finished.stderr
            done[flags] = Demo(results, json.loads(finished.stdout), finished.stderr)
        return done[flags]

    return run


@pytest.fixture(scope="session")
def light(demos):
    return demos("--api-memory", "250MiB", "--api-cpu", "2ms")
