"""Does what the generator spends on a request leak into the API's demand? Three alternating pairs of quick demos.

Each pair runs the demo as it is and with each request costing the generator twice as much (`--generator-cpu` is what it spends
already, measured on the first demo). Prints one JSON object: the demand ratio of each pair, and its median.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PAIRS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = demo(Path(folder) / "first", 0.0)
        own_ms = 1000 * generator_cpu_s(Path(folder) / "first", first)
        ratios = []
        for pair in range(PAIRS):
            plain = demand_s(demo(Path(folder) / f"{pair}-plain", 0.0))
            loud = demand_s(demo(Path(folder) / f"{pair}-loud", own_ms))
            ratios.append(loud / plain)
    print(json.dumps({
        "generator_cpu_ms_per_request": round(own_ms, 3), "demand_ratios": [round(r, 4) for r in ratios],
        "median": round(statistics.median(ratios), 4), "spread": round(max(ratios) - min(ratios), 4), "bound": 0.05,
    }))  # fmt: skip


def demo(results: Path, generator_ms: float) -> dict:
    flags = ["--quick", "--no-open", "--json", "--rates", "15,30,45", "--generator-cpu", f"{generator_ms:.3f}ms", "--results", str(results)]
    done = subprocess.run([sys.executable, "-m", "sizeup", "demo", *flags], capture_output=True, text=True, timeout=240, check=True)
    return json.loads(done.stdout)


def demand_s(document: dict) -> float:
    """CPU seconds of the average API request: each group's demand by how many names it stands for."""
    api = next(host for host in document["hosts"] if host["class"] == "api")
    sizes = [1 + len(group["merged_with"]) for group in api["demand"]]
    return sum(g["cpu_s"]["mid"] * n for g, n in zip(api["demand"], sizes, strict=True)) / sum(sizes)


def generator_cpu_s(results: Path, document: dict) -> float:
    """CPU seconds of the generator a request, from its busiest second at the highest rate: never less than the average."""
    meta = json.loads((results / document["runs"][0] / "run.json").read_text())
    return meta["generator"]["cpu_ratio_max"] / 45


if __name__ == "__main__":
    main()
