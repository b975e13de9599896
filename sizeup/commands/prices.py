"""`sizeup prices`: what the catalogue knows, and reading it anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from sizeup.context import Context, pass_context


@click.group(
    "prices",
    short_help="Show a price with its source, or read all of a region anew.",
    epilog="\b\nExample:\n  sizeup prices show t3.small --region ap-northeast-2",
)
def command() -> None:
    """Show prices with their sources, or read a region's anew from AWS."""


@command.command("show", epilog="\b\nExample:\n  sizeup prices show t3.small --region ap-northeast-2")
@click.argument("name", metavar="TYPE|SERVICE")
@pass_context
def show_command(ctx: Context, name: str) -> None:
    """Show every price of a type (t3.small, db.t3.micro, cache.t3.micro) or a service (alb, ebs, fargate), each with its source."""
    from sizeup.output import emit
    from sizeup.prices import show_prices

    shown = show_prices(ctx, name)
    for warning in shown.warnings:
        ctx.say(f"warning: {warning.message}")
    emit(ctx, shown.document, _text(name, shown.document, shown.rows), shown.rows)


@command.command("refresh", epilog="\b\nExample:\n  sizeup prices refresh --region ap-northeast-2")
@click.option(
    "--from-file", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="A published offer file (a service's index.json of the region, gzipped or not) instead of AWS; may be given again.",
)  # fmt: skip
@pass_context
def refresh_command(ctx: Context, files: tuple[Path, ...]) -> None:
    """Read all types and prices of a region from AWS into the cache folder, where they count before older ones.

    Reads ec2:DescribeInstanceTypes, ec2:DescribeReservedInstancesOfferings, pricing:GetProducts and
    savingsplans:DescribeSavingsPlansOfferingRates. Interrupted, it goes on where it was.
    """
    from sizeup.output import emit
    from sizeup.prices import refresh_prices

    document, found = refresh_prices(ctx, files)
    rows = [{"table": name, "rows": count} for name, count in found.rows.items()]
    new = f"\n  new types: {', '.join(found.new_types)}" if found.new_types else ""
    told = "\n".join(f"  {row['table']:<20} {row['rows']:>7,}" for row in rows)
    next_step = f"next: sizeup prices show t3.small --region {document['region']}"
    emit(ctx, document, f"prices of {document['region']}, kept in {found.path}\n{told}{new}\n{next_step}", rows)


def _text(name: str, document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    from sizeup.output import table

    head = ["what", "$", "a", "at once", "as of", "source"]
    body = [
        [row["item"], row["usd"], row["unit"], row["upfront_usd"] or "", row["as_of"] or "undated", _source(row)]
        for row in rows
    ]  # fmt: skip
    facts = document["type"]
    holds = "" if facts is None else f"  {facts['vcpus']} vCPU, {facts['memory_bytes'] / 2**30:g} GiB"
    missing = "".join(f"\nmissing: {entry['why']}; {entry['lift']}" for entry in document["unknowns"])
    return f"{name}  {document['region']}{holds}\n{table([head, *body], right=(1, 3))}{missing}\n{_next(name, document)}"


def _source(row: Mapping[str, Any]) -> str:
    marks = ", ".join(word for word in ("estimated", "quoted") if row[word])
    return f"{row['source']} ({marks})" if marks else str(row["source"])


def _next(name: str, document: Mapping[str, Any]) -> str:
    is_host = "." in name and not name.startswith(("db.", "cache."))
    return f"next: sizeup gate --buy {name}:1:1y:all-upfront" if is_host else f"next: sizeup prices refresh --region {document['region']}"
