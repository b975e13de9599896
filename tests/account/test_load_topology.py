"""What a load on a real account puts into its run of what stands there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sizeup.context import Context
from sizeup.loading import note_topology
from sizeup.settings import Settings, load_settings
from staging.aws import Trouble


@pytest.fixture
def settings(sizeup) -> Settings:
    """A service's own address, and the target groups behind it."""
    Path("sizeup.toml").write_text(
        '[target.staging]\nurl = "https://example.run"\n[class.api]\ntarget_group = "moco-api"\n'
        '[class.frontend]\ntarget_group = "moco-frontend"\n'
    )
    return load_settings(Path("sizeup.toml"))


def test_the_present_types_are_in_the_run(settings, tmp_path: Path):
    """As built; without them no run can say what a cheaper type would save."""
    note_topology(Context(), settings, settings.target["staging"], tmp_path)

    found = json.loads((tmp_path / "topology.json").read_text())
    assert {i["class"]: i["type"] for i in found["instances"]} == {"frontend": "t2.micro", "api": "t3.small"}


def test_an_account_that_cannot_be_read_costs_the_run_no_more_than_that(settings, stand_in, tmp_path: Path, capsys):
    """Refused: a warning, and the load goes on."""
    stand_in.world.trouble = Trouble(denied={"ec2:DescribeInstances"})

    note_topology(Context(), settings, settings.target["staging"], tmp_path)

    assert not (tmp_path / "topology.json").exists()
    assert "warning: AWS refused ec2:DescribeInstances" in capsys.readouterr().err
