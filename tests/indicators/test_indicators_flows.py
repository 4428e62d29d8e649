"""Figures of the roads, by hand on three streets."""

from __future__ import annotations

import indicator_case as case
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.indicators.flows import link_tiers, road_indicators
from cczsim.indicators.indicator import find
from cczsim.network.network import Network, NetworkInfo


def figures(**by: str) -> dict[str, float]:
    found = tuple(road_indicators(case.network(), case.road_assignment()))
    return {i.key: i.value for i in found if i.by == by}


def test_all_roads() -> None:
    """600 and 1200 on 1 km, 300 on 2 km; 90, 120 and 100 s where 60, 60 and 100 are free."""
    found = figures(area="all")
    hours = (600 * 90 + 1200 * 120 + 300 * 100) / 3600
    assert found["vehicle_km"] == pytest.approx(600 + 1200 + 600, rel=1e-12)
    assert found["vehicle_hours"] == pytest.approx(hours, rel=1e-12)
    assert found["mean_speed"] == pytest.approx(2400 / hours, rel=1e-12)
    assert found["delay_hours"] == pytest.approx((600 * 30 + 1200 * 60) / 3600, rel=1e-12)
    assert found["links_over_capacity"] == 1
    assert found["km_over_capacity"] == pytest.approx(1.0, rel=1e-12)


def test_speed_of_urban_streets_leaves_expressways_out() -> None:
    """Where 3>4 and 4>3 are an expressway only 4>5 is a street: 2 km in 100 s."""
    express = case.network().replace(road=case.road("trunk"))
    found = {i.path: i.value for i in road_indicators(express, case.road_assignment())}
    assert found["street_speed[area=all]"] == pytest.approx(72.0)
    assert np.isnan(found["street_speed[tier=central]"])
    every = figures(area="all")
    assert every["street_speed"] == pytest.approx(every["mean_speed"], rel=1e-12)


def test_by_the_tier_of_the_middle() -> None:
    """The middle of 4>5 lies at 113.15 E, in zone 2, though it begins in zone 1."""
    assert link_tiers(case.network())[:3].tolist() == [0, 0, 1]
    assert figures(tier="central")["vehicle_km"] == pytest.approx(1800)
    assert figures(tier="circle")["vehicle_km"] == pytest.approx(600)
    assert figures(tier="circle")["mean_speed"] == pytest.approx(72.0)
    assert figures(tier="circle")["delay_hours"] == 0.0


def test_speed_of_empty_roads_is_not_known() -> None:
    found = tuple(road_indicators(case.network(), case.road_assignment(np.zeros(8))))
    speed = find(found, "mean_speed", area="all")
    assert speed is not None
    assert np.isnan(speed.value)


def test_without_zones_only_the_whole_is_told() -> None:
    bare = Network(NetworkInfo("bare"), case.road())
    found = road_indicators(bare, case.road_assignment())
    assert {tuple(i.by.items()) for i in found} == {(("area", "all"),)}


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 5000), min_size=8, max_size=8))
def test_tiers_add_up(flow: list[float]) -> None:
    found = tuple(road_indicators(case.network(), case.road_assignment(np.array(flow))))
    for key in ("vehicle_km", "vehicle_hours", "delay_hours", "links_over_capacity",
                "km_over_capacity"):  # fmt: skip
        whole = find(found, key, area="all")
        assert whole is not None
        parts = sum(i.value for i in found if i.key == key and "tier" in i.by)
        assert parts == pytest.approx(whole.value, rel=1e-9, abs=1e-9)
