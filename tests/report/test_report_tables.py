from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from cczsim.indicators.conventions import CONVENTIONS
from cczsim.indicators.indicator import Indicator
from cczsim.report import tables
from cczsim.report.density_tables import density_tables, rule_of
from cczsim.report.figures import DASH
from cczsim.report.tables import Figures
from cczsim.report.text import known
from cczsim.scenario.result import RunResult


@dataclass(frozen=True)
class FakeRow:
    key: str
    explained_by_gap: bool
    by: dict[str, str] = field(default_factory=dict)


def test_headline_names_area_convention_and_difference(
    plan_run: RunResult, base_run: RunResult
) -> None:
    figures = tables.headline(Figures.of(plan_run, base_run, None))
    assert 3 <= len(figures) <= 4
    density = figures[0]
    assert density.label.en == "Road density"
    assert density.note.en == "central zone · Chinese urban standard"
    assert (density.cell.value, density.cell.change, density.base) == ("7.01", "+0.91", "6.10")
    assert density.cell.verdict == "better"
    assert len({figure.label.en for figure in figures}) == len(figures)


def test_a_cell_is_better_worse_or_noise(plan_run: RunResult, base_run: RunResult) -> None:
    comparison = SimpleNamespace(
        rows=(
            FakeRow("mean_speed", True, {"area": "all"}),
            FakeRow("delay_hours", False, {"area": "all"}),
        )
    )
    figures = Figures.of(plan_run, base_run, comparison)
    cells = {
        key: figures.cell(figures.find(key, {})) for key in ("mean_speed", "delay_hours", "co2")
    }
    assert cells["mean_speed"].verdict == "noise"
    assert cells["delay_hours"].verdict == "better"
    worse = Figures.of(base_run, plan_run, None)
    assert worse.cell(worse.find("delay_hours", {})).verdict == "worse"
    assert worse.cell(worse.find("vehicle_km", {})).verdict == ""
    assert figures.cell(None).value == DASH


def test_without_a_base_there_are_no_differences(plan_run: RunResult) -> None:
    figures = Figures.of(plan_run, None, None)
    cells = [cell for row in tables.by_tier(figures).rows for cell in row.cells]
    assert cells
    assert all(cell.change == "" for cell in cells)


def test_area_all_and_no_area_are_the_same_figure(plan_run: RunResult) -> None:
    run = replace(plan_run, indicators=(Indicator("energy", 5.0, "GJ/h"),))
    base = replace(plan_run, indicators=(Indicator("energy", 4.0, "GJ/h", {"area": "all"}),))
    figures = Figures.of(run, base, None)
    assert figures.cell(figures.find("energy", {"area": "all"})).change == "+1.00"


def test_a_figure_that_is_not_defined_has_no_difference(plan_run: RunResult) -> None:
    run = replace(plan_run, indicators=(Indicator("energy", math.nan, "GJ/h"),))
    base = replace(plan_run, indicators=(Indicator("energy", 4.0, "GJ/h"),))
    figures = Figures.of(run, base, None)
    cell = figures.cell(figures.find("energy", {}))
    assert (cell.value, cell.change) == (DASH, "")


def test_scoreboard_tells_met_missed_and_unknown(plan_run: RunResult) -> None:
    rows = tables.scoreboard(plan_run)
    assert [row.state for row in rows] == ["met", "missed", "unknown"]
    assert rows[0].label.zh == "路网密度 · 中心区 · 中国城市道路标准"
    assert rows[1].label.en == "Time to the airport · car · central zone"
    assert rows[2].label.en == "gdp"
    assert rows[0].margin == "+0.015"
    assert rows[0].assumed == ("demand.value_of_time",)
    assert tables.target_counts(rows).en == (
        "Targets of the plan: 1 met, 1 missed, 1 that this model cannot judge."
    )
    assert not tables.target_counts(())
    assert rows[2].margin == rows[2].value == DASH


def test_indicators_by_tier_leave_lines_and_conventions_to_their_own_tables(
    plan_run: RunResult, base_run: RunResult
) -> None:
    table = tables.by_tier(Figures.of(plan_run, base_run, None))
    assert [column.en for column in table.columns] == [
        "whole region", "central zone", "metropolitan circle", "city cluster",
    ]  # fmt: skip
    labels = [row.label.en for row in table.rows]
    assert "Jobs reached · transit · within 45 min" in labels
    assert not any(label.startswith(("Road density", "Boardings")) for label in labels)
    assert all(len(row.cells) == 4 for row in table.rows)


def test_density_marks_the_convention_of_the_target(
    plan_run: RunResult, base_run: RunResult
) -> None:
    found = density_tables(Figures.of(plan_run, base_run, None))
    assert [row.marked for row in found.by_area.rows] == [True, False]
    assert [column.en for column in found.by_area.columns] == [
        "central zone", "metropolitan circle", "city cluster",
    ]  # fmt: skip
    columns = found.by_district.columns
    assert columns[0].en.endswith("★")
    assert not columns[1].en.endswith("★")
    assert [row.label.en for row in found.by_district.rows] == ["岳麓区", "天心区", "宁乡市"]
    spec = {"changes": [{"kind": "road_density", "convention": "osm-all-drivable"}]}
    other = density_tables(Figures.of(replace(plan_run, spec=spec), base_run, None))
    assert [row.marked for row in other.by_area.rows] == [False, True]


def test_lengths_by_class_stand_in_the_order_of_the_classes(plan_run: RunResult) -> None:
    table = density_tables(Figures.of(plan_run, None, None)).by_class
    assert [row.label.zh for row in table.rows] == ["主干路", "街巷"]
    assert [[cell.value for cell in row.cells] for row in table.rows] == [
        [DASH, "22.0"], [DASH, "242"],
    ]  # fmt: skip


@pytest.mark.parametrize("convention", list(CONVENTIONS))
def test_a_convention_says_what_counts_and_over_what(convention: str) -> None:
    assert known(f"convention.{convention}")
    rule = rule_of(convention)
    assert "arterial (primary)" in rule.en
    assert "分母" in rule.zh
    assert ("merged" in rule.en) == CONVENTIONS[convention].merged
    assert not rule_of("no-such-convention")


def test_the_convention_of_the_scenario_comes_before_the_default(plan_run: RunResult) -> None:
    spec = {"density": {"convention": "osm-all-drivable"}, "changes": [{"kind": "road_density"}]}
    assert tables.target_convention(replace(plan_run, spec=spec)) == "osm-all-drivable"


@pytest.mark.parametrize("spec", [{}, {"changes": None}, {"changes": [{"kind": "links"}]}])
def test_the_convention_has_a_default(plan_run: RunResult, spec: dict[str, object]) -> None:
    assert tables.target_convention(replace(plan_run, spec=spec)) == "cn-urban"
