"""``cczsim demand calibrate``: what it finds is what a run of the scenario it writes shows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cczsim.cli import main
from cczsim.io.bundle import save_network
from cczsim.io.scenario_file import read_scenario
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.scenario.run import run_scenario
from tests.scenario.test_scenario_nested import with_bus

BASE = """
cczsim = 1
title = "网格 base"
network = "grid"
year = 2020

[demand]
transit_choice = "rail or bus"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("校准 study")
    save_network(with_bus(), folder / "grid")
    (folder / "base.toml").write_text(BASE, encoding="utf-8")
    (folder / "lengths.csv").write_text("from_km,to_km,share\n0,4,30\n4,7,50\n7,,20\n")
    return folder


def calibrate(study: Path, *options: str) -> int:
    out = ["--out", str(study / "found.toml"), "--json", str(study / "found.json")]
    return main(["demand", "calibrate", str(study / "base.toml"), *out, *options])


def run_found(study: Path):
    spec = read_scenario(study / "found.toml")
    return run_scenario(spec, load_network(Path(spec.network), Progress(quiet=True)))


def figure(result, key, **by):
    return next(
        i.value
        for i in result.indicators
        if i.key == key and all(i.by.get(k) == v for k, v in by.items())
    )


def test_shares_and_boardings_are_met_by_the_scenario_it_writes(study):
    code = calibrate(
        study, "--share", "car=10 %", "--boardings", "metro=120000", "--boardings", "bus=400000"
    )  # fmt: skip
    assert code == 0
    report = json.loads((study / "found.json").read_text(encoding="utf-8"))
    assert all(abs(row["residual"]) <= 0.01 for row in report["figures"])
    assert len(report["figures"]) == 3
    result = run_found(study)
    assert figure(result, "mode_share", area="all", mode="car") == pytest.approx(10.0, rel=0.02)
    boarded = figure(result, "boardings", transit_mode="metro") / 0.11
    assert boarded == pytest.approx(120_000.0, rel=0.02)
    boarded = figure(result, "boardings", transit_mode="bus") / 0.11
    assert boarded == pytest.approx(400_000.0, rel=0.02)


def test_a_mean_length_is_met_by_the_scenario_it_writes(study):
    from cczsim.assignment.mode_costs import street_distance
    from cczsim.demand.calibration import mean_length

    assert calibrate(study, "--mean-length", "7.85 km") == 0
    result = run_found(study)
    length = street_distance(result.network.road, result.network.zones)
    assert mean_length(result.trips, length) == pytest.approx(7850.0, rel=1e-3)


def test_shares_by_length_are_met_by_the_scenario_it_writes(study):
    from cczsim.assignment.mode_costs import street_distance

    assert calibrate(study, "--lengths", str(study / "lengths.csv")) == 0
    result = run_found(study)
    km = street_distance(result.network.road, result.network.zones) / 1e3
    band = np.digitize(km, [4.0, 7.0])
    counted = result.trips > 0.0
    share = np.bincount(band[counted], weights=result.trips[counted], minlength=3)
    np.testing.assert_allclose(share / share.sum(), [0.3, 0.5, 0.2], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "nothing to meet"),
        (("--mean-length", "5 min"), "--mean-length"),
        (("--mean-length", "900 km"), "decays from"),
        (("--share", "tram=3 %"), "car=… or transit=…"),
        (("--share", "car=300 %"), "below 100 %"),
        (("--share", "car=3 %", "--share", "car=4 %"), "one for each constant"),
        (("--lengths", "LENGTHS", "--mean-length", "5 km"), "one: shares"),
    ],
)
def test_what_cannot_be_met_ends_with_2(study, capsys, options, words):
    named = [str(study / "lengths.csv") if text == "LENGTHS" else text for text in options]
    assert calibrate(study, *named) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from_km,to_km,share\n0,4,1\n5,7,1\n", "where the band before ends"),
        ("from_km,to_km,share\n0,0,1\n", "more than 0"),
        ("from_km,to_km,share\n0,4,-1\n", "from 0 up"),
        ("from_km,to_km,share\n0,4,0\n", "no band above 0"),
        ("from_km,to_km,share\n0,4,x\n", "a number"),
        ("from_km,share\n0,4\n", "no column to_km"),
    ],
)
def test_broken_bands_end_with_2(study, capsys, text, words):
    path = study / "broken.csv"
    path.write_text(text, encoding="utf-8")
    assert calibrate(study, "--lengths", str(path)) == 2
    assert words in capsys.readouterr().err


def test_destinations_that_answer_to_costs_do_so_while_constants_are_sought(study):
    text = BASE + 'destination_choice = "equilibrium"\n'
    (study / "answers.toml").write_text(text, encoding="utf-8")
    out = ["--out", str(study / "found.toml"), "--json", str(study / "found.json")]
    words = ["demand", "calibrate", str(study / "answers.toml"), *out]
    assert main([*words, "--share", "car=10 %"]) == 0
    result = run_found(study)
    assert result.equilibrium.asked is not None
    assert figure(result, "mode_share", area="all", mode="car") == pytest.approx(10.0, rel=0.02)


def test_lengths_are_not_fitted_where_destinations_answer_to_costs(study, capsys):
    text = BASE + 'destination_choice = "equilibrium"\n'
    (study / "answers.toml").write_text(text, encoding="utf-8")
    words = ["demand", "calibrate", str(study / "answers.toml"), "--out", str(study / "x.toml")]
    assert main([*words, "--mean-length", "5 km"]) == 2
    assert "destination_choice" in capsys.readouterr().err
    assert not (study / "x.toml").exists()
