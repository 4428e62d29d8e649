"""Blocks cut in two: nothing is lost, and every cut meets a street."""

from __future__ import annotations

from math import cos, pi, sin

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.sketch.blocks import Block, halve, long_axis, ring_area

SHAPES = st.tuples(
    st.lists(st.floats(0.6, 1.4), min_size=3, max_size=12),
    st.floats(40.0, 400.0),
    st.floats(1.0, 4.0),
)


def ring_of(shape: tuple[list[float], float, float]) -> list[tuple[float, float]]:
    radii, size, stretch = shape
    n = len(radii)
    return [
        (stretch * size * r * cos(2 * pi * k / n), size * r * sin(2 * pi * k / n))
        for k, r in enumerate(radii)
    ]


@settings(deadline=None, max_examples=200)
@given(SHAPES)
def test_halves_make_up_the_block(shape: tuple[list[float], float, float]) -> None:
    ring = ring_of(shape)
    block = Block(ring, [True] * len(ring), ring_area(ring))
    cut = halve(block, min_area=200.0, min_width=10.0)
    if cut is None:
        return
    whole = shapely.Polygon(ring)
    parts = [shapely.Polygon(part.ring) for part in cut.parts]
    assert sum(part.area for part in cut.parts) == pytest.approx(whole.area, rel=1e-6)
    assert shapely.union_all(parts).area == pytest.approx(whole.area, rel=1e-6)
    assert min(part.area for part in cut.parts) >= 200.0
    assert cut.length >= 10.0
    for end in (cut.a, cut.b):
        assert whole.exterior.distance(shapely.Point(end)) < 1e-6
    for part in cut.parts:
        assert len(part.street) == len(part.ring)


def test_a_cut_goes_across_the_long_axis() -> None:
    ring = [(0.0, 0.0), (300.0, 0.0), (300.0, 100.0), (0.0, 100.0)]
    centre, axis, long, short = long_axis(ring)
    assert centre == pytest.approx((150.0, 50.0))
    assert (abs(axis[0]), abs(axis[1])) == pytest.approx((1.0, 0.0))
    assert (long, short) == pytest.approx((300.0, 100.0))
    cut = halve(Block(ring, [True] * 4, 30_000.0), 1500.0, 25.0)
    assert cut is not None
    assert cut.length == pytest.approx(100.0)
    assert cut.a[0] == cut.b[0] == pytest.approx(150.0)


def test_a_block_without_a_street_or_too_small_is_left() -> None:
    ring = [(0.0, 0.0), (300.0, 0.0), (300.0, 100.0), (0.0, 100.0)]
    assert halve(Block(ring, [False] * 4, 30_000.0), 1500.0, 25.0) is None
    assert halve(Block(ring, [True] * 4, 30_000.0), 16_000.0, 25.0) is None
    assert halve(Block(ring, [True] * 4, 30_000.0), 1500.0, 120.0) is None
