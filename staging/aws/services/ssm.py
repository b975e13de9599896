"""Systems Manager: SendCommand really runs a shell script, for a host that the world has; GetCommandInvocation says how it went.

Source: Systems Manager API reference, SendCommand and GetCommandInvocation: an invocation isn't there at once; its output is cut
at 24,000 characters, its errors at 8,000.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Mapping
from typing import Any

from staging.aws.service import Service
from staging.aws.world import AwsFault, AwsWorld, Entry

DOCUMENT = "AWS-RunShellScript"
LONGEST_OUTPUT, LONGEST_ERRORS = 24_000, 8_000
LONGEST_S = 60


def send_command(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Run a script on each host, to its end.

    Raises
    ------
    AwsFault
        Where the document or a host isn't known.
    """
    if asked["DocumentName"] != DOCUMENT:
        raise AwsFault("InvalidDocument", f"document {asked['DocumentName']} does not exist in your account")
    if any(instance not in world.hosts for instance in asked["InstanceIds"]):
        raise AwsFault("InvalidInstanceId", "Instances not in a valid state for account")
    command, script = str(uuid.uuid4()), "\n".join(asked["Parameters"]["commands"])
    for instance in asked["InstanceIds"]:
        went = _run(script, world.hosts[instance]) | {"CommandId": command, "InstanceId": instance}
        world.invocations[command, instance] = [None, went]
    return {"Command": {"CommandId": command, "DocumentName": DOCUMENT, "InstanceIds": asked["InstanceIds"], "Status": "Pending"}}


def get_command_invocation(world: AwsWorld, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Tell how a command went, from the second question on.

    Raises
    ------
    AwsFault
        At the first one, and for a command that nobody sent.
    """
    answers = world.invocations.get((asked["CommandId"], asked["InstanceId"]), [None])
    told = answers.pop(0) if len(answers) > 1 else answers[0]
    if told is None:
        raise AwsFault("InvocationDoesNotExist", "")
    return told


def _run(script: str, environ: Mapping[str, str]) -> Entry:
    done = subprocess.run(["sh", "-s"], input=script, env=dict(environ), capture_output=True, text=True, timeout=LONGEST_S, check=False)
    return {
        "Status": "Failed" if done.returncode else "Success", "ResponseCode": done.returncode,
        "StandardOutputContent": done.stdout[:LONGEST_OUTPUT], "StandardErrorContent": done.stderr[:LONGEST_ERRORS],
    }  # fmt: skip


SERVICE = Service({"SendCommand": send_command, "GetCommandInvocation": get_command_invocation})
