"""`sizeup stack`: what does the whole stack cost a month?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from sizeup.context import Context, pass_context


@click.command(
    "stack",
    short_help="What the whole stack costs a month, line by line, and what could go.",
    epilog="\b\nExample:\n  sizeup stack results/sample",
)
@click.argument("run", required=False)
@pass_context
def command(ctx: Context, run: str | None) -> None:
    """Price the stack of a run (default: the newest complete one): hosts, volumes, addresses, load balancer, database, cache.

    A month has 730 hours; the exact one is beside it. Then: what the databases and caches need, and the same service on
    Fargate and on Lambda.
    """
    from sizeup.output import emit
    from sizeup.stack import stack_of_run

    found = stack_of_run(ctx, run)
    for warning in found.warnings:
        ctx.say(f"warning: {warning.message}")
    emit(ctx, found.document, _text(found.document), found.document["lines"])


def _text(document: Mapping[str, Any]) -> str:
    from sizeup.output import money, table

    head = ["what", "a month", "units", "price", "as of", "source"]
    rows = [
        [line["what"], money(line["monthly_usd"]), _quantity(line), "" if line["unit_usd"] is None else f"${line['unit_usd']}",
         line["as_of"] or "", _source(line)]
        for line in document["lines"]
    ]  # fmt: skip
    parts = [table([head, *rows], right=(1, 2, 3)), *_totals(document)]
    parts += [f"could go      {item['what']}, {money(item['monthly_usd'])} a month" for item in document["removable"]]
    parts += [_managed(answer) for answer in document["managed"]]
    parts += _alternatives(document["alternatives"])
    return "\n".join([*parts, f"next: sizeup recommend {document['runs'][0]}"])


def _totals(document: Mapping[str, Any]) -> list[str]:
    from sizeup.output import money

    exact, free, currency = document["exact_month"], document["free_tier"], document["currency"]
    exactly = f"{money(exact['monthly_usd'])} in {exact['month']} ({exact['hours']} h)"
    lines = [f"together      {money(document['monthly_usd'])} a month of 730 h, {exactly}", f"traffic       {document['basis']}"]
    if currency:
        rate = f"at {currency['per_usd']} to the dollar ({currency['as_of']})"
        lines.append(f"              {currency['code']} {int(currency['monthly']):,} {rate}")
    if free["monthly_usd"] is None:
        return [*lines, "free tier     not known: state [account] free_tier in sizeup.toml"]
    months = "" if free["credit_months"] is None else f"; the credits pay for {free['credit_months']} months"
    return [*lines, f"free tier     {free['kind']}: {money(free['monthly_usd'])} a month while it runs{months}"]


def _managed(answer: Mapping[str, Any]) -> str:
    from sizeup.output import money

    chosen = answer["recommended"]
    head = f"{answer['service']:<13} {answer['id']} {answer['present']}: {answer['verdict']}"
    return head if chosen is None else f"{head}; {chosen['class']} would do, {money(chosen['monthly_usd'])} a month"


def _alternatives(ways: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each class on each other service; what that would change stands once a service, beneath its last class."""
    lines: list[str] = []
    for service in dict.fromkeys(way["service"] for way in ways):
        ours = [way for way in ways if way["service"] == service]
        lines += [f"on {service:<10} {way['class']}: {_priced(way)}" for way in ours]
        lines += [f"              {change}" for change in ours[-1]["changes"]]
    return lines


def _priced(way: Mapping[str, Any]) -> str:
    from sizeup.output import money

    return "not known" if way["monthly_usd"] is None else f"{money(way['monthly_usd'])} a month ({way['size']})"


def _source(line: Mapping[str, Any]) -> str:
    return line["source"] or ("nobody measured it" if line["quantity"] is None else "no price known here")


def _quantity(line: Mapping[str, Any]) -> str:
    return "" if line["quantity"] is None else f"{line['quantity']:,.4g} {line['unit']}"
