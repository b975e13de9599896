"""What AWS would answer where moto has no answer: a small endpoint on loopback for price lists, offers and account state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from staging.aws.world import AwsWorld, Trouble

if TYPE_CHECKING:
    from staging.aws.metric import MetricSeries
    from staging.aws.server import AwsStandIn, start_aws

__all__ = ["AwsStandIn", "AwsWorld", "MetricSeries", "Trouble", "start_aws"]


# Lazy: the server pulls http.server and botocore's models, a metric numpy.
_HOME = {"AwsStandIn": "staging.aws.server", "start_aws": "staging.aws.server", "MetricSeries": "staging.aws.metric"}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
