"""Locust as a child process: started on a plan, watched, ended; never imported here, since it would patch this process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence import SizeupError
from loadtests.parent import PARENT_VARIABLE
from loadtests.plan import Step, write_plan

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
_GRACE_S = 30.0


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What the generator says of itself at its end; `cpu_ratio_max` of its busiest second, of one core."""

    requests: int
    errors: int
    workers: int
    cpu_ratio_max: float
    lateness_p99_us: int


class LocustHandle:
    """A running load. It ends by itself when its plan is over, and with this process at the latest."""

    def __init__(self, process: subprocess.Popen[bytes], run: Path) -> None:
        self.process = process
        self.run = run
        self.log = run / "locust.log"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.returncode

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self.process.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code; subprocess.TimeoutExpired after `timeout` seconds."""
        return self.process.wait(timeout)

    def stop(self, grace_s: float = 5.0) -> None:
        """End it now: requests under way become `aborted` rows; killed where it doesn't end in `grace_s`."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def outcome(self) -> LoadOutcome:
        """Return what it said of itself.

        Raises
        ------
        SizeupError
            Where it ended before it could say anything; the log's last line is quoted.
        """
        from loadtests.recorder import read_summary

        said = read_summary(self.run / ".spool")
        if said is None:
            ended = f"exit {self.process.poll()}, {last_line(self.log)}"
            raise SizeupError(f"the load generator ended early ({ended}); see {self.log}, then load again.")
        return LoadOutcome(**{key: said[key] for key in LoadOutcome.__slots__})


def start_locust(
    run: Path, *, url: str, hosts: Mapping[str, str], steps: Sequence[Step], seed: int, scenario_name: str | None = None,
    extra_cpu_s: float = 0.0, env: Mapping[str, str] | None = None, workers: int = 1,
    simple: Sequence[Mapping[str, Any]] = (), auth: Mapping[str, Mapping[str, Any]] | None = None, secrets: Mapping[str, str] | None = None,
) -> LocustHandle:  # fmt: skip
    """Start a load on a plan; call it from a thread that lives as long as the load (see `loadtests.parent`).

    Parameters
    ----------
    run : Path
        The run folder; gets `plan.json`, `locust.log` and the spools.
    url, hosts : str, Mapping[str, str]
        Where connections go; the Host header by class (frontend, api).
    extra_cpu_s : float
        CPU that the generator burns after each request, to show that its own cost reaches no host's demand.
    env : Mapping[str, str], optional
        The child's environment; else this process's.
    workers : int
        Locust processes; each offers its share of every rate.
    simple, auth, secrets : optional
        Scenarios and token sources from the settings (`loadtests.settings`); secrets go by the environment alone.

    Raises
    ------
    SizeupError
        Where the run folder can't be written to.
    """
    plan = run / "plan.json"
    command = _command(run, plan, url, hosts, sum(step.seconds for step in steps), extra_cpu_s, workers)
    child_env = {**(os.environ if env is None else env), **(secrets or {}), PARENT_VARIABLE: str(os.getpid())}
    try:
        write_plan(plan, steps, seed, scenario=scenario_name, simple=simple, auth=auth)
        with (run / "locust.log").open("ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=child_env, start_new_session=True)
    except OSError as refused:
        raise SizeupError(f"{run}: the load can't be recorded there ({refused.strerror}); name another folder with --results.") from None
    return LocustHandle(process, run)


def run_locust(run: Path, *, url: str, hosts: Mapping[str, str], steps: Sequence[Step], seed: int, **options: Any) -> LoadOutcome:
    """Load, wait for the plan's end, and return what the generator says of itself; options as `start_locust`."""
    load = start_locust(run, url=url, hosts=hosts, steps=steps, seed=seed, **options)
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            load.wait(sum(step.seconds for step in steps) + 2 * _GRACE_S)
    finally:
        load.stop()
    return load.outcome()


def last_line(log: Path) -> str:
    """Return the last line of a log that isn't empty."""
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


def _command(run: Path, plan: Path, url: str, hosts: Mapping[str, str], seconds: float, extra_cpu_s: float, workers: int) -> list[str]:
    spread = ["--processes", str(workers)] if workers > 1 else []
    return [
        sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary", "--exit-code-on-error", "0",
        "-u", str(workers), "-r", "100", "-t", f"{seconds + _GRACE_S:.0f}s", "--host", url,
        "--hosts", ",".join(f"{name}={host}" for name, host in hosts.items()),
        "--sizeup-run", str(run.resolve()), "--sizeup-plan", str(plan.resolve()), "--sizeup-extra-cpu", str(extra_cpu_s), *spread,
    ]  # fmt: skip
