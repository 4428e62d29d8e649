"""What is said at the end of a run: whether two options differ by more than the gaps explain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cczsim.indicators.indicator import Indicator
from cczsim.pipeline.summary import parts_apart
from cczsim.scenario.compare import noise
from cczsim.scenario.run import RunResult
from tests.report.synthetic_run import make_run


@pytest.fixture(scope="module")
def one() -> RunResult:
    return make_run()


def moved(run: RunResult, share: float, name: str) -> RunResult:
    """Return the run under another name, all its figures larger by a share."""
    figures = tuple(
        Indicator(item.key, item.value * (1.0 + share), item.unit, item.by)
        for item in run.indicators
    )
    return replace(run, indicators=figures, name=name)


def test_two_options_are_told_apart_by_what_gaps_cannot_explain(one: RunResult) -> None:
    gap = noise(one)
    assert gap > 0.0
    near, far = moved(one, gap, "near"), moved(one, 10.0 * gap, "far")
    lines = parts_apart([[one, near, far], [near]])
    assert len(lines) == 3
    of_near, of_far = lines[0], lines[1]
    assert of_near.startswith(f"{one.name} and near: 0 of ")
    told = of_far.split(": ")[1].split(" ")
    assert of_far.startswith(f"{one.name} and far: ")
    assert told[0] == told[2] != "0"
    assert "by 5 times that and more" in of_far
