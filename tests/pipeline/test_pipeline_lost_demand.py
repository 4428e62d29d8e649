"""Demand that no path can carry is told: exit code 1, and the zones by name."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from math import fsum
from pathlib import Path

import numpy as np
import pytest

from cczsim.cli import main
from cczsim.io.bundle import save_network
from cczsim.io.scenario_file import read_scenario
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.scenario.run import run_scenario
from tests.scenario.grid_case import grid

ROOT = Path(__file__).resolve().parent.parent.parent
SHIPPED = sorted(
    p.relative_to(ROOT).as_posix() for p in (ROOT / "scenarios").rglob("*.toml")
    if "title" in p.read_text(encoding="utf-8") and p.name != "unknown.toml"
)  # fmt: skip

# Zones 1 and 2 are joined both ways, zone 3 is only left: nobody comes in.
NET = """<NUMBER OF ZONES> 3
<NUMBER OF NODES> 3
<FIRST THRU NODE> 1
<NUMBER OF LINKS> 3
<END OF METADATA>
~ init term capacity length fft b power speed toll type ;
1 2 1000 2.0 5.0 0.15 4 0 0 1 ;
2 1 1000 2.0 5.0 0.15 4 0 0 1 ;
3 1 1000 2.0 5.0 0.15 4 0 0 1 ;
"""
TRIPS = "origin,destination,trips\n1,2,100\n2,1,50\n1,3,50\n2,3,20\n"


def test_70_of_220_trips_without_a_path_end_with_1_and_name_the_zones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "three_net.tntp").write_text(NET)
    (tmp_path / "trips.csv").write_text(TRIPS)
    words = ["assign", str(tmp_path / "three_net.tntp"), str(tmp_path / "trips.csv"),
             "--json", str(tmp_path / "a.json")]  # fmt: skip
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "70.0 without a path (31.818%)" in said
    assert "1 → 3 (50), 2 → 3 (20)" in said
    report = json.loads((tmp_path / "a.json").read_text())
    assert (report["total_demand"], report["unreachable_demand"]) == (220.0, 70.0)
    assert main([*words, "--lost-demand", "32 %"]) == 0


@pytest.fixture
def study(tmp_path: Path) -> Path:
    network = grid()
    # Nobody rides: with the metro, and on foot, every zone could still be reached.
    save_network(network.replace(transit=None), tmp_path / "grid")
    return tmp_path


def test_a_scenario_that_cuts_the_region_in_two_ends_with_1_and_names_zones(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # All streets that cross a parallel: zones 1 to 3 are left on one side, the rest on the other.
    text = (
        'cczsim = 1\ntitle = "Cut"\nnetwork = "grid"\nyear = 2025\n'
        '[assignment]\nrelative_gap = 1e-3\ndemand_residual = "0.1 %"\n'
        '[[changes]]\nkind = "links"\nselect = { bbox = [112.0, 28.142, 114.0, 28.148] }\n'
        "close = true\n"
    )
    (study / "cut.toml").write_text(text, encoding="utf-8")
    assert main(["run", str(study / "cut.toml"), "--out", str(study / "out")]) == 1
    assert "found no way" in capsys.readouterr().err
    with (study / "out/cut/demand_ledger.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    every = float(rows[0]["trips_per_hour"])
    (lost,) = [r for r in rows if r["item"] == "unreachable" and float(r["trips_per_hour"])]
    pairs = [(int(a), int(b)) for a, b in re.findall(r"(\d+) → (\d+)", lost["why"])]
    assert len(pairs) == 5
    network = load_network(study / "grid", Progress(quiet=True))
    assert network.zones is not None
    north = {int(z) for z, y in zip(network.zones.zone_id, network.zones.zone_lat, strict=True)
             if y > 28.145}  # fmt: skip
    assert all((a in north) != (b in north) for a, b in pairs)
    record = json.loads((study / "out/cut/run.json").read_text(encoding="utf-8"))
    assert f"{pairs[0][0]} → {pairs[0][1]}" in record["status"]
    assert 0.05 * every < float(lost["trips_per_hour"]) < 0.5 * every


@pytest.mark.parametrize("name", SHIPPED)
def test_the_ledger_of_a_shipped_scenario_closes(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not name.startswith("scenarios/czt"):
        monkeypatch.setenv("CCZSIM_DATA", str(request.getfixturevalue("data_dir")))
    spec = read_scenario(ROOT / name)
    # The ledger closes at any gap; a few iterations are enough.
    spec = replace(
        spec,
        assignment=replace(
            spec.assignment, algorithm="bfw", max_iterations=2, max_rounds=1, transit_gap=0.1
        ),
    )
    result = run_scenario(spec, load_network(Path(spec.network), Progress(quiet=True)))
    amount = {(row.stage, row.item): row.trips for row in result.ledger}
    every = amount["generated", "all"]
    assert every == pytest.approx(fsum(np.ravel(result.trips)), rel=1e-12)
    totals = {"mode choice": every, "road assignment": amount["mode choice", "car"]}
    if ("mode choice", "transit") in amount and result.network.transit is not None:
        totals["transit assignment"] = amount["mode choice", "transit"]
    for stage, total in totals.items():
        parts = fsum(row.trips for row in result.ledger if row.stage == stage)
        assert abs(parts - total) < 1e-6, stage  # a millionth of a trip of some millions
