from __future__ import annotations

import pytest
from made_run import Truth, made_run

from catalogue import Catalogue, load_catalogue


@pytest.fixture(scope="session")
def seoul() -> Catalogue:
    return load_catalogue("ap-northeast-2")


@pytest.fixture(scope="session")
def plain_run():
    return made_run(Truth())
