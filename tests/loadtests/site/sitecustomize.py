"""Put on PYTHONPATH: each process writes, at its end, which modules it holds, into the folder MODULES_DIR."""

from __future__ import annotations

import atexit
import json
import os
import sys
from pathlib import Path


def dump() -> None:
    held = sorted({name.partition(".")[0] for name in sys.modules})
    Path(os.environ["MODULES_DIR"], f"{os.getpid()}.json").write_text(json.dumps(held))


if "MODULES_DIR" in os.environ:
    atexit.register(dump)
