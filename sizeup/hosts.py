"""Which host is meant, how it is reached, and what the agent on it is to watch."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evidence import SizeupError

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from collectors import AwsSession, Remote, Wanted
    from sizeup.context import Context
    from sizeup.settings import Settings

SHORTEST_BEAT_S, LONGEST_BEAT_S = 0.1, 600.0
HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Reached:
    """A host that can be reached, and how that is said."""

    host: str
    says: str
    remote: Remote


def is_here(host: str) -> bool:
    """Tell whether a host's name is this machine's."""
    name = platform.node().lower()
    return host in HERE or (bool(name) and host.lower() in (name, name.partition(".")[0]))


def reach(ctx: Context, host: str, via: str | None = None, bucket: str | None = None) -> Reached:
    """Take the way to a host that was asked for, else this machine itself, Systems Manager for an instance's id, ssh for the rest."""
    from collectors import Place, all_transports, is_instance

    way = via or ("local" if is_here(host) else "ssm" if is_instance(host) else "ssh")
    if bucket and way != "s3":
        raise SizeupError("--bucket is for --via s3; name that too, or leave the bucket out.")
    transport = all_transports()[way]
    place = Place(host, _account(ctx) if transport.calls else None, bucket)
    return Reached(host, transport.says, transport.connect(place))


def wanted_agent(settings: Settings, host: str, beat_s: float, *, root: bool = True) -> Wanted:
    """Return the agent that the settings ask for on a host: the rules of the class whose address it is, else every class's.

    Raises
    ------
    SizeupError
        Where the beat is none.
    """
    from collectors import Wanted

    if not SHORTEST_BEAT_S <= beat_s <= LONGEST_BEAT_S:
        raise SizeupError(f"--beat {beat_s:g}s: must be from {SHORTEST_BEAT_S:g}s to {LONGEST_BEAT_S:g}s; give for example 1s.")
    own = [(name, each) for name, each in settings.class_.items() if each.address == host]
    classes = own or list(settings.class_.items())
    rules = [rule for _, each in classes for rule in each.groups]
    return Wanted(f"{beat_s:g}s", root, classes[0][0] if len(classes) == 1 else "host", rules)


def spool_folder(ctx: Context, host: str) -> Path:
    """Return where a host's fetched spool lies: agents/HOST beside the runs."""
    return ctx.results.parent / "agents" / (re.sub(r"[^A-Za-z0-9.@-]+", "-", host).strip("-.") or "host")


def span(hosts: pl.DataFrame) -> tuple[datetime | None, datetime | None]:
    """Return when the first and the last row were taken."""
    times = hosts["at"].to_list()
    return (min(times), max(times)) if times else (None, None)


def _account(ctx: Context) -> AwsSession:
    from collectors import AwsSession

    region, _ = ctx.region(ctx.settings())
    return AwsSession(region, os.environ.get("AWS_ENDPOINT_URL"), ctx.profile)
