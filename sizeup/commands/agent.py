"""`sizeup agent`: the host agent put on a host, asked how it does, fetched from, and removed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sizeup.context import Context, pass_context
from sizeup.values import DURATION

if TYPE_CHECKING:
    from collectors import AgentState
    from sizeup.hosts import Reached


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command HOST, and the ways to it."""
    for add in (
        click.option("--no-root", is_flag=True, help="Never become root there, even where that needs no password."),
        click.option("--bucket", metavar="NAME", help="S3 bucket that data may pass through (--via s3)."),
        click.option("--via", type=click.Choice(["ssh", "ssm", "s3"]), help="How the host is reached (default: ssh, for i-… ssm)."),
        click.argument("host"),
    ):
        function = add(function)
    return function


@click.group(
    "agent",
    short_help="Put the host agent on a host, fetch what it saw, remove it.",
    epilog="\b\nExample:\n  sizeup agent install ec2-user@10.0.1.5",
)
def command() -> None:
    """Watch a host once a second, at a price that nobody notices. HOST is user@host, localhost, or an instance's id."""


@command.command("install", epilog="\b\nExample:\n  sizeup agent install ec2-user@10.0.1.5 --beat 1s")
@_options
@click.option("--beat", type=DURATION, default="1s", show_default=True, help="How often it looks.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask before anything is done.")
@pass_context
def install_command(ctx: Context, host: str, via: str | None, bucket: str | None, no_root: bool, beat: float, yes: bool) -> None:
    """Install and start the agent on HOST. It says first what it will do; where all is as it should be, it does nothing."""
    from collectors import ask_agent, install_agent, plan_install
    from sizeup.hosts import wanted_agent

    with _reach(ctx, host, via, bucket) as reached:
        wanted = wanted_agent(ctx.settings(), host, beat, root=not no_root)
        state = ask_agent(reached.remote, root=wanted.root)
        steps = plan_install(host, state, wanted)
        _agree(ctx, reached, steps or ["nothing: it runs there as asked"], asked=bool(steps) and not yes)
        if steps:
            install_agent(reached.remote, state, wanted)
            state = ask_agent(reached.remote, root=wanted.root)
    verdict = f"{host}  agent {'installed' if steps else 'was there'}, pid {state.pid}; spool in {state.home}/spool"
    _answer(ctx, "install", host, state, steps, f"{verdict}\nnext: sizeup agent fetch {host}")


@command.command("status", epilog="\b\nExample:\n  sizeup agent status ec2-user@10.0.1.5")
@_options
@pass_context
def status_command(ctx: Context, host: str, via: str | None, bucket: str | None, no_root: bool) -> None:
    """Ask whether the agent runs on HOST, when it wrote last, and how much it holds."""
    from collectors import ask_agent

    with _reach(ctx, host, via, bucket) as reached:
        state = ask_agent(reached.remote, root=not no_root)
    _answer(ctx, "status", host, state, [], _status_text(host, state))


@command.command("fetch", epilog="\b\nExample:\n  sizeup agent fetch ec2-user@10.0.1.5")
@_options
@pass_context
def fetch_command(ctx: Context, host: str, via: str | None, bucket: str | None, no_root: bool) -> None:
    """Bring here what the agent on HOST has seen, into agents/HOST beside the runs; what is here already isn't sent again."""
    from collectors import fetch_spool, read_spool
    from sizeup.hosts import span, spool_folder
    from sizeup.output import emit, envelope

    into = spool_folder(ctx, host)
    with _reach(ctx, host, via, bucket) as reached:
        files = fetch_spool(reached.remote, into, root=not no_root)
    spool = read_spool(into)
    first, last = span(spool.hosts)
    body = {
        "host": host, "folder": str(into), "files": files, "from": first, "to": last,
        "rows": {"hosts": spool.hosts.height, "processes": spool.processes.height, "events": spool.events.height},
    }  # fmt: skip
    document = envelope("sizeup.agent_fetch/1", datetime.now(UTC), [], None, None, None, [], [], body)
    told = f"{spool.hosts.height:,} beats from {first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S} UTC" if first and last else "no beat yet"
    use = f"python -c 'from collectors import read_spool; print(read_spool(\"{into}\").processes)'"
    emit(ctx, document, f"{host}  {told}; {into}\nnext: {use}", spool.hosts.to_dicts())


@command.command("remove", epilog="\b\nExample:\n  sizeup agent remove ec2-user@10.0.1.5 -y")
@_options
@click.option("-y", "--yes", is_flag=True, help="Don't ask before anything is done.")
@pass_context
def remove_command(ctx: Context, host: str, via: str | None, bucket: str | None, no_root: bool, yes: bool) -> None:
    """End the agent on HOST and delete all of it there, its spool too: fetch first."""
    from collectors import ask_agent, remove_agent
    from sizeup.output import mib

    with _reach(ctx, host, via, bucket) as reached:
        state = ask_agent(reached.remote, root=not no_root)
        steps = [f"end the agent (pid {state.pid})"] if state.running else []
        steps += [f"delete {state.home} with its spool of {mib(state.spool_bytes)}"] if state.mark or state.spool_bytes else []
        _agree(ctx, reached, steps or ["nothing: no agent is installed there"], asked=bool(steps) and not yes)
        if steps:
            remove_agent(reached.remote, root=not no_root)
            state = ask_agent(reached.remote, root=not no_root)
    _answer(ctx, "remove", host, state, steps, f"{host}  {'agent removed' if steps else 'no agent was installed'}")


@contextmanager
def _reach(ctx: Context, host: str, via: str | None, bucket: str | None) -> Iterator[Reached]:
    from sizeup.hosts import reach

    reached = reach(ctx, host, via, bucket)
    try:
        yield reached
    finally:
        reached.remote.close()


def _agree(ctx: Context, reached: Reached, steps: Sequence[str], *, asked: bool) -> None:
    """Say what will be done; ask where a person is there to answer."""
    ctx.say(f"on {reached.host}, {reached.says}:")
    for step in steps:
        ctx.say(f"  {step}")
    if asked and sys.stdin.isatty():
        click.confirm("Do it?", abort=True, err=True)


def _answer(ctx: Context, what: str, host: str, state: AgentState, steps: Sequence[str], text: str) -> None:
    from sizeup.output import emit, envelope

    body = {"host": host, "done": list(steps), "agent": state.as_json()}
    document = envelope(f"sizeup.agent_{what}/1", datetime.now(UTC), [], None, None, None, [], [], body)
    emit(ctx, document, text, [{"host": host, **state.as_json()}])


def _status_text(host: str, state: AgentState) -> str:
    from sizeup.output import mib

    if not state.mark:
        return f"{host}  no agent is installed\nnext: sizeup agent install {host}"
    runs = f"runs, pid {state.pid}, each {state.beat}" if state.running else "doesn't run"
    wrote = "has written nothing yet" if state.silent_s is None else f"wrote {state.silent_s} s ago"
    parts = [f"{host}  agent {runs}; {wrote}; spool {mib(state.spool_bytes)} in {state.home}/spool"]
    parts += [f"note: {state.complaint}"] if state.complaint else []
    return "\n".join([*parts, f"next: sizeup agent {'fetch' if state.running else 'install'} {host}"])
