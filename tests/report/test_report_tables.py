from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from cczsim.indicators.conventions import CONVENTIONS
from cczsim.indicators.indicator import Indicator
from cczsim.report import tables
from cczsim.report.density_tables import density_tables, rule_of
from cczsim.report.figures import DASH, NOTHING
from cczsim.report.tables import Figures
from cczsim.report.text import Both, known
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


def test_no_change_is_neither_better_nor_worse(plan_run: RunResult, base_run: RunResult) -> None:
    figures = Figures.of(plan_run, base_run, None)
    cell = figures.cell(figures.find("delay_per_trip", {}))
    assert (cell.change, cell.verdict) == (NOTHING, "")
    nearly = tuple(
        replace(item, value=item.value + 1e-6) if item.key == "delay_per_trip" else item
        for item in plan_run.indicators
    )
    moved = Figures.of(replace(plan_run, indicators=nearly), base_run, None)
    cell = moved.cell(moved.find("delay_per_trip", {}))
    assert (cell.change, cell.verdict) == (NOTHING, "")


def test_what_is_gained_over_a_base_is_not_held_against_what_the_base_gained(
    plan_run: RunResult,
) -> None:
    gain = Indicator("surplus_hours", 5.0, "person h/h", {"area": "all", "by": "logsum"})
    run = replace(plan_run, indicators=(*plan_run.indicators, gain))
    figures = Figures.of(run, run, None)
    assert figures.cell(gain).change == ""
    assert figures.cell(figures.find("vehicle_km", {})).change == NOTHING


def test_a_tier_of_gates_is_called_that_and_others_not(plan_run: RunResult) -> None:
    figures = Figures.of(plan_run, None, None)
    assert tables.gate_tiers(plan_run) == {"cluster"}
    assert figures.area_name("cluster").zh == "城市群 （外部小区）"
    assert figures.area_name("circle").en == "metropolitan circle"
    bare = replace(plan_run, network=plan_run.network.replace(zones=None))
    assert tables.gate_tiers(bare) == frozenset()


def test_rows_stand_under_headings_and_notes_are_numbered(plan_run: RunResult) -> None:
    noted = (
        Indicator("airport_minutes", 60.0, "min", {"mode": "transit", "tier": "central"},
                  "mean over the 82.5 % of residents who have a way"),
        Indicator("co2", 5.0, "t/h", {"by": "car", "tier": "central"}, "a remark of its own"),
        Indicator("hens", 5.0, "", {"tier": "central"}),
    )  # fmt: skip
    table = tables.by_tier(Figures.of(replace(plan_run, indicators=noted), None, None))
    assert [row.group.en for row in table.rows] == [
        "What can be reached", "Energy and emissions", "Other"
    ]  # fmt: skip
    assert [row.notes for row in table.rows] == [(1,), (2,), ()]
    assert table.rows[1].label == Both("CO₂ · car", "二氧化碳 · 小汽车")
    assert table.notes[0].zh == "有路可达的居民（占 82.5 %）的平均值"
    assert table.notes[1].zh == "a remark of its own"


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


def test_indicators_by_tier_leave_lines_and_conventions_to_their_own_tables(
    plan_run: RunResult, base_run: RunResult
) -> None:
    table = tables.by_tier(Figures.of(plan_run, base_run, None))
    assert [column.en for column in table.columns] == [
        "whole region", "central zone", "metropolitan circle", "city cluster (gates)",
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
        "central zone", "metropolitan circle", "city cluster (gates)",
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
