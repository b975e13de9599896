"""X-Amzn-Trace-Id as an Application Load Balancer treats it: a Root is kept, a missing one made.

Source: Elastic Load Balancing user guide, "Request tracing for your Application Load Balancer".
"""

from __future__ import annotations

import os

NAME = b"x-amzn-trace-id"


def traced(given: str | None, epoch_s: int) -> str:
    """Return the header that goes to the target and into the log.

    Without a header a Root is made; one that has a Root keeps it behind a Self of ours; one without is given a Root.
    """
    ours = f"1-{epoch_s & 0xFFFFFFFF:08x}-{os.urandom(12).hex()}"
    if not given:
        return f"Root={ours}"
    has_root = any(part.strip().startswith("Root=") for part in given.split(";"))
    return f"Self={ours};{given}" if has_root else f"{given};Root={ours}"
