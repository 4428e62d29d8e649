from __future__ import annotations

import numpy as np
import pytest

from cczsim.network.geometry import project
from cczsim.report.maps import map_crs
from cczsim.report.provenance import generated_km, guessed_shares, solver_rows, street_metres
from cczsim.report.rail import line_figures, line_rows, sections, stations
from cczsim.scenario.result import RunResult


def test_both_directions_of_a_line_are_one_row(plan_run: RunResult, base_run: RunResult) -> None:
    lines = {line.route: line for line in line_figures(plan_run)}
    assert list(lines) == ["M1", "B1"]
    carried = plan_run.equilibrium.transit
    assert carried is not None
    assert lines["M1"].boardings == pytest.approx(carried.boardings[:24].sum())
    assert lines["M1"].busiest == pytest.approx(carried.segment_flow[:24].max())
    assert lines["M1"].load == pytest.approx(lines["M1"].busiest / (1500 * 12))
    rows = {row.route: row.cells for row in line_rows(plan_run, base_run)}
    assert rows["M1"][4].startswith("+")
    assert rows["B1"][4] == "–"


def test_runs_between_two_stations_are_one_section_with_both_flows(plan_run: RunResult) -> None:
    transit = plan_run.network.transit
    carried = plan_run.equilibrium.transit
    assert transit is not None
    assert carried is not None
    crs = map_crs(plan_run)
    x, y = project(transit.stop_lon, transit.stop_lat, crs)
    found = sections(transit, carried.segment_flow, np.arange(transit.n_stops), x, y, crs)
    assert len(found) == 11
    first = found["M1", 0, 1]
    assert first.flow == pytest.approx([carried.segment_flow[0], carried.segment_flow[22]])
    total = sum(sum(section.flow) for section in found.values())
    assert total == pytest.approx(carried.segment_flow[:24].sum())


def test_stops_of_one_name_are_one_station_only_where_they_are_near(base_run: RunResult) -> None:
    transit = base_run.network.transit
    assert transit is not None
    named = transit.replace(stop_name=["A", "A", "B", "A", *[""] * 8])
    x = np.array([0.0, 300.0, 500.0, 50_000.0, *range(8)])
    used = np.ones(12, dtype=bool)
    used[2] = False
    station = stations(named, x, np.zeros(12), used)
    assert station[:4].tolist() == [0, 0, -1, 1]
    assert len(set(station[4:].tolist())) == 8


def test_shares_of_provenance_add_up_and_generated_streets_are_counted(
    base_run: RunResult,
) -> None:
    road = base_run.network.road
    rows = {row.label.en: [cell.value for cell in row.cells] for row in guessed_shares(road).rows}
    assert rows["speed"] == ["0.0 %", "0.0 %", "100.0 %", "0.0 %", "0.0 %", "100.0 %"]
    links, km = generated_km(road)
    assert links == 2 * km
    assert street_metres(road).sum() == pytest.approx(264_000.0)
    assert rows["lanes"][-1] == f"{km / 2.64:.1f} %"


def test_solver_rows_say_how_it_ended(plan_run: RunResult, base_run: RunResult) -> None:
    rows = solver_rows(plan_run, base_run)
    assert [row.status.en for row in rows] == ["converged", "converged"]
    assert rows[0].target == 1e-4
    assert rows[0].unreachable == "0"
    assert len(solver_rows(plan_run, None)) == 1
