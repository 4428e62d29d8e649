"""Scenarios that pivot on observed trips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cczsim.assignment.mode_costs import street_distance
from cczsim.io.bundle import save_network
from cczsim.io.matrices import write_matrices
from cczsim.io.scenario_file import read_scenario
from cczsim.scenario.run import run_scenario
from tests.scenario.test_scenario_nested import with_bus

MODES = ("car", "transit", "active")
BASE = """
cczsim = 1
title = "observed"
network = "grid"
year = 2020

[demand]
observed = "observed.omx"

[assignment]
algorithm = "b"
relative_gap = 1e-7
demand_residual = "0.0001 %"
"""


@pytest.fixture(scope="module")
def network():
    return with_bus()


@pytest.fixture(scope="module")
def observed(network):
    """Trips of no model, with holes: nobody drives from zone 1, nobody rides to zone 3."""
    rng = np.random.default_rng(4)
    n = network.zones.n_zones
    found = {mode: rng.uniform(5.0, 60.0, (n, n)) for mode in MODES}
    found["car"][0] = 0.0
    found["transit"][:, 2] = 0.0
    for mode in MODES:
        found[mode][5, 6] = 0.0
    np.fill_diagonal(found["transit"], 0.0)
    return found


@pytest.fixture(scope="module")
def study(network, observed, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("观测 study")
    save_network(network, folder / "grid")
    write_matrices(observed, network.zones.zone_id, folder / "observed.omx")
    return folder


def run(study, network, more="", changes="", name="one.toml"):
    (study / name).write_text(
        BASE.replace("[assignment]", more + "\n[assignment]") + changes, "utf-8"
    )
    return run_scenario(read_scenario(study / name), network)


def carried(network, result, observed):
    """What the network can carry of it: modes that do not reach so far give theirs to the rest."""
    offered = {
        "car": np.isfinite(result.equilibrium.car_time),
        "transit": np.isfinite(result.equilibrium.transit.skims.weighted),
        "active": street_distance(network.road, network.zones) <= 12_000.0,
    }
    np.fill_diagonal(offered["transit"], False)
    kept = {mode: np.where(offered[mode], observed[mode], 0.0) for mode in MODES}
    factor = sum(observed[m] for m in MODES) / np.maximum(sum(kept[m] for m in MODES), 1e-12)
    return {mode: trips * factor for mode, trips in kept.items()}


@pytest.mark.parametrize("choice", ["together", "rail or bus"])
def test_where_nothing_changes_the_observed_trips_come_out(study, network, observed, choice):
    result = run(study, network, f'transit_choice = "{choice}"')
    total = sum(observed[mode].sum() for mode in MODES)
    notes = [row for row in result.assumptions if "not offer" in row.why]
    assert len(notes) == 1
    assert result.equilibrium.converged
    np.testing.assert_allclose(result.trips, sum(observed[mode] for mode in MODES))
    wanted = carried(network, result, observed)
    assert abs(wanted["active"] - observed["active"]).sum() > 100.0  # beyond their reach
    for mode in MODES:
        off = np.abs(result.equilibrium.trips[mode] - wanted[mode])
        assert off.sum() <= 1e-4 * total, mode
    assert result.equilibrium.trips["car"][0].sum() < 1e-6
    assert result.equilibrium.trips["transit"][:, 2].sum() < 1e-6


def test_parameters_are_those_of_the_time_of_observation(study, network):
    """Fares of the scenario are those that the observed trips are taken to have paid, too."""
    before = run(study, network)
    after = run(study, network, 'transit_fare = "4 CNY"', name="dearer.toml")
    for mode in MODES:
        off = np.abs(after.equilibrium.trips[mode] - before.equilibrium.trips[mode])
        assert off.sum() <= 2e-4 * before.equilibrium.trips[mode].sum()


CLOSED = """
[[changes]]
kind = "links"
select = { class = "primary" }
set = { lanes = 1, speed = "15 km/h" }
"""


def test_slower_streets_take_trips_from_the_car_where_some_can_go(study, network, observed):
    before = run(study, network)
    after = run(study, network, changes=CLOSED, name="slow.toml")
    was, now = before.equilibrium.trips, after.equilibrium.trips
    assert now["car"].sum() < 0.99 * was["car"].sum()
    assert now["transit"].sum() > was["transit"].sum()
    assert now["transit"][:, 2].sum() < 1e-6  # cells of 0 stay so
    np.testing.assert_allclose(
        sum(now[m] for m in MODES), sum(observed[m] for m in MODES), rtol=1e-9, atol=1e-9
    )
    # Odds between the modes that did not change stay as they were observed, pair by pair.
    both = (observed["transit"] > 0.0) & (was["transit"] > 1e-6) & (was["active"] > 1e-6)
    np.fill_diagonal(both, False)
    ratio = now["transit"][both] / now["active"][both]
    np.testing.assert_allclose(ratio, was["transit"][both] / was["active"][both], rtol=1e-6)


def test_growth_moves_totals_and_keeps_holes(study, network, observed):
    result = run(study, network, 'population_growth = "10 %"\njobs_growth = "10 %"', name="g.toml")
    total = sum(observed[mode] for mode in MODES)
    np.testing.assert_allclose(result.trips.sum(axis=1), 1.1 * total.sum(axis=1), rtol=1e-6)
    assert result.trips[5, 6] == 0.0


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.csv", "origin,destination,car,transit,active\n1,99,5,1,1\n", "a zone of the network"),
        ("x.csv", "origin,destination,car,transit,active\n1,2,-5,1,1\n", "at least 0"),
        ("x.csv", "origin,destination,car,transit,active\n1,2,5,1,1\n1,2,5,1,1\n", "again"),
        ("x.csv", "origin,destination,car,transit,active\n1,2,,,\n", "no trips"),
        ("x.csv", "origin,destination,car\n1,2,5\n", "no column transit, active"),
        ("x.txt", "", ".omx or .csv"),
    ],
)
def test_broken_files_are_refused(study, network, name, text, words):
    from cczsim.errors import CczsimError

    (study / name).write_text(text, encoding="utf-8")
    (study / "b.toml").write_text(BASE.replace("observed.omx", name), encoding="utf-8")
    with pytest.raises(CczsimError, match=words):
        run_scenario(read_scenario(study / "b.toml"), network)


FULL = """
[transit]
crowding = "%s"
crowded_lines = "all"
"""


@pytest.mark.parametrize("crowding", ["comfort", "capacity"])
def test_observed_trips_come_out_of_full_lines_too(study, network, observed, crowding):
    """Costs that they were observed at are those of lines as full as they made them."""
    narrow = network.replace(
        transit=network.transit.replace(seats_and_standing=np.full(network.transit.n_lines, 45.0))
    )
    tight = "\ntransit_gap = 1e-6\n" + FULL % crowding
    result = run(study, narrow, changes=tight, name="full.toml")
    lines = result.equilibrium.transit
    assert result.equilibrium.converged
    assert lines.time_weight.max() > 1.1
    assert (lines.wait_stretch.max() > 1.2) == (crowding == "capacity")
    wanted = carried(narrow, result, observed)
    total = sum(observed[mode].sum() for mode in MODES)
    for mode in MODES:
        off = np.abs(result.equilibrium.trips[mode] - wanted[mode])
        assert off.sum() <= 2e-4 * total, mode
    assert result.equilibrium.trips["transit"][:, 2].sum() == 0.0
