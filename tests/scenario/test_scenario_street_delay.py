"""A scenario's delay of urban streets: on them, on them alone, and felt where they are full."""

from __future__ import annotations

import numpy as np
from grid_case import grid

from cczsim.kernels.vdf import CONICAL
from cczsim.network.road_class import CLASS_CODE
from cczsim.scenario.run import run_scenario
from cczsim.scenario.sample import Study, make_option, run_sample
from cczsim.scenario.spec import spec_from
from cczsim.scenario.street_delay import with_street_delay


def test_only_urban_streets_of_the_bpr_form_are_delayed() -> None:
    network = grid()
    road = network.road
    kinds = np.array([CLASS_CODE["motorway"], CLASS_CODE["trunk"], CLASS_CODE["secondary"]])
    road = road.replace(road_class=kinds[np.arange(road.n_links) % 3])
    conical = np.arange(road.n_links) % 6 == 2
    road = road.replace(
        delay_function=np.where(conical, CONICAL, road.delay_function),
        alpha=np.where(conical, 4.0, road.alpha),
    )
    changed = with_street_delay(network.replace(road=road), 1.15).road
    urban = (np.arange(road.n_links) % 3 == 2) & ~conical
    assert (changed.alpha[urban] == 1.15).all()
    np.testing.assert_array_equal(changed.alpha[~urban], road.alpha[~urban])
    assert with_street_delay(network, None) is network


def test_samples_delay_streets_as_the_run_does() -> None:
    network = grid()
    kinds = np.full(network.road.n_links, CLASS_CODE["secondary"])
    network = network.replace(road=network.road.replace(road_class=kinds))
    tables = {"cczsim": 1, "title": "grid", "network": "grid", "year": 2025,
              "assignment": {"street_delay": 3.0}}  # fmt: skip
    spec = spec_from(tables)
    option = make_option(spec, network, 0, {})
    figures, _ = run_sample(Study((option,), (network,), {}), option, {})
    whole = run_scenario(spec, network)
    found = {item.path: item.value for item in figures.indicators}
    for item in whole.indicators:
        if item.key in ("vehicle_hours", "delay_hours"):
            assert found[item.path] == item.value
