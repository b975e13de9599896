"""A deployment's targets and their lifecycle. Source: CodeDeploy API reference, ListDeploymentTargets and BatchGetDeploymentTargets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from staging.aws.service import Service
from staging.aws.world import AwsFault, AwsWorld, Entry, page

MOST_IDS = 25


def list_deployment_targets(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    ids = [target["instanceTarget"]["targetId"] for target in _targets(world, asked)]
    items, token = page(world, ids, asked.get("nextToken"), None, 100, "InvalidNextTokenException")
    return {"targetIds": items} | ({"nextToken": token} if token else {})


def batch_get_deployment_targets(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    if len(asked.get("targetIds", [])) > MOST_IDS:
        raise AwsFault("DeploymentTargetListSizeExceededException", f"At most {MOST_IDS} targets can be asked for")
    wanted = [target for target in _targets(world, asked) if target["instanceTarget"]["targetId"] in asked["targetIds"]]
    return {"deploymentTargets": wanted}


def _targets(world: AwsWorld, asked: Mapping[str, Any]) -> list[Entry]:
    """Return the targets of the deployment asked for; the stand-in keeps them all under the operation that gives them."""
    every = world.lists.get("BatchGetDeploymentTargets", [])
    return [target for target in every if target["instanceTarget"]["deploymentId"] == asked["deploymentId"]]


SERVICE = Service({"BatchGetDeploymentTargets": batch_get_deployment_targets, "ListDeploymentTargets": list_deployment_targets})
