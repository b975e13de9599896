"""`sizeup init`: write a commented sizeup.toml from the account."""

from __future__ import annotations

import click

from sizeup.context import Context, pass_context


@click.command(
    "init",
    short_help="Write a commented sizeup.toml from the AWS account.",
    epilog="\b\nExample:\n  sizeup init --alb moco-staging",
)
@click.option("--alb", metavar="NAME", help="The load balancer (the region's only one): its name or app/name/id.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@pass_context
def command(ctx: Context, alb: str | None, force: bool) -> None:
    """Read what stands behind a load balancer and write ./sizeup.toml (or --config), every key with a comment.

    What only a person can know is marked with YOU: in it. An existing file is never replaced without --force.
    """
    from sizeup.init import write_settings
    from sizeup.output import emit

    written = write_settings(ctx, alb, force=force)
    document = written.document
    for warning in document["warnings"]:
        ctx.say(f"warning: {warning['message']}")
    classes = ", ".join(f"{each['class']} ({each['target_group']})" for each in document["classes"]) or "none"
    head = f"{written.path}  target {document['target']}: {document['load_balancer']}; host classes: {classes}"
    lines = [head, f"  {len(document['marks'])} lines hold what only you know; they are marked YOU:"]
    lines += [f"  line {mark['line']:<3} {mark['key'] or '':<24} {mark['why']}" for mark in document["marks"]]
    emit(ctx, document, "\n".join([*lines, f"next: sizeup doctor {document['target']}"]), document["marks"])
