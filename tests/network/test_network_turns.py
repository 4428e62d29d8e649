"""Turn rules stay true where links are split or dropped, and in a folder on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cczsim.errors import ColumnError
from cczsim.io.bundle import read_bundle, save_network
from cczsim.network.edit import add_streets, drop_links, empty_road
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.street_line import StreetLine
from cczsim.network.turns import (
    FORBIDDEN,
    join_turns,
    no_u_turns,
    turns_after_drop,
    turns_after_split,
    turns_from,
)


def street(*points: tuple[float, float]) -> StreetLine:
    lon, lat = (np.array(c) for c in zip(*points, strict=True))
    return StreetLine(112.9 + lon / 1000, 28.2 + lat / 1000, "secondary", 1, 10.0, 900.0)


@pytest.fixture
def road() -> RoadNetwork:
    """A street of three two-way links, 0 – 4 – 8 – 12 to the east."""
    streets = [street((0, 0), (4, 0)), street((4, 0), (8, 0)), street((8, 0), (12, 0))]
    return add_streets(empty_road(), streets, snap=1.0).road


def along(road: RoadNetwork) -> list[int]:
    """The links to the east, in order."""
    east = np.flatnonzero(road.node_lon[road.head] - road.node_lon[road.tail] > 5e-4)
    return east[np.argsort(road.node_lon[road.tail[east]])].tolist()


def test_rules_are_kept_where_links_are_split(road: RoadNetwork) -> None:
    a, b, c = along(road)
    back = [int(road.reverse_link[k]) for k in (c, b, a)]
    turns = turns_from([[a, b, c], back, [a, b]], [FORBIDDEN, 7.0, 3.0], [5, 6, 7])
    # Each link is crossed by two streets: three pieces.
    crossing = [street((x, -1), (x, 1)) for x in (1, 2, 5, 6, 9, 10)]
    report = add_streets(road, crossing, snap=1.0)
    after, moved = report.road, turns_after_split(turns, report.whole, report.piece)
    pieces = along(after)
    assert len(pieces) == 9
    assert moved.links_of(0) == pieces[2:7]
    assert moved.links_of(1) == [int(after.reverse_link[k]) for k in pieces[6:1:-1]]
    assert moved.links_of(2) == pieces[2:4]
    assert moved.penalty.tolist() == [FORBIDDEN, 7.0, 3.0]
    assert moved.relation_id.tolist() == [5, 6, 7]
    assert after.length[moved.links_of(0)[1:-1]].sum() == pytest.approx(road.length[b])


def test_rules_on_dropped_links_go(road: RoadNetwork) -> None:
    a, b, c = along(road)
    turns = turns_from([[a, b], [b, c], [a, b, c]])
    left, kept = drop_links(road, np.array([a, int(road.reverse_link[a])]))
    moved = turns_after_drop(turns, kept, road.n_links)
    assert [moved.links_of(k) for k in range(moved.n_turns)] == [along(left)]
    assert turns_after_drop(turns_from([]), kept, road.n_links).n_turns == 0


def test_no_u_turns_but_at_dead_ends(road: RoadNetwork) -> None:
    turns = no_u_turns(road)
    a, b, c = along(road)
    mate = road.reverse_link
    expected = [[a, mate[a]], [b, mate[b]], [mate[b], b], [mate[c], c]]
    assert sorted(turns.links_of(k) for k in range(turns.n_turns)) == sorted(expected)
    assert (mate != NO_LINK).all()


def test_a_folder_keeps_rules(road: RoadNetwork, tmp_path: Path) -> None:
    turns = join_turns([turns_from([[0, 1, 2]], [FORBIDDEN], [9]), turns_from([[1, 2]], [2.5])])
    save_network(Network(NetworkInfo("turns"), road, turns=turns), tmp_path / "net")
    again = read_bundle(tmp_path / "net").turns
    assert again is not None
    for name in turns.specs():
        assert getattr(again, name).tolist() == getattr(turns, name).tolist(), name


@pytest.mark.parametrize(
    ("sequences", "penalty", "message"),
    [
        ([[1]], [1.0], "under 2 links"),
        ([[1, 2]], [-1.0], "at least 0"),
        ([[1, 2]], [float("nan")], "a finite number or inf"),
    ],
)
def test_rules_that_are_none(
    sequences: list[list[int]], penalty: list[float], message: str
) -> None:
    with pytest.raises(ColumnError, match=message):
        turns_from(sequences, penalty)
