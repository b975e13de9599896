"""moto's own server, one for all tests of an account: each builds what is its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("moto") / "log"
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", "0"]
    environment = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
        try:
            assert server.stderr is not None
            line = next(line for line in server.stderr if b"Running on" in line)
            # the server goes on writing a line a request: into a file, lest the pipe fill up
            drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=out)
            yield re.search(r"http://127\.0\.0\.1:\d+", line.decode())[0]
        finally:
            server.terminate()
            server.wait()
            drain.wait()
