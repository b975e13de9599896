"""What a service of the stand-in is: its operations by AWS's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from evidence import discover
from staging.aws.world import AwsWorld

Operation = Callable[[AwsWorld, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Service:
    """A service of AWS.

    Attributes
    ----------
    operations : Mapping
        What each answers, by its name in the API ("GetProducts"); arguments and answers as the API spells them.
    """

    operations: Mapping[str, Operation]


@cache
def services() -> dict[str, Service]:
    """Return the services by the name that requests are signed for, which is their file's."""
    return discover("staging.aws.services", "SERVICE", Service)
