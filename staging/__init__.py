"""Stacks to load: `embedded`, real processes on loopback that stand for the service on AWS, and the account it lives in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from staging.facts import Deployment, StackInfo, StackName, StackOptions, read_stack

if TYPE_CHECKING:
    from staging.remote import request_deploy, stop_served
    from staging.stack import Stack, clear_leftovers, start_stack

__all__ = [
    "Deployment", "Stack", "StackInfo", "StackName", "StackOptions", "clear_leftovers", "read_stack", "request_deploy", "start_stack",
    "stop_served",
]  # fmt: skip

# Lazy: starting a stack pulls http.server, subprocess and, later, boto3; the command line's help needs none of it.
_LAZY = {"Stack": "staging.stack", "clear_leftovers": "staging.stack", "start_stack": "staging.stack"}
_LAZY |= {"request_deploy": "staging.remote", "stop_served": "staging.remote"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
