"""`sizeup doctor`: what works, what to mend, what would make the evidence better."""

from __future__ import annotations

import click

from sizeup.context import Context, pass_context


@click.command(
    "doctor",
    short_help="What works, what to mend, what would make the evidence better.",
    epilog="\b\nExample:\n  sizeup doctor staging",
)
@click.argument("target", required=False)
@pass_context
def command(ctx: Context, target: str | None) -> int:
    """Check each AWS permission, the clocks, the agents and the public addresses of TARGET (default: the only one).

    A permission that is missing is named with the statement that gives it. What would make the evidence better is printed
    as the aws command that does it, with its price; nothing is changed. Exit 1 where something is to be mended.
    """
    from sizeup.doctor import examine
    from sizeup.doctor_text import doctor_text
    from sizeup.output import emit

    found = examine(ctx, target)
    for warning in found.document["warnings"]:
        ctx.say(f"warning: {warning['message']}")
    emit(ctx, found.document, doctor_text(found.document), found.document["permissions"])
    return 0 if found.ok else 1
