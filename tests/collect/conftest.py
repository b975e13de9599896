"""An account whose CloudWatch and whose troubles are ours; moto answers for the rest where a test needs it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from made_account import REGION

from collectors import AwsSession
from collectors.registry import Asked
from evidence import create_run
from staging.aws import AwsWorld, start_aws


@pytest.fixture(scope="session")
def server():
    with start_aws(AwsWorld()) as stand_in:
        yield stand_in


@pytest.fixture
def aws(server):
    """The stand-in with nothing in it, and nothing asked yet."""
    server.world = AwsWorld()
    server.calls.clear()
    server.answered.clear()
    return server


@pytest.fixture
def asking(aws, tmp_path):
    """Ask for a stack's metrics in a run of its own: a function of the topology and of the span in seconds since 1970."""
    session = AwsSession(REGION, aws.url)

    def ask(topology, span, name="production"):
        folder = create_run(tmp_path, name, "collect", datetime.now(UTC)) if name else None
        start, end = (datetime.fromtimestamp(s, UTC) for s in span)
        return Asked(session, topology, start, end, folder.path if folder else tmp_path, lambda _: None)

    return ask
