"""moto's own server in a process of its own: those of one process share all their accounts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def moto_server(log: Path) -> Iterator[str]:
    """Serve an empty account on loopback until the block ends; yield its address."""
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", "0"]
    environment = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
        try:
            assert server.stderr is not None
            line = next(line for line in server.stderr if b"Running on" in line)
            # the server goes on writing a line a request: into a file, lest the pipe fill up
            drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=out)
            found = re.search(r"http://127\.0\.0\.1:\d+", line.decode())
            assert found is not None
            yield found[0]
        finally:
            server.terminate()
            server.wait()
            drain.wait()
