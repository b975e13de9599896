"""How the command line is put together: commands found by file name, common options accepted before and after each."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import click

from sizeup import __version__
from sizeup.context import COMMON

_FOLDER = Path(__file__).with_name("commands")


class LazyGroup(click.Group):
    """A group whose commands are the files of sizeup/commands, each imported when it is named; `command` is what it hands in."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(entry.name[:-3] for entry in os.scandir(_FOLDER) if entry.name.endswith(".py") and not entry.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"sizeup.commands.{cmd_name}").command
        accept_common(command)
        return command


def accept_common(command: click.Command) -> None:
    """Let a command, and what is under it, take the common options too; in its help --json alone is shown."""
    own = {name for param in command.params for name in param.opts}
    command.params += [option for option in common_options(under=True) if not own & set(option.opts)]
    for child in getattr(command, "commands", {}).values():
        accept_common(child)


def common_options(*, under: bool = False) -> list[click.Option]:
    """Return the options every command shares; under a command they are hidden, and read no environment."""

    def option(*names: str, **settings: Any) -> click.Option:
        hidden = under and "--json" not in names
        return click.Option(names, expose_value=False, callback=_remember, hidden=hidden, **settings)

    def env(name: str) -> str | None:
        return None if under else name

    path = click.Path(path_type=Path)
    return [
        option("-c", "--config", type=path, envvar=env("SIZEUP_CONFIG"), metavar="FILE", help="Settings file (./sizeup.toml where it is)."),
        option("--results", type=path, envvar=env("SIZEUP_RESULTS"), metavar="DIR", help="Where runs lie (./results/runs)."),
        option("--profile", metavar="NAME", help="AWS profile, as in the aws command."),
        option("--region", metavar="NAME", help="AWS region, as in the aws command."),
        option("--format", type=click.Choice(["text", "json", "csv", "md"]), help="How the answer is written."),
        option("--json", is_flag=True, default=None, help="The same as --format json."),
        option("-q", "--quiet", is_flag=True, default=None, help="Only the answer, no progress."),
        option("-v", "--verbose", is_flag=True, default=None, help="More of what is going on."),
        option("--no-color", is_flag=True, default=None, help="No colours."),
        click.Option(["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_version, hidden=under, help="The version."),
    ]


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None and param.name is not None:
        ctx.find_root().meta.setdefault(COMMON, {})[param.name] = value


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"sizeup {__version__}")
        ctx.exit()
