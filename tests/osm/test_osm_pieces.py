from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.osm.pieces import cut, runs, way_lengths

LON = 112.9 + np.arange(12) % 4 / 1000
LAT = 28.2 + np.arange(12) // 4 / 1000


def pieces_of(*ways: list[int], taken: list[bool] | None = None):  # type: ignore[no-untyped-def]
    first = np.concatenate([[0], np.cumsum([len(way) for way in ways])]).astype(np.int64)
    node = np.array([ref for way in ways for ref in way], dtype=np.int64)
    chosen = np.array(taken if taken is not None else [True] * len(ways))
    return first, node, cut(first, node, chosen, LON, LAT)


def paths(pieces) -> list[list[int]]:  # type: ignore[no-untyped-def]
    return [p.tolist() for p in np.split(pieces.point, pieces.first[1:-1])] if len(
        pieces.way) else []  # fmt: skip


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ([[0, 1, 2]], [[0, 1, 2]]),
        ([[0, 1, 2], [1, 5]], [[0, 1], [1, 2], [1, 5]]),
        ([[0, 1], [1, 2]], [[0, 1], [1, 2]]),
        ([[0, 0, 1, 1, 1, 2]], [[0, 1, 2]]),
        ([[0, 1, 2, 6, 5, 1]], [[0, 1], [1, 2, 6], [6, 5, 1]]),
        ([[0, 1, 5, 4, 0]], [[0, 1, 5], [5, 4, 0]]),
        ([[0, 1, 5, 4, 0], [0, 8]], [[0, 1, 5], [5, 4, 0], [0, 8]]),
        ([[0, 1, 0]], [[0, 1], [1, 0]]),
        ([[0, 1, -1, 2, 3]], [[0, 1], [2, 3]]),
        ([[0, -1, 2]], []),
        ([[-1, -1]], []),
        ([[3]], []),
        ([[3, 3]], []),
        ([[]], []),
        ([[0, 1, 2], [], [2, 3]], [[0, 1, 2], [2, 3]]),
        ([[0, 5, 1, 5, 2]], [[0, 5], [5, 1], [1, 5], [5, 2]]),
    ],
)
def test_cut(ways: list[list[int]], expected: list[list[int]]) -> None:
    assert paths(pieces_of(*ways)[2]) == expected


def test_ways_not_taken_make_no_junction() -> None:
    _, _, pieces = pieces_of([0, 1, 2], [1, 5], taken=[True, False])
    assert paths(pieces) == [[0, 1, 2]]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(st.integers(-1, 11), max_size=9), min_size=1, max_size=5))
def test_cutting_keeps_every_segment_once(ways: list[list[int]]) -> None:
    first, node, pieces = pieces_of(*ways)
    wanted = sorted(
        (number, a, b)
        for number, way in enumerate(ways)
        for a, b in pairwise(way)
        if a >= 0 and b >= 0 and a != b
    )
    got = sorted(
        (int(way), a, b)
        for way, path in zip(pieces.way, paths(pieces), strict=True)
        for a, b in pairwise(path)
    )
    assert got == wanted
    lengths = way_lengths(first, node, LON, LAT)
    summed = np.bincount(pieces.way, pieces.length, minlength=len(ways)) if len(
        pieces.way) else np.zeros(len(ways))  # fmt: skip
    np.testing.assert_allclose(summed, lengths, rtol=1e-9, atol=1e-6)
    ends = set(pieces.tail.tolist()) | set(pieces.head.tolist()) if len(pieces.way) else set()
    for path in paths(pieces):
        assert path[0] != path[-1]
        assert not ends & set(path[1:-1])


def test_runs_number_the_stretches() -> None:
    first = np.array([0, 5, 7])
    way, node, run = runs(first, np.array([0, 1, -1, 2, 3, 4, 5]), np.array([True, True]))
    assert way.tolist() == [0, 0, 0, 0, 1, 1]
    assert node.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(np.unique(run)) == 3
