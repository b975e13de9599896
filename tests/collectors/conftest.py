"""moto's own server, one for all tests of an account: each builds what is its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto_process import moto_server


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as url:
        yield url
