"""OpenLoopUser against a server that really freezes: latency must be what a visitor would have waited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evidence import open_run

HERE = Path(__file__).parent
FREEZE_S = 1.0


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[dict[str, Any]]]:
    """One run of 8 s against a server that freezes for a second: its rows, and what the server logged."""
    import os
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("frozen")
    (folder / "people.csv").write_text("email,password\na@example.run,1\n")
    env = {**os.environ, "LOG": str(folder / "log"), "FREEZE": f"1.5,{FREEZE_S}", "API_ONLY": "1", "PEOPLE": str(folder / "people.csv")}
    target = subprocess.Popen([sys.executable, str(HERE / "target.py")], env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert target.stdout is not None
        url = f"http://127.0.0.1:{int(target.stdout.readline())}"
        command = [sys.executable, "-m", "locust", "-f", str(HERE / "board_locustfile.py"), "--headless", "-u", "2", "-r", "2", "-t", "8s"]
        done = subprocess.run(
            [*command, "--host", url, "--sizeup-run", str(folder / "run")], env=env, capture_output=True, text=True, check=False
        )
    finally:
        target.kill()
        target.communicate()
    assert done.returncode == 0, done.stdout + done.stderr
    # The locustfile is anybody's, so nobody made a run.json: that is the caller's or our own locustfile's to do.
    assert (folder / "run" / "run.json").exists(), done.stderr
    import json

    return open_run(folder / "run"), [json.loads(line) for line in (folder / "log").read_text().splitlines()]


def steady(run: Any) -> pl.DataFrame:
    rows = run.requests.filter(pl.col("scenario") == "one")
    return rows.with_columns((pl.col("intended_at").dt.epoch("us") / 1e6).alias("at_s"), (pl.col("response_us") / 1e6).alias("response_s"))


def test_a_frozen_server_hides_no_latency(frozen: tuple[Any, list[dict[str, Any]]]):
    """The schedule sent says what each arrival must have waited: the rest of the freeze."""
    run, log = frozen
    start, end = next(line["freeze"] for line in log if "freeze" in line)

    rows = steady(run)
    owed = np.where((rows["at_s"] > start) & (rows["at_s"] < end), end - rows["at_s"].to_numpy(), 0.0)

    assert rows.filter((pl.col("at_s") > start) & (pl.col("at_s") < end)).height == pytest.approx(200 * FREEZE_S, abs=5)
    assert np.all(rows["response_s"].to_numpy() > owed - 0.02)
    for q in (0.9, 0.95, 0.99):
        assert rows["response_s"].quantile(q) == pytest.approx(np.quantile(owed, q), abs=0.25)


def test_arrivals_keep_their_schedule_while_the_server_stands_still(frozen: tuple[Any, list[dict[str, Any]]]):
    """Constant arrivals at 200/s are 5 ms apart by intention, freeze or not."""
    run, _ = frozen

    gaps_s = np.diff(np.sort(steady(run)["at_s"].to_numpy()))

    assert np.allclose(gaps_s, 1 / 200, atol=1e-5)


def test_the_first_request_counts_from_its_intended_start_and_later_ones_from_their_send(frozen: tuple[Any, list[dict[str, Any]]]):
    """docs/reference/python.md; the second request of `read` was never late."""
    run, _ = frozen

    second = run.requests.filter(pl.col("name") == "/boards/[id]")

    assert second.height > 0
    assert second["lateness_us"].max() < 1_000
    assert (run.requests["response_us"] == run.requests["lateness_us"] + run.requests["wait_us"] + run.requests["service_us"]).all()


def test_the_contracts_example_runs_as_it_stands(frozen: tuple[Any, list[dict[str, Any]]]):
    """docs/reference/python.md: names, weights, a login before the first arrival, a token on the write."""
    run, log = frozen

    counts = dict(run.requests.filter(pl.col("scenario") != "one").group_by("name").len().rows())

    assert counts["login"] == 1
    assert counts.keys() <= {"login", "GET /boards", "/boards/[id]", "POST /boards"}
    assert run.requests["ok"].all()
    assert next(line["path"] for line in log if "path" in line) in ("/auth/login", "/boards/1/comments")
