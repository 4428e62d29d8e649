from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cczsim.osm.extract import OsmExtract
from cczsim.osm.road_build import build_roads

Make = Callable[..., OsmExtract]
DEGREE = 111_000.0


def pair(make_extract: Make, gap: float, back: bool, *tags: dict[str, str]) -> list[bool]:
    """Two one-way streets of 1 km, ``gap`` metres apart."""
    north = 28.2 + gap / DEGREE
    nodes = {1: (112.9, 28.2), 2: (112.91, 28.2), 3: (112.9, north), 4: (112.91, north)}
    ways = [[1, 2], [4, 3] if back else [3, 4]]
    road = build_roads(
        make_extract(
            *[(refs, {"highway": "primary", "oneway": "yes", **own})
              for refs, own in zip(ways, tags, strict=True)],
            nodes=nodes,
        )
    ).road  # fmt: skip
    return [bool(flag) for flag in road.dual_carriageway]


@pytest.mark.parametrize(
    ("gap", "back", "one", "two", "dual"),
    [
        (20, True, {"name": "湘江大道"}, {"name": "湘江大道"}, True),
        (20, True, {"name": "湘江大道"}, {}, True),
        (20, True, {}, {}, True),
        (20, True, {"name": "A"}, {"name": "B"}, False),
        (20, False, {"name": "A"}, {"name": "A"}, False),
        (100, True, {"name": "A"}, {"name": "A"}, False),
        (20, True, {}, {"highway": "secondary"}, False),
        (20, True, {"oneway": "no"}, {}, False),
    ],
)
def test_pairs(
    make_extract: Make, gap: float, back: bool, one: dict[str, str], two: dict[str, str], dual: bool
) -> None:
    assert set(pair(make_extract, gap, back, one, two)) == {dual}


def test_a_side_street_and_a_ramp_are_none(make_extract: Make) -> None:
    road = build_roads(
        make_extract(
            ([1, 2], {"highway": "primary_link", "oneway": "yes"}),
            ([2, 1], {"highway": "primary_link", "oneway": "yes"}),
            ([1, 11], {"highway": "primary", "oneway": "yes"}),
        )
    ).road
    assert not np.any(road.dual_carriageway)


def test_half_of_the_length_decides(make_extract: Make) -> None:
    nodes = {1: (112.9, 28.2), 2: (112.91, 28.2), 3: (112.9, 28.2002), 4: (112.904, 28.2002)}
    road = build_roads(
        make_extract(
            ([1, 2], {"highway": "trunk", "oneway": "yes"}),
            ([4, 3], {"highway": "trunk", "oneway": "yes"}),
            nodes=nodes,
        )
    ).road
    assert road.dual_carriageway.tolist() == [False, True]
