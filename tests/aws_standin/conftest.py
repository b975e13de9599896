"""A stand-in for AWS, a cache folder of its own, and the command line as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from made_world import SEOUL, small_world

from staging.aws import start_aws


@pytest.fixture(scope="session")
def server():
    with start_aws(small_world()) as stand_in:
        yield stand_in


@pytest.fixture
def aws(server):
    """The stand-in with a fresh world; one server for all, since boto3's clients are dear to make."""
    server.world = small_world()
    server.calls.clear()
    server.regions.clear()
    return server


@pytest.fixture
def world(aws):
    return aws.world


@pytest.fixture
def environ(aws, tmp_path):
    """What the command line is started with: the stand-in as AWS, a cache folder, nothing of the machine's account."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SIZEUP_"))}
    return own | {"AWS_ENDPOINT_URL": aws.url, "SIZEUP_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}


@pytest.fixture
def sizeup(environ, tmp_path):
    def run(*args, expect=0):
        command = [sys.executable, "-m", "sizeup", *args]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == expect, done.stderr
        return done

    return run


@pytest.fixture
def refresh(sizeup):
    def run(*args, expect=0):
        return sizeup("prices", "refresh", "--region", SEOUL, *args, expect=expect)

    return run
