from __future__ import annotations

from dataclasses import replace

import pytest

from cczsim.indicators.indicator import Indicator
from cczsim.report.charts import load_chart, mode_chart, tier_charts
from cczsim.report.tables import Figures
from cczsim.scenario.result import RunResult


def with_figures(run: RunResult, *figures: Indicator) -> RunResult:
    return replace(run, indicators=figures)


def shares(run: RunResult, car: float, transit: float) -> RunResult:
    values = {"car": car, "transit": transit, "active": 100 - car - transit}
    return with_figures(
        run, *(Indicator("mode_share", v, "%", {"mode": mode}) for mode, v in values.items())
    )


def test_the_share_of_a_thin_part_stands_above_it(plan_run: RunResult) -> None:
    chart = mode_chart(Figures.of(shares(plan_run, 40.0, 1.2), None, None))
    assert chart is not None
    assert chart.wide
    columns = [r.data_source.data for r in chart.plot.renderers if "inside" in r.data_source.data]
    told = {(c["inside"][0], c["above"][0]) for c in columns}
    assert told == {("40.0 %", ""), ("", "1.2 %"), ("58.8 %", "")}


def test_nobody_on_a_mode_has_no_label(plan_run: RunResult) -> None:
    chart = mode_chart(Figures.of(shares(plan_run, 40.0, 0.0), None, None))
    assert chart is not None
    assert all(
        r.data_source.data["above"] == [""]
        for r in chart.plot.renderers
        if "above" in r.data_source.data
    )


def by_tier(run: RunResult, **values: float) -> RunResult:
    by = {"mode": "transit", "minutes": "45"}
    return with_figures(
        run,
        *(Indicator("jobs_reached", v, "jobs", {**by, "tier": t}) for t, v in values.items()),
    )


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [
        ({"central": 5.0, "circle": 0.0, "cluster": 0.0}, {"central": 4.0}, ["central"]),
        ({"central": 5.0, "circle": 0.0}, {"central": 4.0, "circle": 1.0}, ["central", "circle"]),
        ({"central": 5.0, "cluster": 2.0}, {}, ["central", "cluster (gates)"]),
    ],
)
def test_tiers_without_a_figure_have_no_bar(
    plan_run: RunResult, base_run: RunResult, now: dict[str, float], before: dict[str, float],
    shown: list[str],
) -> None:  # fmt: skip
    figures = Figures.of(by_tier(plan_run, **now), by_tier(base_run, **before), None)
    (chart,) = tier_charts(figures)
    assert list(chart.plot.xaxis[0].major_label_overrides.values()) == shown


def test_a_figure_that_is_nothing_everywhere_has_no_chart(plan_run: RunResult) -> None:
    run = by_tier(plan_run, central=0.0, circle=0.0)
    assert tier_charts(Figures.of(run, run, None)) == ()


def test_loads_are_named_from_the_limits(plan_run: RunResult) -> None:
    axis = load_chart(Figures.of(plan_run, None, None)).plot.xaxis[0]
    assert list(axis.major_label_overrides.values()) == [
        "< 0.5", "0.5–0.7", "0.7–0.85", "0.85–1", "≥ 1",
    ]  # fmt: skip
