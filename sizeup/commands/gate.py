"""`sizeup gate`: may this reservation be bought?"""

from __future__ import annotations

from pathlib import Path

import click

from sizeup.context import Context, pass_context


@click.command(
    "gate",
    short_help="Before paying: yes or no, and what waiting costs.",
    epilog="\b\nExample:\n  sizeup gate --buy t3.small:1:1y:all-upfront",
)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "--buy", "buys", required=True, multiple=True, metavar="TYPE:COUNT:TERM:PAYMENT",
    help="What is to be bought, [:standard|convertible] after it.",
)
@click.option("--upfront", metavar="USD", help="Its price at once, an instance; replaces the catalogue's.")
@click.option("--hourly", metavar="USD", help="Its price an hour, an instance; replaces the catalogue's.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write each test as JUnit XML.")
@pass_context
def command(ctx: Context, runs: tuple[str, ...], buys: tuple[str, ...], upfront: str | None, hourly: str | None, junit: Path | None) -> int:
    """Say whether the evidence carries a purchase, what waiting costs, and what being wrong costs.

    Without RUN the newest complete run that is not synthetic is taken, else none. TERM is 1y or 3y, PAYMENT all-upfront,
    partial-upfront or no-upfront. Exit 0: yes, 1: no. Nothing is ever bought: a yes ends with the lines that would buy it.
    """
    from evidence import SizeupError
    from sizeup.gate import gate_purchase
    from sizeup.junit import write_junit
    from sizeup.output import emit

    if len(buys) > 1:
        raise SizeupError(f"--buy is given {len(buys)} times; a verdict is on one purchase: run sizeup gate once for each.")
    buy = buys[0]
    gated = gate_purchase(ctx, runs, buy, upfront, hourly)
    for warning in gated.warnings:
        ctx.say(f"warning: {warning.message}")
    if junit is not None:
        write_junit(junit, f"sizeup gate {buy}", gated.gate.reasons)
    emit(ctx, gated.document, "\n".join(gated.gate.sentences()), gated.document["reasons"])
    return 0 if gated.gate.passes else 1
