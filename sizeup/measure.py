"""One measurement: a load on a plan with the samplers beside it, a deployment in its middle, all of it in one run folder."""

from __future__ import annotations

import gzip
import json
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence import RunFolder, SpoolWriter, micros, open_run, read_frames, rfc3339, seal, write_json
from loadtests import LocustHandle, Step, start_locust

if TYPE_CHECKING:
    from catalogue import Catalogue
    from sizing.settings import Objective

LOOK_S = 0.25
# A line is logged when its response has been sent; the last ones of a run follow their rows by less than this.
SETTLE_S = 1.0
# What a kill may leave uncopied; a copy costs under a millisecond.
COPY_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Site:
    """What is loaded and what can be read of it; None where it can't be had.

    Attributes
    ----------
    access_log : the load balancer's log as a growing file of lines
    trees : which process trees are which host
    target_groups : host class to target group
    deploy : performs one deployment, returns its start and end
    """

    url: str
    hosts: Mapping[str, str]
    target_groups: Mapping[str, str]
    access_log: Path | None = None
    trees: Path | None = None
    deploy: Callable[[], tuple[datetime, datetime]] | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What is offered: steps in order, a deployment once the step `deploy_after` is over.

    `simple`, `auth` and `secrets` are the settings' own scenarios and token sources (`loadtests.settings`); secrets reach
    the generator by its environment alone.
    """

    steps: Sequence[Step]
    seed: int = 0
    deploy_after: str | None = None
    scenario: str | None = None
    extra_cpu_s: float = 0.0
    workers: int = 1
    simple: Sequence[Mapping[str, Any]] = ()
    auth: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def plan_json(name: str, load: Load) -> dict[str, Any]:
    """Write a load as run.json's `plan`."""
    return {"name": name, "seed": load.seed, "scenario": load.scenario, "steps": [asdict(step) for step in load.steps]}


class LogTail:
    """Carries a growing access log into a run, whole lines at a time, so that a kill leaves what was copied readable."""

    def __init__(self, source: Path, folder: Path) -> None:
        self._source, self._at = source, source.stat().st_size if source.exists() else 0
        folder.mkdir(parents=True, exist_ok=True)
        self._target = folder / f"{datetime.now(UTC):%Y%m%dT%H%MZ}.log.gz"

    def copy(self) -> int:
        """Append the lines written since the last copy as one gzip member; return how many bytes."""
        with self._source.open("rb") as lines:
            lines.seek(self._at)
            fresh = lines.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        if whole:
            with self._target.open("ab") as target:
                target.write(gzip.compress(whole, 6))
            self._at += len(whole)
        return len(whole)


class Events:
    """Rows of events.parquet that the orchestrator knows of, on disk at once."""

    def __init__(self, folder: RunFolder) -> None:
        self._writer = SpoolWriter(folder.spool / "events-orchestrator.spool", "events")

    def note(self, kind: str, subject: str, at: datetime, until: datetime | None = None, **detail: Any) -> None:
        self._writer.append((micros(at), None if until is None else micros(until), kind, subject, json.dumps(detail, sort_keys=True)))
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def measure(folder: RunFolder, site: Site, load: Load, say: Callable[[str], None]) -> None:
    """Load `site`, sample its hosts, deploy in the middle; everything is in the folder's spools when it returns.

    A KeyboardInterrupt ends the load, keeps what was measured, and goes on to the caller.
    """
    from collectors import start_sampler

    events = Events(folder)
    tail = LogTail(site.access_log, folder.path / "alb") if site.access_log else None
    sampler = start_sampler(site.trees, folder.spool) if site.trees else None
    locust = start_locust(
        folder.path, url=site.url, hosts=site.hosts, steps=load.steps, seed=load.seed, scenario_name=load.scenario,
        extra_cpu_s=load.extra_cpu_s, workers=load.workers, simple=load.simple, auth=load.auth, secrets=load.secrets,
    )  # fmt: skip
    try:
        _follow(folder, site, load, locust, events, tail, say)
        time.sleep(SETTLE_S)
    finally:
        locust.stop()
        if sampler is not None:
            sampler.stop()
        if tail is not None:
            tail.copy()
        events.close()
    outcome = locust.outcome()
    folder.update(
        counts={"requests": outcome.requests, "errors": outcome.errors, "workers": outcome.workers},
        generator={"cores": outcome.workers, "cpu_ratio_max": outcome.cpu_ratio_max, "lateness_p99_us": outcome.lateness_p99_us},
    )  # fmt: skip
    # What the generator said of itself is in run.json now; an empty log of the sampler says nothing.
    for said in folder.spool.glob("generator*.json"):
        said.unlink()
    if (log := folder.path / "sampler.log").exists() and log.stat().st_size == 0:
        log.unlink()


def _follow(
    folder: RunFolder, site: Site, load: Load, locust: LocustHandle, events: Events, tail: LogTail | None, say: Callable[[str], None]
) -> None:
    told: set[str] = set()
    copied = time.monotonic()
    while locust.poll() is None:
        time.sleep(LOOK_S)
        for name, achieved in _steps_done(folder.spool).items():
            if name in told:
                continue
            told.add(name)
            say(f"  {name}: {achieved:.1f} requests/s")
            if name == load.deploy_after and site.deploy is not None:
                say("  deploying: the second copy starts beside the first")
                start, end = site.deploy()
                events.note("deploy", "api", start, end)
                say(f"  deployed in {(end - start).total_seconds():.1f} s")
        if tail is not None and time.monotonic() - copied >= COPY_EVERY_S:
            tail.copy()
            copied = time.monotonic()


def _steps_done(spool: Path) -> dict[str, float]:
    """Return each step that every worker has ended, with what it achieved a second."""
    done: dict[str, float] = {}
    for file in spool.glob("events-load-*.spool"):
        for _, columns in read_frames(file):
            for kind, subject, detail in zip(columns["kind"], columns["subject"], columns["detail"], strict=True):
                if kind == "phase":
                    done[subject] = done.get(subject, 0.0) + float(json.loads(detail)["achieved_per_s"])
    return done


@contextmanager
def finished(folder: RunFolder, objectives: Sequence[Objective]) -> Iterator[None]:
    """Seal the run however its measurement ends: complete, stopped by ^C, or crashed; what was measured stays."""
    status = "crashed"
    try:
        yield
        status = "complete"
    except KeyboardInterrupt:
        status = "stopped"
        raise
    finally:
        _finish(folder, objectives, status)


def _finish(folder: RunFolder, objectives: Sequence[Objective], status: str) -> None:
    seal(folder, status, datetime.now(UTC))
    judge_windows(folder, objectives)


def judge_windows(folder: RunFolder, objectives: Sequence[Objective]) -> None:
    """Say in run.json which of a run's windows are valid, whether its objectives were met and up to which rate."""
    from sizing import measured_objectives, phase_rows, reached, windows

    run = open_run(folder.path)
    limit_s = next((o.limit_s for o in objectives if o.name == "latency" and o.limit_s is not None), 0.5)
    cut = windows(run, limit_s)
    folder.update(phases=phase_rows(cut), objectives=measured_objectives(run, cut, objectives), **reached(run, cut, objectives))


def describe(catalogue: Catalogue, types: Sequence[str], folder: RunFolder, settings_toml: str, topology: Mapping[str, Any] | None) -> None:
    """Put beside the measurement what a decision needs to be replayed: settings, catalogue rows, topology, versions."""
    (folder.path / "settings.toml").write_text(settings_toml)
    write_json(folder.path / "catalogue.json", catalogue.rows_used(types))
    if topology is not None:
        write_json(folder.path / "topology.json", topology)
    folder.update(versions=versions(), git_commit=git_commit())


def versions() -> dict[str, str]:
    """Return what the numbers were made with."""
    return {"sizeup": version("sizeup"), "python": platform.python_version(), "locust": version("locust"), "kernel": platform.release()}


def git_commit() -> str | None:
    """Return the commit of the folder that one works in, None where it is none."""
    with suppress(OSError, subprocess.SubprocessError):
        found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True)
        return found.stdout.strip() or None
    return None


def clock(here: datetime) -> list[dict[str, Any]]:
    """Return run.json's `clocks` for hosts on this very machine: one clock, no offset."""
    return [{"host": platform.node(), "offset_s": 0.0, "error_s": 0.0, "at": rfc3339(here)}]
