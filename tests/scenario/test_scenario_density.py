"""Streets up to a density: the sparsest parts first, the total to the metre."""

from __future__ import annotations

import numpy as np
import pytest
from grid_case import grid
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.columns import Array
from cczsim.errors import ScenarioError
from cczsim.network.provenance import Source
from cczsim.network.road_class import CLASS_CODE
from cczsim.scenario import change_density
from cczsim.scenario.change_density import level
from cczsim.scenario.changes import apply_changes
from cczsim.scenario.spec import spec_from
from cczsim.sketch.street_grid import StreetSpec

PARTS = st.lists(st.tuples(st.floats(0.0, 1e6), st.floats(1e3, 1e8)), min_size=1, max_size=6).map(
    lambda rows: (np.array([r[0] for r in rows]), np.array([r[1] for r in rows]))
)


@settings(deadline=None, max_examples=100)
@given(PARTS, st.floats(1e-5, 0.05))
def test_parts_are_levelled_from_below(parts: tuple[Array, Array], density: float) -> None:
    length, size = parts
    target = level(length, size, density)
    assert (target >= length).all()
    total = max(density * size.sum(), length.sum())
    assert target.sum() == pytest.approx(total, rel=1e-9)
    raised = target > length * (1 + 1e-9) + 1e-6
    if raised.any():
        common = (target / size)[raised]
        np.testing.assert_allclose(common, common[0], rtol=1e-9)
        assert ((length / size)[~raised] >= common[0] * (1 - 1e-6)).all()


def change(**more: object) -> dict[str, object]:
    return {"kind": "road_density", "area": "central", "target": "3 km/km2", **more}


def apply(**more: object) -> object:
    spec = spec_from(
        {"cczsim": 1, "title": "t", "network": "n", "year": 2020, "changes": [change(**more)]}
    )
    return apply_changes(grid(), spec.changes, spec.origins)


def test_added_streets_are_marked_as_generated_and_keep_to_their_area() -> None:
    before = grid()
    network, (applied,) = apply()  # type: ignore[misc]
    road, zones = network.road, network.zones
    added = np.flatnonzero(road.road_class == CLASS_CODE["tertiary"])
    assert len(added)
    assert (road.class_source[added] == Source.GENERATED).all()
    assert (before.road.road_class != CLASS_CODE["tertiary"]).all()
    north = max(zones.polygon[z].bounds[3] for z in np.flatnonzero(zones.tier == 0))
    assert (
        road.node_lat[road.head[added]] <= north + 1e-5
    ).all()  # a metre: lines are cut in a projection
    assert applied.counts["streets added"] > 0
    np.testing.assert_array_equal(zones.centroid, before.zones.centroid)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"target": "0.001 km/km2"}, "already"),
        ({"area": "centre"}, "did you mean 'central'"),
        ({"street": {"class": "residential"}}, "does not count"),
        ({"expect": {"density": "> 5 km/km2"}}, r"expect\.density"),
    ],
)
def test_what_cannot_be_done_is_said(more: dict[str, object], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        apply(**more)


def test_blocks_that_are_too_small_end_the_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = StreetSpec(road_class="tertiary", main_class="tertiary", min_block=4e5)
    monkeypatch.setattr(change_density, "street_spec", lambda *_: coarse)
    with pytest.raises(ScenarioError, match="can be reached"):
        apply()


def test_the_same_streets_every_time() -> None:
    one, two = (apply()[0].road for _ in range(2))  # type: ignore[index]
    for name in one.specs():
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
