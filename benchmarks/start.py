"""How long `sizeup --help` and opening a region's prices take against `python -c pass`: medians of alternating rounds, one JSON line."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

ROUNDS = 15
LIMIT_RATIO = 8.0
PRICES = ("-c", "from catalogue import load_catalogue; load_catalogue('ap-northeast-2')")
PRICES_LIMIT_MS = 60.0


def seconds(*args: str) -> float:
    """Return what one interpreter with `args` takes, from start to end."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run([sys.executable, *args], check=True, stdout=subprocess.DEVNULL, env=environ)
    return time.perf_counter() - start


def main() -> int:
    """Print the medians, the ratio of the first two and what the prices add; return 1 where one is above its limit."""
    commands = (("-c", "pass"), ("-m", "sizeup", "--help"), PRICES)
    for command in commands:
        seconds(*command)
    rounds = [[seconds(*command) for command in commands] for _ in range(ROUNDS)]
    empty, ours, priced = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio, prices_ms = round(ours / empty, 2), round(1000 * statistics.median(row[2] - row[0] for row in rounds), 1)
    result = {
        "benchmark": "start", "python_s": round(empty, 4), "help_s": round(ours, 4), "ratio": ratio, "limit_ratio": LIMIT_RATIO,
        "prices_ratio": round(priced / empty, 2), "prices_ms": prices_ms, "prices_limit_ms": PRICES_LIMIT_MS,
    }  # fmt: skip
    print(json.dumps(result))
    return int(ratio > LIMIT_RATIO or prices_ms > PRICES_LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
