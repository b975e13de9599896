"""The real stack, started once a session and shared by the tests that don't kill it; it builds what it runs first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moco_client import Client

from staging import Stack, StackOptions, start_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with start_stack(tmp_path_factory.mktemp("moco"), StackOptions(stack="moco"), print) as running:
        yield running


@pytest.fixture(scope="session")
def client(stack: Stack) -> Client:
    return Client(stack.info.alb_url)
