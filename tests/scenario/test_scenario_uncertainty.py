"""Ranges: their quantiles by pencil and paper, their faults, and what draws do to a scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from grid_case import grid

from cczsim.errors import ScenarioError
from cczsim.network.network import Network
from cczsim.scenario.sampling import draw
from cczsim.scenario.spec import ScenarioSpec, spec_from
from cczsim.scenario.uncertainty import affected_rows, gather, set_columns, set_keys

SCENARIO = {"cczsim": 1, "title": "grid", "network": "grid", "year": 2020}


@pytest.fixture(scope="module")
def network() -> Network:
    return grid()


def spec(**ranges: dict[str, Any]) -> ScenarioSpec:
    return spec_from({**SCENARIO, "uncertainty": ranges})


def test_quantiles_are_those_of_the_distributions() -> None:
    ranges = spec(
        flat={"what": "demand.value_of_time", "low": "20 CNY/h", "high": "30 CNY/h"},
        peak={"what": "demand.trip_rate", "times": True, "low": 0.0001, "high": 2.0, "likely": 1.0,
              "distribution": "triangular"},
        bell={"what": "transit.wait_weight", "low": 1.0, "high": 3.0, "distribution": "normal"},
        skew={"what": "links.capacity", "low": 0.5, "high": 2.0, "distribution": "lognormal"},
    ).uncertainty  # fmt: skip
    shares = np.array([0.0, 0.25, 0.5, 1.0])
    np.testing.assert_allclose(ranges["flat"].at(shares), [20.0, 22.5, 25.0, 30.0], rtol=1e-12)
    triangle = ranges["peak"].at(np.array([0.5]))
    np.testing.assert_allclose(triangle, 1.0, atol=1e-4)
    for name, low, middle, high in (("bell", 1.0, 2.0, 3.0), ("skew", 0.5, 1.0, 2.0)):
        # 5 % and 95 % of the distribution that is cut off a thousandth into its tails.
        inner = (np.array([0.05, 0.5, 0.95]) - 1e-3) / (1 - 2e-3)
        np.testing.assert_allclose(ranges[name].at(inner), [low, middle, high], rtol=1e-9)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"what": "demand.value_of_tme", "low": 1, "high": 2}, "did you mean"),
        ({"what": "demand.value_of_time", "low": 18, "high": "30 CNY/h"}, "without a unit"),
        ({"what": "demand.value_of_time", "low": "30 CNY/h", "high": "18 CNY/h"}, "more than low"),
        ({"what": "links.capacity", "low": 0.0, "high": 2.0}, "more than 0"),
        ({"what": "links.capacity", "low": 0.5, "high": 2.0, "likely": 1.0}, "triangular"),
        ({"what": "links.capacity", "low": 0.5, "high": 2.0, "line": "M1"}, "lines.headway"),
        ({"what": "lines.headway", "low": 0.5, "high": 2.0, "select": {"class": "primary"}},
         "links.capacity"),
        ({"what": "links.speed", "low": -1, "high": 2.0, "distribution": "lognormal"}, "lognormal"),
        ({"what": "demand.jobs_growth.central", "low": "1 %", "high": "9 %", "times": True},
         "growth itself"),
        ({"what": "transit.wait_weight", "low": 0.1, "high": 9.0, "distribution": "normal"},
         "at least 0"),
        ({"what": "links.capacity", "high": 2.0}, "low"),
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_drawn_is_refused(item: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        spec(thing=item)
    assert said in str(caught.value)
    assert "uncertainty.thing" in str(caught.value)


def test_a_design_is_the_same_again_and_grows_without_losing_a_sample() -> None:
    ranges = spec(
        a={"what": "links.capacity", "low": 0.5, "high": 1.5},
        b={"what": "lines.headway", "low": 0.5, "high": 1.5},
    ).uncertainty
    one = draw(ranges, 6, seed=3)
    assert one == draw(ranges, 6, seed=3)
    assert one == draw(ranges, 50, seed=3)[:6]
    assert one != draw(ranges, 6, seed=4)
    many = np.array([[v["a"], v["b"]] for v in draw(ranges, 256, seed=3)])
    np.testing.assert_allclose(many.mean(axis=0), 1.0, atol=2e-3)
    cube = np.array([v["a"] for v in draw(ranges, 10, seed=3, design="lhs")])
    assert sorted(np.floor((cube - 0.5) * 10).astype(int)) == list(range(10))


def test_draws_reach_keys_and_columns(network: Network) -> None:
    of = spec(
        growth={"what": "demand.population_growth.central", "low": "0 %", "high": "20 %"},
        value={"what": "demand.value_of_time", "times": True, "low": 0.5, "high": 2.0},
        wide={"what": "links.capacity", "low": 0.5, "high": 2, "select": {"class": "primary"}},
        fast={"what": "links.speed", "low": 0.5, "high": 2.0},
        often={"what": "lines.headway", "low": 0.5, "high": 2.0, "line": "M1"},
        slow={"what": "lines.run_time", "low": 0.5, "high": 2.0},
    )
    values = {"growth": 0.1, "value": 1.5, "wide": 0.8, "fast": 2.0, "often": 0.5, "slow": 1.25}
    changed = set_keys(of, of.uncertainty, values)
    assert changed.demand.population_growth == {"central": 0.1}
    assert changed.demand.params.value_of_time == 1.5 * of.demand.params.value_of_time
    rows = affected_rows(network, of.uncertainty)
    moved = set_columns(network, of.uncertainty, rows, values)
    road, transit = network.road, network.transit
    assert transit is not None
    assert moved.transit is not None
    factor = np.ones(road.n_links)
    factor[rows["wide"]] = 0.8
    assert 0 < len(rows["wide"]) < road.n_links
    np.testing.assert_array_equal(moved.road.capacity, road.capacity * factor)
    street = road.is_street
    np.testing.assert_array_equal(
        moved.road.free_flow_time, np.where(street, road.free_flow_time * 0.5, road.free_flow_time)
    )
    np.testing.assert_array_equal(moved.transit.headway, transit.headway * 0.5)
    np.testing.assert_array_equal(moved.transit.run_time, transit.run_time * 1.25)
    assert not moved.road.capacity.flags.writeable


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: {"s": {"x": a["x"]}, "t": {"x": a["y"]}}, "another range than in s"),
        (lambda a: {"s": {"x": a["x"]}, "t": {"z": a["x"]}}, "one range a key"),
    ],
)
def test_options_must_agree_on_what_is_not_known(
    change: Callable[[dict[str, Any]], dict[str, Any]], said: str
) -> None:
    ranges = spec(
        x={"what": "demand.trip_rate", "low": 2.0, "high": 3.0},
        y={"what": "demand.trip_rate", "low": 2.0, "high": 4.0},
    ).uncertainty
    with pytest.raises(ScenarioError, match=said):
        gather(change(ranges))
