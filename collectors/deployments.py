"""What CodeDeploy deployed: the deployments since a day, newest first, the host class that each was of, and its lifecycle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from collectors.aws import Rows, SideCalls, in_parts
from evidence import rfc3339

PER_CALL = 25
"""CodeDeploy API reference, BatchGetDeployments and BatchGetDeploymentTargets: at most so many ids a call."""


def deployments_since(side: SideCalls, start: datetime) -> Rows:
    """Return the deployments created since `start` as BatchGetDeployments describes them, newest first."""
    ids = side.pages("codedeploy", "list_deployments", "deployments", createTimeRange={"start": start})
    parts = [side.call("codedeploy", "batch_get_deployments", deploymentIds=list(part)) for part in in_parts(ids, PER_CALL)]
    found = [info for part in parts for info in part.get("deploymentsInfo", [])]
    return sorted(found, key=lambda info: str(_began(info)), reverse=True)


def describe_deployment(info: Mapping[str, Any], classes: Mapping[str, str]) -> dict[str, Any]:
    """Return a deployment as topology.json has it; `classes` is host class -> target group."""
    return {
        "id": info["deploymentId"], "class": deployed_class(info, classes), "started_at": _said(_began(info)),
        "ended_at": _said(info.get("completeTime")), "status": info["status"],
    }  # fmt: skip


def deployed_class(info: Mapping[str, Any], classes: Mapping[str, str]) -> str | None:
    """Tell a deployment's host class by its target group, else by an application or group of that name."""
    balancing = info.get("loadBalancerInfo", {})
    groups = [*balancing.get("targetGroupInfoList", []), *balancing.get("elbInfoList", [])]
    groups += [group for pair in balancing.get("targetGroupPairInfoList", []) for group in pair.get("targetGroups", [])]
    names = {group.get("name") for group in groups} | {info.get("applicationName"), info.get("deploymentGroupName")}
    return next((name for name, group in classes.items() if {name, group} & names), None)


def lifecycle(side: SideCalls, deployment_id: str) -> Rows:
    """Return each lifecycle event of each target of a deployment, in its order: target, event, status, started_at, ended_at.

    Source: CodeDeploy user guide, "AppSpec 'hooks' section" (BeforeInstall, ApplicationStart, …).
    """
    ids = side.pages("codedeploy", "list_deployment_targets", "targetIds", deploymentId=deployment_id)
    asked = [
        side.call("codedeploy", "batch_get_deployment_targets", deploymentId=deployment_id, targetIds=list(part))
        for part in in_parts(ids, PER_CALL)
    ]
    targets = [_target(target) for answer in asked for target in answer.get("deploymentTargets", [])]
    return [_step(target["targetId"], event) for target in targets for event in target.get("lifecycleEvents", [])]


def _target(target: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a target is said of, under whichever kind's name it stands."""
    found: Mapping[str, Any] = next((value for value in target.values() if isinstance(value, Mapping) and "targetId" in value), {})
    return found


def _step(target: str, event: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "target": target, "event": event["lifecycleEventName"], "status": event.get("status"),
        "started_at": _said(event.get("startTime")), "ended_at": _said(event.get("endTime")),
    }  # fmt: skip


def _began(info: Mapping[str, Any]) -> datetime | None:
    return info.get("startTime") or info.get("createTime")


def _said(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
