"""Lengths inside areas, by pencil and paper on a plane."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.columns import Array
from cczsim.indicators.clipping import clip_shares


def lengths(lines: list[list[tuple[float, float]]], areas: list[shapely.Polygon]) -> Array:
    """Return the length in each area."""
    shapes = np.array([shapely.LineString(line) for line in lines])
    polygons = np.array(areas)
    clipped = clip_shares(shapes, polygons)
    inside = shapely.length(shapes[clipped.line]) * clipped.share
    return np.bincount(clipped.area, weights=inside, minlength=len(areas))


def test_grid() -> None:
    """Five streets each way, 1 km apart, the outer ones 500 m inside a square of 5 km."""
    ways = [[(0.0, 500.0 + 1000 * k), (5000.0, 500.0 + 1000 * k)] for k in range(5)]
    ways += [[(y, x) for x, y in line] for line in ways]
    assert lengths(ways, [shapely.box(0, 0, 5000, 5000)])[0] == pytest.approx(50_000, rel=1e-9)


def test_grid_with_streets_on_the_rim_counts_them_half() -> None:
    """Six streets each way, 1 km apart: 4 whole and 2 half, 5 km each, both ways."""
    ways = [[(0.0, 1000.0 * k), (5000.0, 1000.0 * k)] for k in range(6)]
    ways += [[(y, x) for x, y in line] for line in ways]
    assert lengths(ways, [shapely.box(0, 0, 5000, 5000)])[0] == pytest.approx(50_000, rel=1e-9)


def test_ring() -> None:
    """A regular 360-gon of radius 1 km, whole, and cut in half by a straight border."""
    angle = np.linspace(0, 2 * np.pi, 361)
    ring = [(1000 * np.cos(a), 1000 * np.sin(a)) for a in angle]
    around = 360 * 2 * 1000 * np.sin(np.pi / 360)
    found = lengths([ring], [shapely.box(-2e3, -2e3, 2e3, 2e3), shapely.box(-2e3, 0, 2e3, 2e3)])
    assert found == pytest.approx([around, around / 2], rel=1e-9)


def test_street_between_two_areas_is_shared() -> None:
    areas = [shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)]
    assert lengths([[(100, 0), (100, 100)]], areas) == pytest.approx([50, 50], rel=1e-9)


def test_street_that_runs_along_a_border_and_then_in() -> None:
    found = lengths([[(0, 0), (60, 0), (60, 40)]], [shapely.box(0, 0, 100, 100)])
    assert found[0] == pytest.approx(30 + 40, rel=1e-9)


def test_cul_de_sac_counts_as_far_as_it_reaches() -> None:
    found = lengths([[(50, -30), (50, 45)]], [shapely.box(0, 0, 100, 100)])
    assert found[0] == pytest.approx(45, rel=1e-9)


def test_overlapping_areas_each_count_the_street() -> None:
    areas = [shapely.box(0, 0, 100, 100), shapely.box(50, 0, 150, 100)]
    assert lengths([[(0, 50), (150, 50)]], areas) == pytest.approx([100, 100], rel=1e-9)


def test_hole_and_second_part() -> None:
    holed = shapely.box(0, 0, 100, 100).difference(shapely.box(40, 40, 60, 60))
    both = shapely.MultiPolygon([holed, shapely.box(200, 0, 300, 100)])
    assert lengths([[(-10, 50), (250, 50)]], [both])[0] == pytest.approx(80 + 50, rel=1e-9)


def test_touching_an_area_in_a_point_counts_nothing() -> None:
    found = clip_shares(
        np.array([shapely.LineString([(0, 0), (0, 10)])]),
        np.array([shapely.Polygon([(0, 5), (10, 0), (10, 10)])]),
    )
    assert len(found.share) == 0


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(1, 99), st.floats(1, 99)), min_size=2, max_size=6, unique=True),
    st.lists(st.floats(5, 95), min_size=1, max_size=4, unique=True),
)
def test_strips_share_out_every_line(points: list[tuple[float, float]], cuts: list[float]) -> None:
    """Areas that tile the plane leave nothing out and count nothing twice."""
    edges = [0.0, *sorted(cuts), 100.0]
    areas = [shapely.box(a, 0, b, 100) for a, b in pairwise(edges)]
    whole = shapely.LineString(points).length
    assert lengths([points], areas).sum() == pytest.approx(whole, rel=1e-9)
