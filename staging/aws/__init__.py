"""What AWS would answer where moto has no answer: a small endpoint on loopback for price lists, offers and account state."""

from __future__ import annotations

from staging.aws.world import AwsWorld, Trouble

__all__ = ["AwsStandIn", "AwsWorld", "Trouble", "start_aws"]


def __getattr__(name: str) -> object:
    # Lazy: the server pulls http.server and botocore's models.
    if name in ("AwsStandIn", "start_aws"):
        from staging.aws import server

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
