"""What the hosts and the account really did, written into a run: host agent, host sampler, CloudWatch, topology, memory."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collectors.addresses import drop_command
    from collectors.agent_moments import spool_moments
    from collectors.agent_spool import SpoolFrames, read_spool
    from collectors.aws import AwsSession, SideCalls
    from collectors.balancers import balancer_at, load_balancers, short_name
    from collectors.clocks import aws_clock, host_clock
    from collectors.improvements import improvements_of
    from collectors.install import (
        AgentState,
        Wanted,
        ask_agent,
        check_python,
        fetch_spool,
        install_agent,
        plan_install,
        remove_agent,
        watch_host,
    )
    from collectors.memory import LookMoment, fullest, look_beat_s, measure_memory, watch_memory
    from collectors.metric_plan import Bill, whole_span
    from collectors.metrics import planned_metrics
    from collectors.permissions import probe
    from collectors.plan_state import account_plan
    from collectors.registry import Asked, Collector, collectors
    from collectors.sampler import SamplerHandle, start_sampler
    from collectors.sources.access_logs import LogsRead, collect_access_logs, copy_log_files
    from collectors.sources.cloudwatch import SETTLED_S, agent_metrics, cloudwatch_bill, cloudwatch_read, collect_cloudwatch
    from collectors.sources.events import collect_events
    from collectors.sources.topology import discover_topology
    from collectors.transport import Place, Remote, Transport, all_transports
    from collectors.transports.ssm import is_instance

__all__ = [
    "AgentState", "Asked", "AwsSession", "Bill", "Collector", "LogsRead", "LookMoment", "Place", "Remote", "SETTLED_S", "SamplerHandle",
    "SideCalls", "SpoolFrames", "Transport", "Wanted", "account_plan", "agent_metrics", "all_transports", "ask_agent", "aws_clock",
    "balancer_at", "check_python", "cloudwatch_bill", "cloudwatch_read", "collect_access_logs", "collect_cloudwatch",
    "collect_events", "collectors", "copy_log_files", "discover_topology", "drop_command", "fetch_spool", "fullest", "host_clock",
    "improvements_of", "install_agent", "is_instance", "load_balancers", "look_beat_s", "measure_memory", "plan_install", "planned_metrics",
    "probe", "read_spool", "read_spool_rows", "remove_agent",
    "short_name", "spool_moments", "start_sampler", "watch_host", "watch_memory", "whole_span",
]  # fmt: skip

# Lazy: whoever wants one of them pays for neither boto3's nor psutil's import of the others.
_HOME = {
    "agent_spool": ("SpoolFrames", "read_spool", "read_spool_rows"),
    "addresses": ("drop_command",),
    "aws": ("AwsSession", "SideCalls"),
    "balancers": ("balancer_at", "load_balancers", "short_name"),
    "clocks": ("aws_clock", "host_clock"),
    "improvements": ("improvements_of",),
    "install": ("AgentState", "Wanted", "ask_agent", "check_python", "fetch_spool", "install_agent", "plan_install",
                "remove_agent", "watch_host"),
    "memory": ("LookMoment", "fullest", "look_beat_s", "measure_memory", "watch_memory"),
    "permissions": ("probe",),
    "plan_state": ("account_plan",),
    "registry": ("Asked", "Collector", "collectors"),
    "sampler": ("SamplerHandle", "start_sampler"),
    "metrics": ("planned_metrics",),
    "sources.access_logs": ("LogsRead", "collect_access_logs", "copy_log_files"),
    "metric_plan": ("Bill", "whole_span"),
    "sources.cloudwatch": ("SETTLED_S", "agent_metrics", "cloudwatch_bill", "cloudwatch_read", "collect_cloudwatch"),
    "sources.events": ("collect_events",),
    "sources.topology": ("discover_topology",),
    "agent_moments": ("spool_moments",),
    "transport": ("Place", "Remote", "Transport", "all_transports"),
    "transports.ssm": ("is_instance",),
}  # fmt: skip
_LAZY = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
