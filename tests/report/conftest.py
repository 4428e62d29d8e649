"""Two finished runs, made by hand, that the tests of the report share."""

from __future__ import annotations

import pytest
from synthetic_run import make_run

from cczsim.scenario.result import RunResult


@pytest.fixture(scope="session")
def base_run() -> RunResult:
    return make_run()


@pytest.fixture(scope="session")
def plan_run() -> RunResult:
    return make_run(scenario=True)
