"""What every command is told alike: which settings, where runs lie, which region, how to answer."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar

import click

from evidence import SizeupError

if TYPE_CHECKING:
    from evidence import Warn
    from sizeup.settings import Settings

Format = Literal["text", "json", "csv", "md"]
DEFAULT_REGION = "ap-northeast-2"
DEFAULT_RESULTS = Path("results/runs")
COMMON = "sizeup.common"
"""The key under which the common options' values lie in the root command's `meta`."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Context:
    """The common options, resolved; `config` is None where there is no settings file."""

    config: Path | None = None
    results: Path = DEFAULT_RESULTS
    profile: str | None = None
    region_option: str | None = None
    format: Format = "text"
    quiet: bool = False
    verbose: bool = False
    color: bool = False

    def say(self, text: str) -> None:
        """Tell the person what is going on, on standard error; silent with -q."""
        if not self.quiet:
            click.echo(text, err=True)

    def detail(self, text: str) -> None:
        """Tell what only -v asks for."""
        if self.verbose:
            click.echo(text, err=True)

    def settings(self, *, required: bool = False) -> Settings:
        """Read the settings file; without one the defaults, or a SizeupError where the command can't do without."""
        from sizeup.settings import load_settings

        if self.config is None and required:
            raise SizeupError("sizeup.toml: no settings file here; sizeup init writes one from the account, or name one with --config.")
        self.detail(f"settings: {self.config or 'none, the defaults'}")
        return load_settings(self.config)

    def region(self, settings: Settings | None = None) -> tuple[str, list[Warn]]:
        """Return the region to answer for, and the warning `region_default` where nothing names one."""
        return pick_region(self.region_option, settings.project.region if settings else None, os.environ)

    def run(self, spec: str | None, *, synthetic: bool = True) -> Path:
        """Resolve a RUN argument: a path or an id; None means the newest complete run (SizeupError where there is none)."""
        from evidence import find_run

        found = find_run(self.results, spec, synthetic=synthetic)
        if found is None:
            raise SizeupError(f"{self.results}: no complete run lies there; make one with sizeup demo, or name a folder with --results.")
        self.detail(f"run: {found}")
        return found


def run_argument(results: Path, path: Path) -> str:
    """Return how a run is named on the command line: by its id where it lies under `results`, else by its path."""
    return path.name if path.parent.resolve() == results.resolve() else str(path)


def pick_region(option: str | None, project: str | None, environ: Mapping[str, str]) -> tuple[str, list[Warn]]:
    """Take the first region named: the option, AWS_REGION, AWS_DEFAULT_REGION, [project] region; else Seoul with a warning."""
    from evidence import Warn

    for named in (option, environ.get("AWS_REGION"), environ.get("AWS_DEFAULT_REGION"), project):
        if named:
            return named, []
    return DEFAULT_REGION, [Warn("region_default", f"no region named: prices are those of {DEFAULT_REGION}; name one with --region.")]


def make_context(given: Mapping[str, Any]) -> Context:
    """Resolve the common options as given; the settings file is ./sizeup.toml where none is named and it is there."""
    default = Path("sizeup.toml")
    format: Format = "json" if given.get("json") else given.get("format", "text")
    results = given.get("results", DEFAULT_RESULTS)
    if results.exists() and not results.is_dir():
        raise SizeupError(f"--results {results}: is a file; name the folder that runs lie in.")
    return Context(
        config=given.get("config") or (default if default.is_file() else None), results=results,
        profile=given.get("profile"), region_option=given.get("region"), format=format, quiet=given.get("quiet", False),
        verbose=given.get("verbose", False), color=_has_color(given),
    )  # fmt: skip


def pass_context(function: Callable[Concatenate[Context, P], R]) -> Callable[P, R]:
    """Hand a command its `Context` as first argument; what it returns is the exit code, None is 0."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(make_context(click.get_current_context().find_root().meta.get(COMMON, {})), *args, **kwargs)

    return call


def _has_color(given: Mapping[str, Any]) -> bool:
    return not given.get("no_color") and "NO_COLOR" not in os.environ and sys.stdout.isatty()
