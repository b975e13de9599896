"""Which account a target is in, and the address that its load balancer answers at; production's is refused unless typed by hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from evidence import SizeupError

if TYPE_CHECKING:
    from catalogue import Catalogue
    from collectors import AwsSession
    from loadtests import Target
    from sizeup.context import Context
    from sizeup.settings import Settings

TAG_KEYS = ("environment", "env", "stage")
PRODUCTION = ("production", "prod", "prd", "live")


class Place(NamedTuple):
    """An account, how a load balancer is named there, and whether both are a stack's of ours."""

    aws: AwsSession
    load_balancer: str
    synthetic: bool


def place_of(ctx: Context, settings: Settings, target: Target) -> Place:
    """Return where a target stands; a stack of ours brings its own account."""
    from sizeup.loading import stack_beside

    stack = stack_beside(ctx.config, target.url) if target.url else None
    if stack is None:
        return Place(session_of(ctx, settings), str(target.alb or target.url), synthetic=False)
    from collectors import AwsSession

    return Place(AwsSession(stack.region, stack.aws_endpoint_url), stack.load_balancer, synthetic=True)


def session_of(ctx: Context, settings: Settings | None = None) -> AwsSession:
    """Return the account that the environment and the options name."""
    from collectors import AwsSession

    region, _ = ctx.region(settings)
    return AwsSession(region, os.environ.get("AWS_ENDPOINT_URL"), ctx.profile)


def topology_of(aws: AwsSession, place: str, classes: Mapping[str, str]) -> dict[str, Any]:
    """Walk a load balancer's stack as it stands now; `classes` is host class -> target group.

    Raises
    ------
    SizeupError
        Where there is no such load balancer, or AWS doesn't answer for it.
    """
    from collectors import discover_topology
    from sizing.money import address_usd

    catalogue = prices_of(aws.region)
    price = address_usd(catalogue) if catalogue else None
    return discover_topology(aws, place, classes=classes, as_of=datetime.now(UTC), address_monthly_usd=price)


def prices_of(region: str) -> Catalogue | None:
    """Open a region's catalogue; None where no price of the region is known, which is no reason not to look at it."""
    from sizeup.prices import open_catalogue

    try:
        return open_catalogue(region)
    except SizeupError:
        return None


def target_groups(settings: Settings) -> dict[str, str]:
    """Return each host class's target group, of those that name one."""
    return {name: each.target_group for name, each in settings.class_.items() if each.target_group}


def address_of(ctx: Context, settings: Settings, name: str, target: Target) -> str:
    """Return the address to load: the settings' own, else the load balancer's by its DNS name.

    Raises
    ------
    SizeupError
        Where the account has no such load balancer, it is tagged as production without a word from the settings, or it has no listener.
    """
    if target.url is not None:
        return target.url
    from collectors import balancer_at

    place = place_of(ctx, settings, target)
    found, tags = balancer_at(place.aws, place.load_balancer)
    check_tags(name, found.name, tags, target.environment)
    if found.address is None:
        raise SizeupError(f'target "{name}": {found.name} has no listener, nothing was sent; add one, or name another in [target.{name}].')
    return found.address


def check_tags(name: str, balancer: str, tags: Mapping[str, str], environment: str) -> None:
    """Refuse a load balancer that is tagged as production's.

    Raises
    ------
    SizeupError
        Unless the settings say production-ack.
    """
    tag = production_tag(tags)
    if tag is not None and environment != "production-ack":
        what = f'target "{name}": {balancer} is tagged {tag}, nothing was sent'
        raise SizeupError(f'{what}; name a staging load balancer, or type environment = "production-ack" in [target.{name}].')


def production_tag(tags: Mapping[str, str]) -> str | None:
    """Return the tag that says production, as "key=value"."""
    told = ((key, value) for key, value in tags.items() if key.lower() in TAG_KEYS and value.lower() in PRODUCTION)
    return next((f"{key}={value}" for key, value in told), None)
