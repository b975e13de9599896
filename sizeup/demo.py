"""The whole job on a stack of this machine: no account, no cloud, a few minutes from nothing to an answer and its report."""

from __future__ import annotations

import http.client
import time
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil

from evidence import SizeupError, create_run, settle
from loadtests import Step, probe_rates, steps_plan
from sizeup.loading import collect_account
from sizeup.measure import Load, Site, clock, describe, finished, measure, plan_json
from staging import StackOptions, start_stack

if TYPE_CHECKING:
    from sizeup.answer import Answered
    from sizeup.context import Context
    from staging import Stack, StackInfo, StackName

CANDIDATES = ("t2.micro", "t2.small", "t3.micro", "t3.small", "t3.medium", "t4g.micro", "t4g.small")
# One arrival of the default mix asks the API 0.7 times, the frontend's own calls included; the probe plans with a bit more.
API_REQUESTS_PER_ARRIVAL = 0.75
PROBE_REQUESTS, PROBE_S = 120, 2.0
# A JVM's first requests cost it up to four times what later ones do, until the compiler has seen enough of them.
WARM_REQUESTS, WARM_S = 3000, 15.0
# Some request a few seconds apart: what the hosts hold and burn when nobody comes.
IDLE_PER_S = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds almost without load (0: none), of the warm-up, of each step, and of the step that holds the deployment."""

    idle_s: float
    warm_s: float
    step_s: float
    deploy_s: float


PACES = {
    ("embedded", True): Pace(0.0, 3.0, 8.0, 9.0), ("embedded", False): Pace(0.0, 6.0, 20.0, 14.0),
    ("moco", True): Pace(5.0, 15.0, 10.0, 25.0), ("moco", False): Pace(15.0, 30.0, 30.0, 40.0),
}  # fmt: skip
"""(stack, quick) -> its pace."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What `sizeup demo` was asked: `rates_per_s` None lets a short probe of the API choose them."""

    quick: bool = False
    open_browser: bool = True
    rates_per_s: tuple[float, ...] | None = None
    api_memory_bytes: int = 250 * 2**20
    api_cpu_s: float = 0.002
    generator_cpu_s: float = 0.0
    seed: int = 0
    stack: StackName = "embedded"
    jvm: tuple[str, ...] = ()


def demo_home(results: Path) -> Path:
    """Return where the demo's stack keeps its files: beside the runs."""
    return results.parent / "demo"


def stack_options(options: DemoOptions) -> StackOptions:
    return StackOptions(
        api_memory_bytes=options.api_memory_bytes, api_cpu_s=options.api_cpu_s, seed=options.seed, stack=options.stack, jvm=options.jvm,
    )  # fmt: skip


def run_demo(ctx: Context, options: DemoOptions) -> Answered:
    """Start the stack, load it, deploy in the middle, size it, write the report; return the answer.

    Raises
    ------
    SizeupError
        Where the stack can't start, or a folder can't be written.
    """
    for run in settle(ctx.results, datetime.now(UTC)):
        ctx.say(f"run {run} had crashed; what it measured is kept")
    began = time.monotonic()
    with start_stack(demo_home(ctx.results), stack_options(options), ctx.say) as stack:
        path = _measured(ctx, stack, options)
    ctx.say(f"measured in {time.monotonic() - began:.0f} s; fitting")
    return _answered(ctx, path, options)


def _measured(ctx: Context, stack: Stack, options: DemoOptions) -> Path:
    """Load the stack and return the finished run's folder."""
    from sizeup.prices import open_catalogue
    from sizeup.settings import load_settings

    toml = demo_home(ctx.results) / "sizeup.toml"
    settings = load_settings(toml)
    catalogue = open_catalogue(stack.info.region)
    load = plan(options, options.rates_per_s or probed_rates(stack.info, ctx, warm=options.stack == "moco"))
    folder = create_run(ctx.results, "demo", "steps", datetime.now(UTC), synthetic=True, clocks=clock(datetime.now(UTC)))
    folder.update(plan=plan_json("steps", load))
    ctx.say(f"loading for {sum(s.seconds for s in load.steps):.0f} s; the run is {folder.path}")
    describe(catalogue, CANDIDATES, folder, toml.read_text(), None)
    began = datetime.now(UTC)
    with finished(folder, settings.objective):
        measure(folder, site_of(stack), load, ctx.say)
        stack.publish_metrics()
        collect_account(folder.path, stack.info, began, ctx)
    return folder.path


def site_of(stack: Stack) -> Site:
    """Return what a measurement needs of a stack that this process owns."""
    info = stack.info

    def deploy() -> tuple[datetime, datetime]:
        done = stack.deploy()
        return done.started_at, done.ended_at

    return Site(info.alb_url, info.hosts, info.target_groups, info.access_log, info.trees, deploy)


def plan(options: DemoOptions, rates_per_s: Sequence[float]) -> Load:
    """A warm-up at the lowest rate, then the rates in order, with one deployment after the middle one and a step that holds it.

    What a JVM does after its deployment is warm-up again, so that step is called one.
    """
    pace = PACES[options.stack, options.quick]
    steps = steps_plan(rates_per_s, pace.step_s)
    middle = steps[len(steps) // 2]
    named = "warm-up of the new color" if options.stack == "moco" else "deployment"
    held = replace(middle, name=f"{named}: {middle.rate_per_s:g}/s", seconds=pace.deploy_s)
    at = steps.index(middle) + 1
    idle = [Step("warm-up: idle", IDLE_PER_S, pace.idle_s)] if pace.idle_s else []
    ordered = [*idle, Step("warm-up", rates_per_s[0], pace.warm_s), *steps[:at], held, *steps[at:]]
    return Load(ordered, options.seed, middle.name, extra_cpu_s=options.generator_cpu_s)


def probed_rates(info: StackInfo, ctx: Context, *, warm: bool = False) -> list[float]:
    """Ask the API itself for a moment, first until it is `warm`, and choose three rates that keep its core under 60 %."""
    if warm:
        _ask(info, WARM_REQUESTS, WARM_S)
    before = _cpu_s(info.pids["api"])
    asked = _ask(info, PROBE_REQUESTS, PROBE_S)
    demand_s = (_cpu_s(info.pids["api"]) - before) / asked
    rates = probe_rates(demand_s * API_REQUESTS_PER_ARRIVAL)
    ctx.say(f"probe: a request costs the API {demand_s * 1000:.1f} ms; stepping through {', '.join(f'{r:g}' for r in rates)}/s")
    return rates


def _cpu_s(pids: Sequence[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def _ask(info: StackInfo, most: int, seconds: float) -> int:
    """Send up to `most` requests, one after the other, for at most `seconds`; return how many were answered."""
    place = urlsplit(info.alb_url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=10)
    end, answered = time.monotonic() + seconds, 0
    while answered < most and (answered < 5 or time.monotonic() < end):
        connection.request("GET", "/boards?page=1", headers={"Host": info.hosts["api"]})
        connection.getresponse().read()
        answered += 1
    connection.close()
    return answered


def _answered(ctx: Context, path: Path, options: DemoOptions) -> Answered:
    from sizeup.answer import recommend_paths
    from sizeup.report import Page, render_report
    from sizing import Question

    answered = recommend_paths(ctx, [path], Question(candidates=CANDIDATES, seed=options.seed))
    report = path / "report.html"
    report.write_text(render_report(Page(answered.runs[0], answered.document)), encoding="utf-8")
    ctx.say(f"run     {path}\nreport  {report}\nstack   {demo_home(ctx.results) / 'sizeup.toml'}")
    if options.open_browser and has_display():
        webbrowser.open(report.resolve().as_uri())
    return answered


def has_display() -> bool:
    """Tell whether a browser could be seen here."""
    from sys import platform

    return platform in ("darwin", "win32") or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def serve(ctx: Context, options: DemoOptions) -> None:
    """Run the stack alone until ^C; results/demo says where it stands."""
    stack = start_stack(demo_home(ctx.results), stack_options(options), ctx.say)
    ctx.say(f"settings in {demo_home(ctx.results) / 'sizeup.toml'}; ^C ends it, sizeup demo --deploy deploys on it")
    stack.serve_until_interrupted()


def deploy(ctx: Context) -> str:
    """Perform one deployment on the stack that another process serves; return what happened."""
    from staging import request_deploy

    done = request_deploy(demo_home(ctx.results))
    return f"deployed {done.from_color} → {done.to_color} in {(done.ended_at - done.started_at).total_seconds():.1f} s"


def stop(ctx: Context) -> str:
    """End the stack that another process serves.

    Raises
    ------
    SizeupError
        Where none is served.
    """
    from staging import stop_served

    home = demo_home(ctx.results)
    if not stop_served(home):
        raise SizeupError(f"{home}: no stack is served from there; start one with sizeup demo --serve.")
    return "the stack is stopped"
