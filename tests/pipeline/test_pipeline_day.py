"""Car parks and periods of a day, from the file of a scenario to its page."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from cczsim.cli import main
from cczsim.io.bundle import save_network
from tests.scenario.grid_case import ridden_grid

BASE = """
cczsim = 1
title = "网格 base"
network = "grid"
year = 2020

[demand]
car_constant = "0 s"

[periods."上午"]
from = "06:00"
to = "12:00"
trips = "60 %"

[periods."late <b>"]
from = "12:00"
to = "24:00"
trips = "40 %"
return_share = "90 %"
park_and_ride = "back"
"""

LOTS = """
cczsim = 1
title = "lots"
extends = "base.toml"
compare_to = "base.toml"
year = 2020

[park_and_ride]
constant = "-30 min"

[park_and_ride.lots."停车场 1"]
stop = "STOP"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("一 天")
    network = ridden_grid()
    save_network(network, folder / "grid")
    (folder / "base.toml").write_text(BASE, encoding="utf-8")
    (folder / "lots.toml").write_text(
        LOTS.replace("STOP", str(network.transit.stop_id[1])), encoding="utf-8"
    )
    assert main(["run", str(folder / "lots.toml"), "--out", str(folder / "out")]) == 0
    return folder / "out" / "lots"


def test_the_ledger_of_each_period_is_written_and_closes(study):
    rows = list(
        csv.DictReader(
            (study / "demand_ledger_periods.csv").read_text(encoding="utf-8").splitlines()
        )
    )
    for period, hours in (("上午", 6.0), ("late <b>", 12.0)):
        own = [row for row in rows if row["period"] == period]
        assert {float(row["hours"]) for row in own} == {hours}
        of = {(row["stage"], row["item"]): float(row["trips_per_hour"]) for row in own}
        chosen = sum(trips for (stage, _), trips in of.items() if stage == "mode choice")
        assert chosen == pytest.approx(of["generated", "all"], rel=1e-9)
        assert of["to car parks", "停车场 1"] == pytest.approx(of["mode choice", "park_ride"])


def test_the_page_shows_periods_the_day_and_car_parks(study):
    page = (study / "report.html").read_text(encoding="utf-8")
    for words in ("Periods of the day", "分时段", "上午 · 6 h", "park-and-ride", "停车换乘",
                  "停车场 1", "places filled in the hour"):  # fmt: skip
        assert words in page, words
    assert "late <b>" not in page
    assert "late &lt;b&gt; · 12 h" in page


def test_figures_of_the_day_are_compared_with_those_of_the_base(study):
    found = json.loads((study / "indicators.json").read_text(encoding="utf-8"))
    by = {"area": "all", "period": "day"}
    (row,) = [
        r for r in found["comparison"] if r["key"] == "vehicle_km" and r["by"] == by
    ]  # fmt: skip
    assert row["unit"] == "pce km/d"
    assert row["base"] > 0.0
    record = json.loads((study / "run.json").read_text(encoding="utf-8"))
    assert [p["converged"] for p in record["periods"]] == [True, True]


def test_the_resolved_scenario_runs_to_the_same_figures(study, tmp_path):
    again = tmp_path / "again"
    code = main(["run", str(study / "resolved.toml"), "--out", str(again)])
    assert code == 0
    (folder,) = [p for p in again.iterdir() if p.name == "resolved"]
    one, two = (
        (p / "demand_ledger_periods.csv").read_bytes() for p in (study, folder)
    )  # fmt: skip
    assert one == two
