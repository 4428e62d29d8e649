"""``cczsim curve`` on the grid: a family of scenarios, each solved once, and what they gain."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cczsim.cli import main
from cczsim.errors import ScenarioError
from cczsim.io.bundle import save_network
from cczsim.io.scenario_file import read_scenario
from cczsim.pipeline.curve_result import pays, shares
from cczsim.scenario.sample import Option, make_option
from cczsim.scenario.spec import ScenarioSpec
from tests.scenario.grid_case import grid

BASE = """cczsim = 1
title = "Base"
network = "grid"
year = 2020
"""
OFTEN = """cczsim = 1
title = "Trains more often"
title_zh = "加密班次"
extends = "base.toml"
[[changes]]
kind = "transit_line"
line = "M1"
set = { headway = "2 min" }
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    save_network(grid(), folder / "grid")
    (folder / "base.toml").write_text(BASE, encoding="utf-8")
    (folder / "often.toml").write_text(OFTEN, encoding="utf-8")
    return folder


def words(study: Path, *more: str) -> list[str]:
    files = [str(study / "base.toml"), str(study / "often.toml")]
    return ["curve", *files, "--area", "central", "--points", "3", "--quiet", *more]


def test_a_family_is_run_and_what_it_gains_is_said(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = study / "out"
    assert main(words(study, "--to", "1 km/km2", "--out", str(out))) == 0
    said = capsys.readouterr().out
    found: dict[str, Any] = json.loads((out / "curve.json").read_text(encoding="utf-8"))
    rows = found["points"]
    assert [row["scenario"] for row in rows] == [0, 0, 0, 1, 1, 1]
    assert rows[2]["density"] == pytest.approx(1.0, rel=0.006)
    assert rows[0]["added_km"] == 0.0
    assert 0.0 < rows[1]["added_km"] < rows[2]["added_km"]
    assert rows[2]["figures"]["building_cost"] > rows[1]["figures"]["building_cost"] > 0.0
    assert all(row["converged"] and row["noise"] < 2e-5 for row in rows)
    assert "delay_hours: gain of density alone" in said
    family = sorted(p.name for p in (out / "family").iterdir())
    assert family == sorted(f"{n}-{k}.toml" for n in ("base", "often") for k in range(3))
    spec = read_scenario(out / "family" / "often-2.toml")
    assert len(spec.changes) == 2
    assert spec.assignment.relative_gap == 1e-6
    page = (out / "curve.html").read_text(encoding="utf-8")
    assert "加密班次" in page
    assert 'id="plot-curve-delay_hours"' in page
    before = {p: p.stat().st_mtime_ns for p in (out / "samples").iterdir()}
    assert main(words(study, "--to", "1 km/km2", "--out", str(out), "--resume")) == 0
    assert {p: p.stat().st_mtime_ns for p in (out / "samples").iterdir()} == before


def test_a_density_out_of_reach_is_left_out_and_said(
    study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(spec: ScenarioSpec, *rest: Any) -> Option:
        if spec.name.endswith("-2"):
            raise ScenarioError.of("target", "1 km/km2, but only 0.9 can be reached", "less")
        return make_option(spec, *rest)

    monkeypatch.setattr("cczsim.pipeline.curve.make_option", refuse)
    out = study / "out"
    assert main(words(study, "--to", "1 km/km2", "--out", str(out), "--resume")) == 1
    assert "can be reached" in capsys.readouterr().out
    rows = json.loads((out / "curve.json").read_text(encoding="utf-8"))["points"]
    assert [row["scenario"] for row in rows] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--to", "0.01 km/km2"], "already"),
        (["--to", "9 km"], "--to"),
        (["--points", "1"], "--points"),
        (["--area", "downtown"], "downtown"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    study: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(study, "--out", str(study / "no"), *more)) == 2
    assert said in capsys.readouterr().err


def test_gains_by_pencil_and_paper() -> None:
    def row(scenario: int, density: float, hours: float) -> dict[str, Any]:
        return {"scenario": scenario, "density": density, "noise": 1e-3,
                "figures": {"delay_hours": hours}}  # fmt: skip

    rows = [row(0, 6.0, 100.0), row(0, 7.0, 90.0), row(0, 8.0, 89.95), row(1, 6.0, 80.0),
            row(1, 7.0, 75.0), row(1, 8.0, 70.0)]  # fmt: skip
    found = shares(rows, 2)["delay_hours"]
    assert found["density"] == pytest.approx(10.05)
    assert found["other"] == [20.0]
    assert found["both"] == [30.0]
    assert found["stops_at"] == [7.0, None]
    assert found["part"] == [[pytest.approx(20.0 / 30.0), pytest.approx((30.0 - 10.05) / 30.0)]]


def test_where_density_stops_paying_by_pencil_and_paper(study: Path) -> None:
    spec = read_scenario(study / "base.toml")
    demand = replace(spec.demand.params, value_of_time=36.0, car_occupancy=1.5)
    spec = replace(spec, demand=replace(spec.demand, params=demand))

    def row(density: float, hours: float, cost: float) -> dict[str, Any]:
        return {"scenario": 0, "density": density, "noise": 1e-4,
                "figures": {"vehicle_hours": hours, "building_cost": cost}}  # fmt: skip

    rows = [row(6.0, 1000.0, 0.0), row(7.0, 990.0, 1e7), row(8.0, 985.0, 3e7),
            row(9.0, 984.9, 4e7)]  # fmt: skip
    found = pays(rows, [spec])
    # 36 CNY/h x 1.5 persons x 2,000 h x (1 - 1.04^-30) / 0.04.
    assert found["worth"] == [pytest.approx(54.0 * 2000.0 * 17.292033)]
    # The last step saves no more than the gaps of both may explain.
    assert found["cost_of_a_vehicle_hour"] == [[pytest.approx(1e6), pytest.approx(4e6), None]]
    assert found["stops_at"] == [7.0]
