"""People are spread without losing any, and small zones join their neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cczsim.network.zone_people import join_small, spread_people


def test_a_district_covered_wholly_keeps_all_its_people() -> None:
    done = spread_people([900], [1.0], np.array([0, 0]), np.array([0, 1]), np.array([1e3, 2e3]), 3)
    assert done.people.tolist() == [300.0, 600.0, 0.0]
    assert done.left_outside.tolist() == [0.0]
    assert done.most_per_km == 300.0


def test_a_district_cut_has_no_more_people_a_km_than_whole_ones() -> None:
    part, zone = np.array([0, 1]), np.array([0, 1])
    done = spread_people([1000, 5000], [0.95, 0.3], part, zone, np.array([2e3, 1e3]), 2)
    assert done.people.tolist() == [1000.0, 500.0]
    assert done.left_outside.tolist() == [0.0, 4500.0]
    few = spread_people([1000, 100], [0.95, 0.3], part, zone, np.array([2e3, 1e3]), 2)
    assert few.people.tolist() == [1000.0, 100.0]


def test_by_area_where_no_district_is_whole() -> None:
    done = spread_people([1000], [0.25], np.array([0]), np.array([0]), np.array([10.0]), 1)
    assert done.people.tolist() == [250.0]
    assert np.isnan(done.most_per_km)


def test_nobody_lives_where_there_is_no_street() -> None:
    done = spread_people([1000], [1.0], np.array([0]), np.array([0]), np.array([0.0]), 1)
    assert done.people.tolist() == [0.0]
    assert done.left_outside.tolist() == [1000.0]


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 1)), min_size=1, max_size=5), st.data()
)
def test_people_inside_and_outside_add_up(
    districts: list[tuple[int, float]], data: st.DataObject
) -> None:
    people, covered = np.array(districts).T
    n = data.draw(st.integers(0, 12))

    def draw(high: int) -> np.ndarray:
        return np.array(data.draw(st.lists(st.integers(0, high), min_size=n, max_size=n)), int)

    done = spread_people(
        people, covered, draw(len(people) - 1), draw(3), draw(10**5).astype(float), 4
    )
    assert done.people.sum() + done.left_outside.sum() == pytest.approx(people.sum())
    assert (done.people >= 0).all()
    assert (done.left_outside >= -1e-6).all()


def test_small_zones_join_the_nearest_other() -> None:
    x = np.array([0.0, 1.0, 10.0, 11.0])
    assert join_small(np.array([5, 0, 0, 9]), x, 0 * x, 1.0).tolist() == [0, 0, 3, 3]
    assert join_small(np.zeros(4), x, 0 * x, 1.0).tolist() == [0, 1, 2, 3]
    assert join_small(np.ones(4), x, 0 * x, 0.0).tolist() == [0, 1, 2, 3]
