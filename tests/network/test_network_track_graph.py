from __future__ import annotations

import numpy as np
import pytest

from cczsim.network.line_build import MODE_DEFAULTS, LineTable, lines_from_table
from cczsim.network.track_graph import lines_on_tracks, station_graph
from cczsim.network.transit import MODE_CODE, TransitNetwork

METRE = 1 / 111_319.49
"""Degrees of longitude a metre, at the equator."""
Way = list[tuple[float, float]]


def tracks(*ways: Way, mode: str = "metro", stops: tuple[tuple[str, float, float], ...] = ()) -> (
    TransitNetwork
):  # fmt: skip
    first = np.concatenate([[0], np.cumsum([len(way) for way in ways])])
    none = np.zeros(0)
    return TransitNetwork(
        stop_id=np.arange(len(stops)), stop_name=[name for name, *_ in stops],
        stop_lon=[x * METRE for _, x, _ in stops], stop_lat=[y * METRE for *_, y in stops],
        line_id=np.array([], dtype=str), route=np.array([], dtype=str), mode=none, headway=none,
        line_first=[0], line_stop=none, run_time=none, run_length=none,
        track_mode=np.full(len(ways), MODE_CODE[mode]), track_way_id=np.arange(len(ways)),
        track_length=np.ones(len(ways)), track_first=first,
        track_lon=np.array([x * METRE for way in ways for x, _ in way]),
        track_lat=np.array([y * METRE for way in ways for _, y in way]),
    )  # fmt: skip


def table(*stops: tuple[float, float], mode: str = "metro") -> TransitNetwork:
    n = len(stops)
    return lines_from_table(
        LineTable(
            line=["1"] * n, mode=[mode] * n, seq=np.arange(n), stop_id=[f"s{k}" for k in range(n)],
            stop_name=[f"站{k}" for k in range(n)], lon=np.array([x for x, _ in stops]) * METRE,
            lat=np.array([y for _, y in stops]) * METRE,
        )
    )  # fmt: skip


ARC: Way = [(0, 0), (1000, 0), (1000, 1000), (2000, 1000)]
"""3,000 m around two corners; 2,236 m as the crow flies."""


def test_runs_follow_the_track_and_take_their_time() -> None:
    straight = table((0, 30), (2000, 1030))
    lines, report = lines_on_tracks(straight, tracks(ARC))
    assert report == {"lines": 2, "runs": 2, "runs_on_tracks": 2, "off": []}
    assert lines.run_length[0] == pytest.approx(3000.0, rel=0.01)
    _, speed, dwell, _, _ = MODE_DEFAULTS["metro"]
    assert lines.run_time[0] == pytest.approx(3000.0 / speed + dwell, rel=0.01)
    assert lines.run_time[2] == pytest.approx(lines.run_time[0])
    assert lines.shape_first.tolist() == [0, 4, 4, 8, 8]
    assert lines.run_time[1] == 0.0, "nothing after the last stop"


def test_a_line_changes_to_the_track_beside_at_a_station() -> None:
    # The eastern half of each track is missing on the other: no switch joins them.
    west: Way = [(0, 0), (1500, 0)]
    east: Way = [(1000, 12), (3000, 12)]
    lines, report = lines_on_tracks(table((0, 5), (1200, 5), (3000, 5)), tracks(west, east))
    assert report["runs_on_tracks"] == 4
    assert lines.run_length[:2] == pytest.approx([1200.0, 1800.0], rel=0.01)


@pytest.mark.parametrize(
    ("ways", "mode"),
    [
        ([[(0, 0), (900, 0)]], "metro"),  # ends before the second stop
        ([[(0, 600), (2000, 1600)]], "metro"),  # too far aside
        ([ARC], "tram"),  # of another mode
        ([[(0, 0), (0, 9000), (2000, 9000), (2000, 1000)]], "metro"),  # a long way round
    ],
)
def test_what_no_track_carries_stays_as_it_was(ways: list[Way], mode: str) -> None:
    before = table((0, 0), (2000, 1000))
    lines, report = lines_on_tracks(before, tracks(*ways, mode=mode))
    assert report["runs_on_tracks"] == 0
    assert lines.run_length.tolist() == before.run_length.tolist()
    assert lines.run_time.tolist() == before.run_time.tolist()
    assert len(report["off"]) == report["runs"]


def test_without_tracks() -> None:
    before = table((0, 0), (2000, 1000))
    assert lines_on_tracks(before, before)[0] is before


def test_stations_that_follow_each_other() -> None:
    # A line of three with a branch at the middle one, on two tracks.
    line: Way = [(0, 0), (1000, 0), (2500, 0)]
    beside: Way = [(0, 10), (2500, 10)]
    branch: Way = [(1000, 0), (1000, 700)]
    stops = (("A", 0, 5), ("B", 1000, 5), ("C", 2500, 5), ("D", 1000, 690), ("far", 9000, 9000))
    transit = tracks(line, beside, branch, stops=stops)
    found = station_graph(transit, np.full(5, MODE_CODE["metro"]))
    pairs = {(row["from"], row["to"]): row["km"] for row in found}
    assert set(pairs) == {("A", "B"), ("B", "C"), ("B", "D")}
    assert pairs["A", "B"] == pytest.approx(1.0, rel=1e-3)
    assert pairs["B", "C"] == pytest.approx(1.5, rel=1e-3)
    assert pairs["B", "D"] == pytest.approx(0.685, rel=0.01)
