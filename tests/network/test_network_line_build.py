"""How zones reach stops: on foot, by the nearest of each kind, and through a station's halls."""

from __future__ import annotations

import numpy as np

from cczsim.network.line_build import (
    STATION_FIXED,
    LineTable,
    lines_from_table,
    with_access,
)
from cczsim.network.transit import MODES
from cczsim.network.zones import ZoneSystem
from cczsim.scenario.new_lines import tie

METRE = 1 / 111_200.0


def test_buses_near_by_do_not_hide_a_station_farther_off() -> None:
    """Nearest stops are taken of rails and of buses apart, or gates would lose their trains."""
    away = [1600.0, 1700.0, 1800.0, 4000.0, 4500.0]
    mode = ["bus", "bus", "bus", "rail", "rail"]
    transit = lines_from_table(
        LineTable(
            line=["b", "b", "b", "r", "r"], mode=mode, seq=np.arange(5), stop_id=list("12345"),
            stop_name=list("12345"), lon=np.full(5, 112.9), lat=28.0 + np.array(away) * METRE,
        )
    )  # fmt: skip
    tied = with_access(transit, np.array([112.9]), np.array([28.0]), nearest=2)
    reached = {int(s) for s in tied.access_stop}
    assert reached == {0, 1, 3, 4}


def test_a_station_takes_its_time() -> None:
    rows = {"seq": np.arange(2), "stop_id": ["1", "2"], "stop_name": ["1", "2"]}
    times = {}
    for mode in ("bus", "metro", "rail"):
        transit = lines_from_table(
            LineTable(
                line=["l", "l"], mode=[mode, mode], lon=np.full(2, 112.9),
                lat=28.0 + np.array([600.0, 5000.0]) * METRE, **rows,
            )
        )  # fmt: skip
        assert mode in MODES
        tied = with_access(transit, np.array([112.9]), np.array([28.0]), nearest=1)
        times[mode] = float(tied.access_time[0])
    for mode in ("metro", "rail"):
        np.testing.assert_allclose(times[mode] - times["bus"], STATION_FIXED[mode])


def test_a_line_that_a_scenario_adds_is_reached_as_one_that_was_there() -> None:
    """A plan's line must not look worse than the base's by another rule of walking."""
    zones = ZoneSystem(
        zone_id=np.array([1]), centroid=np.array([0]), zone_lon=np.array([112.9]),
        zone_lat=np.array([28.0]), area=np.array([50e6]), walk_radius=np.array([800.0]),
    )  # fmt: skip
    line = lines_from_table(
        LineTable(
            line=["l", "l"], mode=["metro", "metro"], seq=np.arange(2), stop_id=["1", "2"],
            stop_name=["1", "2"], lon=np.full(2, 112.9),
            lat=28.0 + np.array([100.0, 5000.0]) * METRE,
        )
    )  # fmt: skip
    there = with_access(line, zones.zone_lon, zones.zone_lat, zone_radius=zones.walk_radius)
    added = tie(None, line, zones)
    np.testing.assert_array_equal(added.access_time, there.access_time)
    at_centroid = with_access(line, zones.zone_lon, zones.zone_lat)
    assert (there.access_time[0] > at_centroid.access_time[0]).all()
