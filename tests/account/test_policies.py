"""The policies of docs/iam: what the program really asks for, recorded by the stand-in over all its commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collectors.permissions import agent_actions, agent_policy, read_actions, read_policy

IAM = Path(__file__).resolve().parents[2] / "docs" / "iam"
READS = ("Describe", "Get", "List", "BatchGet")


def actions(name: str) -> set[str]:
    return {action for each in json.loads((IAM / name).read_text())["Statement"] for action in each["Action"]}


@pytest.mark.parametrize(("name", "policy"), [("read.json", read_policy()), ("agent.json", agent_policy())])
def test_a_policy_is_as_the_code_says(name, policy):
    """Where this fails, `make docs` mends it."""
    assert json.loads((IAM / name).read_text()) == policy


def test_the_policy_for_reading_only_reads():
    """By the names of the actions, of which none changes anything."""
    assert all(action.partition(":")[2].startswith(READS) for action in actions("read.json"))
    assert actions("read.json") == set(read_actions())


def test_a_command_may_be_sent_by_one_document_and_to_tagged_instances_alone():
    """A command is root's on the instance. Systems Manager user guide, "Restricting Run Command access based on tags"."""
    sends = [each for each in json.loads((IAM / "agent.json").read_text())["Statement"] if "ssm:SendCommand" in each["Action"]]

    assert [each["Resource"] for each in sends] == ["arn:aws:ssm:*::document/AWS-RunShellScript", "arn:aws:ec2:*:*:instance/*"]
    assert sends[1]["Condition"] == {"StringEquals": {"ssm:resourceTag/sizeup": "agent"}}
    assert actions("agent.json") == set(agent_actions())


def test_the_doctor_asks_for_each_action_of_the_policy_and_for_no_other(sizeup, stand_in, account):
    """Recorded at the endpoint."""
    Path("sizeup.toml").write_text(f'[target.staging]\nalb = "{account.load_balancer}"\n')

    sizeup("doctor")

    assert set(stand_in.calls) == actions("read.json")
