"""The sizeup.toml that goes with a stack: its target, its host classes, nothing that a team would have to fill in."""

from __future__ import annotations

from staging.facts import StackInfo


def settings_toml(info: StackInfo) -> str:
    """Write the settings with which `sizeup load staging` loads the stack."""
    hosts = ", ".join(f'{name} = "{host}"' for name, host in info.hosts.items())
    deploys = {"api": "blue_green", "frontend": "none"}
    classes = "\n".join(f'[class.{name}]\ntarget_group = "{info.target_groups[name]}"\ndeploy = "{deploys[name]}"\n' for name in info.hosts)
    return f"""\
# Written by the embedded stack; its ports change with every start.
[project]
region = "{info.region}"
timezone = "Asia/Seoul"

[target.staging]
url = "{info.alb_url}"
environment = "staging"
max_rate_per_s = 200
hosts = {{ {hosts} }}

{classes}
[account]
free_tier = "unknown"
"""
