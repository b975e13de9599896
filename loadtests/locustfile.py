"""The project's scenarios for Locust: `locust -f loadtests/locustfile.py --host URL [--hosts frontend=NAME,api=NAME]`.

Works by itself; `--sizeup-run DIR` records into a run folder, `--sizeup-plan FILE` plays a plan's steps.
"""

from __future__ import annotations

from typing import Any

from locust import events
from locust.runners import MasterRunner

from evidence import SizeupError
from loadtests.parent import die_with_parent
from loadtests.stack_user import Shared, StackUser, parse_hosts, quit_when_all_done
from loadtests.user import listen, refuse


class Visitors(StackUser):
    """Visitors of the stack, one arrival a second each."""


def _add_options(parser: Any) -> None:
    group = parser.add_argument_group("sizeup's scenarios")
    group.add_argument("--hosts", metavar="frontend=NAME,api=NAME", default="", help="Host header by class; without it, that of --host")
    group.add_argument("--sizeup-plan", metavar="FILE", default="", help="play this plan instead of one arrival a second and user")
    group.add_argument("--sizeup-scenario", metavar="NAME", default="", help="call this scenario alone")


def _start(environment: Any, runner: Any, **_: Any) -> None:
    options = environment.parsed_options
    die_with_parent()
    try:
        parse_hosts(options.hosts)
        Shared(options, 0)
    except SizeupError as wrong:
        refuse(wrong)
    if isinstance(runner, MasterRunner):
        quit_when_all_done(runner)


listen(events.init_command_line_parser, _add_options)
listen(events.init, _start)
