"""Systems Manager, for hosts that no ssh reaches: to install, ask and end the agent, never for data.

Its output is cut at 24,000 characters (Systems Manager API reference, GetCommandInvocation, StandardOutputContent).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from collectors.transport import SCRIPT_S, Place, Remote, Transport, last_line
from evidence import SizeupError

if TYPE_CHECKING:
    from collectors.aws import AwsSession

LONGEST_OUTPUT = 24_000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0
GOING = ("Pending", "InProgress", "Delayed")
CALLS = ("ssm:SendCommand", "ssm:GetCommandInvocation")


class SsmRemote:
    """An instance whose SSM agent runs scripts, as root."""

    def __init__(self, instance: str, aws: AwsSession) -> None:
        self._instance, self._aws = instance, aws

    def run(self, script: str, timeout_s: float = SCRIPT_S) -> bytes:
        limits = {"commands": [script], "executionTimeout": [str(max(60, int(timeout_s)))]}
        sent = self._aws.call(
            "ssm", "send_command", InstanceIds=[self._instance], DocumentName="AWS-RunShellScript", Parameters=limits,
        )  # fmt: skip
        return self._wait(sent["Command"]["CommandId"], timeout_s)

    def _wait(self, command: str, timeout_s: float) -> bytes:
        end_s, pause_s = time.monotonic() + timeout_s, FIRST_PAUSE_S
        while time.monotonic() < end_s:
            time.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
            told = self._invocation(command)
            if told["Status"] not in GOING:
                return self._output(told["Status"], told["StandardOutputContent"], told["StandardErrorContent"])
        raise SizeupError(f"{self._instance}: Systems Manager had no answer in {timeout_s:g} s; is its agent running there? Try again.")

    def _invocation(self, command: str) -> dict[str, Any]:
        from collectors.aws import AwsError

        try:
            return self._aws.call("ssm", "get_command_invocation", CommandId=command, InstanceId=self._instance)
        except AwsError as refused:
            if refused.code != "InvocationDoesNotExist":  # it isn't there at once
                raise
            return {"Status": "Pending"}

    def _output(self, status: str, output: str, errors: str) -> bytes:
        if status != "Success":
            raise SizeupError(f"{self._instance}: {last_line(errors, f'the command ended as {status}')}; nothing more was done.")
        if len(output) >= LONGEST_OUTPUT:
            raise SizeupError(f"{self._instance}: Systems Manager cut the answer at {LONGEST_OUTPUT:,} characters; use --via ssh.")
        return output.encode()

    def fetch(self, script: str, timeout_s: float = SCRIPT_S) -> bytes:
        why = f"Systems Manager cuts its output at {LONGEST_OUTPUT:,} characters, so no data comes that way"
        raise SizeupError(f"{self._instance}: {why}; fetch with --via s3 --bucket NAME, or --via ssh.")

    def close(self) -> None:
        """Nothing stays open."""


def is_instance(host: str) -> bool:
    """Tell whether a host is named by its instance id."""
    return host.startswith(("i-", "mi-")) and host.isascii() and host.replace("-", "").isalnum()


def connect(place: Place) -> Remote:
    if not is_instance(place.host) or place.aws is None:
        raise SizeupError(f'host "{place.host}": Systems Manager knows instances by id; give for example i-0123456789abcdef0.')
    return SsmRemote(place.host, place.aws)


TRANSPORT = Transport(says="through Systems Manager, as root", calls=CALLS, connect=connect)
