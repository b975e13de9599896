"""How long `sizeup --help` takes against `python -c pass`: the median of alternating pairs, one JSON line."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

PAIRS = 15
LIMIT_RATIO = 8.0


def seconds(*args: str) -> float:
    """Return what one interpreter with `args` takes, from start to end."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run([sys.executable, *args], check=True, stdout=subprocess.DEVNULL, env=environ)
    return time.perf_counter() - start


def main() -> int:
    """Print the medians and their ratio; return 1 where it is above the limit."""
    seconds("-m", "sizeup", "--help")
    pairs = [(seconds("-c", "pass"), seconds("-m", "sizeup", "--help")) for _ in range(PAIRS)]
    empty, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = round(ours / empty, 2)
    result = {"benchmark": "start", "python_s": round(empty, 4), "help_s": round(ours, 4), "ratio": ratio, "limit_ratio": LIMIT_RATIO}
    print(json.dumps(result))
    return int(ratio > LIMIT_RATIO)


if __name__ == "__main__":
    sys.exit(main())
