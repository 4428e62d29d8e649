"""The names that ``import cczsim`` offers: cheap to import, with the figures of the commands."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cczsim
from cczsim.cli import main
from tests.scenario.grid_case import grid

SCENARIO = """cczsim = 1
title = "Base"
network = "grid"
year = 2020
[assignment]
relative_gap = 1e-3
demand_residual = "0.1 %"
"""
PLAN = """cczsim = 1
title = "Plan"
extends = "base.toml"
compare_to = "base.toml"
year = 2025
[[changes]]
kind = "links"
select = { class = "primary" }
set = { lanes = 3 }
"""
NET = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 2
<FIRST THRU NODE> 1
<NUMBER OF LINKS> 2
<END OF METADATA>
~ init term capacity length fft b power speed toll type ;
1 2 1000 2.0 5.0 0.15 4 0 0 1 ;
2 1 1000 2.0 5.0 0.15 4 0 0 1 ;
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api")
    cczsim.save(grid(), folder / "grid")
    (folder / "base.toml").write_text(SCENARIO, encoding="utf-8")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return folder


def test_the_import_loads_nothing_heavy() -> None:
    code = (
        "import sys, cczsim\n"
        "heavy = {'numba', 'numpy', 'pandas', 'geopandas', 'shapely', 'bokeh', 'osmium'}\n"
        "assert not heavy & set(sys.modules)\n"
        "assert set(cczsim.__all__) <= set(dir(cczsim))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_every_name_is_there_documented_and_typed() -> None:
    for name in cczsim.__all__:
        value = getattr(cczsim, name)
        assert inspect.getdoc(value), name
        if inspect.isfunction(value):
            signature = inspect.signature(value)
            assert signature.return_annotation is not inspect.Signature.empty, name
            assert all(p.annotation is not p.empty for p in signature.parameters.values()), name
    with pytest.raises(AttributeError, match="no attribute 'asign'"):
        cczsim.asign  # noqa: B018


def test_a_run_gives_the_figures_of_the_command(study: Path) -> None:
    base = cczsim.run(study / "base.toml")
    plan = cczsim.run(cczsim.read_scenario(study / "plan.toml"), base=base)
    out = study / "out"
    assert main(["run", str(study / "plan.toml"), "--out", str(out), "--quiet"]) == 0
    stored = cczsim.read_result(out / "plan")
    for one, two in zip(plan.indicators, stored.indicators, strict=True):
        assert one.path == two.path
        assert one.value == two.value or (np.isnan(one.value) and np.isnan(two.value))
    mine, files = cczsim.compare(base, plan), cczsim.compare(out / "base", out / "plan")
    assert [(r.path, r.bound, r.explained_by_gap) for r in mine.rows] == [
        (r.path, r.bound, r.explained_by_gap) for r in files.rows
    ]


def test_results_become_tables(study: Path) -> None:
    result = cczsim.run(study / "base.toml")
    made = cczsim.tables(result)
    assert set(made) == {"links", "lines", "stops", "zones"}
    assert len(made["links"]) == result.network.road.n_links
    assert made["zones"].crs is not None
    figures = cczsim.frame(result.indicators)
    assert {"key", "value", "unit", "tier"} <= set(figures.columns)
    assert len(figures) == len(result.indicators)
    history = cczsim.frame(result.equilibrium.road.history)
    assert history["relative_gap"].iloc[-1] <= 1e-3
    assert cczsim.frame(result.ledger)["trips"].iloc[0] == pytest.approx(result.trips.sum())
    rows = cczsim.frame(cczsim.compare(result, result))
    assert (rows["difference"].dropna() == 0.0).all()
    assert cczsim.frame([]).empty


def test_assign_gives_the_figures_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "two_net.tntp").write_text(NET)
    (tmp_path / "trips.csv").write_text("origin,destination,trips\n1,2,1200\n2,1,300\n")
    network = cczsim.load(tmp_path / "two_net.tntp")
    matrix = cczsim.read_trips(tmp_path / "trips.csv", network)
    np.testing.assert_array_equal(matrix, [[0, 1200], [300, 0]])
    found = cczsim.assign(network, matrix, gap=1e-8, distance_factor=0.5)
    words = ["assign", str(tmp_path / "two_net.tntp"), str(tmp_path / "trips.csv"), "--gap", "1e-8",
             "--distance-factor", "0.5", "--json", str(tmp_path / "a.json")]  # fmt: skip
    assert main(words) == 0
    report = json.loads((tmp_path / "a.json").read_text())
    assert found.tstt / 60.0 == pytest.approx(report["tstt"], rel=1e-12)
    by_hand = 5.0 * (1 + 0.15 * 1.2**4) + 0.5 * 2.0
    assert found.link_cost[0] / 60.0 == pytest.approx(by_hand, rel=1e-12)


def test_transit_and_density_of_a_network(study: Path) -> None:
    network = cczsim.load(study / "grid")
    assert network.zones is not None
    n = network.zones.n_zones
    riders = cczsim.transit_assign(network, np.ones((n, n)))
    assert riders.total_demand == pytest.approx(n * n)
    rows = cczsim.density(network, "central", "cn-urban")
    assert [row["area"] for row in rows] == ["central"]
    with pytest.raises(cczsim.CczsimError, match="convention"):
        cczsim.density(network, convention="none")


def test_faults_are_raised_as_data(tmp_path: Path) -> None:
    with pytest.raises(cczsim.CczsimError) as caught:
        cczsim.load(tmp_path / "nowhere")
    assert caught.value.faults[0].found == "nothing"
