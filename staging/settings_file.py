"""The sizeup.toml that goes with a stack: its target, its host classes, nothing that a team would have to fill in."""

from __future__ import annotations

from staging.facts import StackInfo, StackName

# What `look` tells apart on a host of the real stack; the colour is what the command line says.
_MOCO_GROUPS = r"""groups = [
  { name = "jvm", match = "java .*moco-api\\.jar", color = "--moco\\.color=(\\w+)" },
  { name = "codedeploy-agent-standin", match = "codedeploy-agent-standin" },
]
"""


def settings_toml(info: StackInfo, stack: StackName = "embedded") -> str:
    """Write the settings with which `sizeup load staging` loads the stack."""
    hosts = ", ".join(f'{name} = "{host}"' for name, host in info.hosts.items())
    deploys = {"api": "blue_green", "frontend": "none"}
    groups = {"api": _MOCO_GROUPS} if stack == "moco" else {}
    classes = "\n".join(
        f'[class.{name}]\ntarget_group = "{group}"\ndeploy = "{deploys[name]}"\n{groups.get(name, "")}'
        for name, group in info.target_groups.items()
    )
    return f"""\
# Written by the {stack} stack; its ports change with every start.
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
