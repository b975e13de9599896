"""A second locustfile: writes which modules its process holds when the load stops, into the folder MODULES_DIR."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from locust import events


def dump(**_: object) -> None:
    held = sorted({name.partition(".")[0] for name in sys.modules})
    Path(os.environ["MODULES_DIR"], f"{os.getpid()}.json").write_text(json.dumps(held))


events.test_stop.add_listener(dump)
