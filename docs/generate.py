"""Write what follows from the code: commands.md, registered.md and the policies of docs/iam; `make docs` runs it.

A test holds that the pages are as this writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from collectors import metrics
from collectors.permissions import agent_policy, read_policy
from collectors.registry import collectors
from collectors.transport import all_transports
from evidence import discover
from loadtests.mix import Scenario
from sizeup.cli import common_options
from sizeup.main import group
from sizeup.report.section import sections  # the face has a folder of that name
from sizing.constraints import constraints
from sizing.money.offers import offers

REFERENCE = Path(__file__).with_name("reference")
IAM = Path(__file__).with_name("iam")

COMMANDS_HEAD = """\
# Commands

Every `--help` ends in an example that runs. Standard output is the answer, standard error the conversation.

**Exit codes.** 0 done · 1 the verdict is no (`gate`, `--fail-on`, a load objective missed, a fault found by `runs check`, \
something to mend found by `doctor`) · \
2 the question was wrong (usage, settings, environment, unreadable run) · \
3 internal error, its trace in a file whose path is said · 130 interrupted.

RUN is a path or an id; the default is the newest complete one. `recommend`, `report`, `gate` and `commitments` then take its other half
beside it, a load beside a collected history, a history beside a load, and say so. Of several the newest one measures; an older one gives
history.

## Common options

Accepted before and after the command. With `--json` standard output is exactly one document ([JSON](json.md)).
"""
COMMANDS_ENVIRONMENT = """
SIZEUP_CONFIG and SIZEUP_RESULTS stand for `--config` and `--results`; AWS_REGION, AWS_DEFAULT_REGION and AWS_PROFILE as in the aws \
command. Without any of them, and without `[project] region`, prices are those of ap-northeast-2, and a warning says so.
"""
REGISTERED_HEAD = """\
# What is registered

One file each; the file's name is its name. [CONTRIBUTING](../../CONTRIBUTING.md) says how to add one.
"""
METRICS_HEAD = (
    "What `sizeup collect` asks CloudWatch for, by what stands in the topology; all statistics of one metric are billed as one. "
    "[Collecting](../collecting.md) says what that costs."
)


def commands_page() -> str:
    """Return commands.md: the common options, then every command with its help, example and options."""
    help_row = "| `-h`, `--help` | Show a command's help. |"
    common = [*_option_table(common_options()), help_row]
    each = [line for part in walk(group, "sizeup") for line in part]
    return "\n".join([COMMANDS_HEAD, *common, COMMANDS_ENVIRONMENT, *each]).rstrip() + "\n"


def walk(command: click.Command, name: str) -> Iterator[list[str]]:
    """Yield the lines of each command under `command`, in the order of their names."""
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from walk(found, f"{name} {child}")
        return
    example = (command.epilog or "").partition("Example:")[2].strip()
    text = "\n".join(line.strip() for line in (command.help or "").strip().splitlines())
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden and "--json" not in p.opts]
    yield [f"## {name}", "", text, "", "```console", f"$ {example}", "```", "", *(_option_table(options) if options else []), ""]


def _option_table(options: list[click.Option]) -> list[str]:
    return ["| option | meaning |", "|---|---|", *(_option_row(option) for option in options)]


def _option_row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    value = "" if option.is_flag else f" `{option.make_metavar(click.Context(group))}`"
    default = f" (default {option.default})" if option.show_default and option.default is not None else ""
    return f"| {_cell(names + value)} | {_cell((option.help or '') + default)} |"


def registered_page() -> str:
    """Return registered.md: a table of each registry."""
    scenarios = discover("loadtests.scenarios", "SCENARIO", Scenario)
    parts = [
        ("Scenarios", "What an arrival of the default mix does; the weights are relative.", "scenario | host class | weight | asks for",
         [(n, s.host_class, f"{s.weight:g}", s.asks) for n, s in sorted(scenarios.items())]),
        ("Collectors", "Every call is read-only.", "collector | fills | question",
         [(n, c.fills, c.asks) for n, c in sorted(collectors().items())]),
        ("CloudWatch metrics", METRICS_HEAD, "metric | of | statistics | unit | finest period", metric_rows()),
        ("Transports", "How the host agent is reached; the AWS actions are those that such a way needs.", "transport | AWS actions | how",
         [(n, ", ".join(t.calls) or "none", t.says) for n, t in sorted(all_transports().items())]),
        ("Constraints", "All are judged on the same sampled weeks; a type fits where all hold in at least the policy's share of them.",
         "constraint | unit | question", [(n, c.unit, c.asks) for n, c in sorted(constraints().items())]),
        ("Offers", "What may be bought for what runs; one without a price is named, never made up.", "offer | question",
         [(n, o.asks) for n, o in sorted(offers().items())]),
        ("Report sections", "In the page's order.", "section | heading", [(n, s.title) for n, s in sections().items()]),
    ]  # fmt: skip
    return "\n".join([REGISTERED_HEAD, *(line for part in parts for line in _registry(*part))]).rstrip() + "\n"


def metric_rows() -> list[tuple[str, ...]]:
    """Return a row of each metric that a collection may ask for."""
    tables = (
        ("load balancer", metrics.LOAD_BALANCER), ("target group", metrics.TARGET_GROUP), ("instance", metrics.INSTANCE),
        ("burstable instance", metrics.CREDITS), ("unlimited instance", metrics.SURPLUS), ("volume", metrics.VOLUME),
        ("gp2, st1 or sc1 volume", metrics.BURST_VOLUME), ("database", metrics.DATABASE), ("cache", metrics.CACHE),
        ("burstable database or cache", metrics.BURST_CLASS), ("CloudWatch agent", metrics.AGENT_KINDS),
    )  # fmt: skip
    return [
        (kind.name, of, ", ".join(kind.statistics), kind.unit, "60 s detailed, else 300 s" if of == "instance" else f"{kind.period_s} s")
        for of, kinds in tables for kind in kinds
    ]  # fmt: skip


def _registry(title: str, words: str, head: str, rows: list[tuple[str, ...]]) -> list[str]:
    rule = "|".join("---" for _ in head.split(" | "))
    lines = [f"| {' | '.join([f'`{name}`', *map(_cell, rest)])} |" for name, *rest in rows]
    return [f"## {title}", "", words, "", f"| {head} |", f"|{rule}|", *lines, ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    (REFERENCE / "commands.md").write_text(commands_page(), encoding="utf-8")
    (REFERENCE / "registered.md").write_text(registered_page(), encoding="utf-8")
    for name, policy in (("read", read_policy()), ("agent", agent_policy())):
        (IAM / f"{name}.json").write_text(json.dumps(policy, indent=2) + "\n", encoding="utf-8")
