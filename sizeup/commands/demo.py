"""`sizeup demo`: a stack of this machine, loaded, measured and sized, without an account or a cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sizeup.context import Context, pass_context
from sizeup.values import DURATION, FLAGS, RATES, SIZE

if TYPE_CHECKING:
    from staging import StackName


@click.command(
    "demo",
    short_help="Load an embedded stack, size it, write the report: no account, no cloud.",
    epilog="\b\nExample:\n  sizeup demo --quick --no-open",
)
@click.option("--quick", is_flag=True, help="Shorter steps: under a minute in all.")
@click.option("--no-open", is_flag=True, help="Open no browser, even where a display is.")
@click.option("--stack", type=click.Choice(["embedded", "moco"]), default="embedded", show_default=True, help="Which stack.")
@click.option("--rates", type=RATES, metavar="R,R,R", help="Steps in requests a second; else a short probe chooses them.")
@click.option("--api-memory", type=SIZE, default="250MiB", show_default=True, help="What the embedded API holds.")
@click.option("--api-cpu", type=DURATION, default="2ms", show_default=True, help="What the embedded API computes for a request.")
@click.option("--jvm", type=FLAGS, default="", metavar="FLAGS", help="Flags of moco's JVM, such as '-Xmx256m -XX:+UseSerialGC'.")
@click.option("--generator-cpu", type=DURATION, default="0ms", show_default=True, help="What the generator burns for a request.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of arrivals, data and sampled weeks.")
@click.option("--serve", "mode", flag_value="serve", help="The stack alone, until ^C; results/demo says where it stands.")
@click.option("--deploy", "mode", flag_value="deploy", help="One deployment on the stack that --serve serves.")
@click.option("--stop", "mode", flag_value="stop", help="End the stack that --serve serves.")
@pass_context
def command(
    ctx: Context, quick: bool, no_open: bool, stack: StackName, rates: tuple[float, ...] | None, api_memory: int, api_cpu: float,
    jvm: tuple[str, ...], generator_cpu: float, seed: int, mode: str | None,
) -> None:  # fmt: skip
    """Start a stack, load it in steps with one deployment, measure its hosts, and size them.

    Two host classes of real processes stand behind a load balancer on this machine. The run is marked synthetic. The stack
    called moco is Spring Boot, Next.js, nginx, PostgreSQL and Redis; it needs JDK 17, Maven and Node 20.9, and installs the
    rest by apt where it is root. Its JVM sizes itself as on a t3.small; --jvm says otherwise.
    """
    from sizeup.demo import DemoOptions, deploy, run_demo, serve, stop
    from sizeup.output import emit, write_out
    from sizeup.text import candidate_rows, recommend_text

    options = DemoOptions(quick, not no_open, rates, api_memory, api_cpu, generator_cpu, seed, stack, jvm)
    if mode == "serve":
        serve(ctx, options)
    elif mode is not None:
        write_out({"deploy": deploy, "stop": stop}[mode](ctx))
    else:
        document = run_demo(ctx, options).document
        emit(ctx, document, recommend_text(document), candidate_rows(document))
