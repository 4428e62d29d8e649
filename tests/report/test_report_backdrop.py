from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from bokeh.plotting import figure
from synthetic_run import LAT, LON, grid_backdrop, make_run

from cczsim.columns import objects
from cczsim.errors import ColumnError
from cczsim.io.bundle import read_bundle, save_network
from cczsim.network.backdrop import Backdrop
from cczsim.network.geometry import local_crs
from cczsim.report.backdrop_map import add_areas, name_areas
from cczsim.report.embed import Wording
from cczsim.report.maps import map_crs, region_map
from cczsim.scenario.result import RunResult

CRS = local_crs(LON, LAT)


def test_the_islands_of_a_river_stay_dry() -> None:
    plot = figure()
    assert add_areas(plot, grid_backdrop(), "water", CRS)
    (drawn,) = plot.renderers
    (river,) = drawn.data_source.data["xs"]
    assert [len(polygon) for polygon in river] == [2]
    assert drawn.level == "image"


def test_a_kind_that_is_not_there_draws_nothing() -> None:
    plot = figure()
    ground = Backdrop(kind=["sand"], polygon=[shapely.box(LON, LAT, LON + 1, LAT + 1)])
    assert not add_areas(plot, ground, "water", CRS)
    name_areas(plot, ground, CRS, Wording())
    assert plot.renderers == []


def test_a_long_river_bears_its_name_often_and_a_small_hill_on_near_views() -> None:
    plot, wording = figure(), Wording()
    name_areas(plot, grid_backdrop(), CRS, wording)
    names = {renderer.name: renderer.data_source.data["name"] for renderer in plot.renderers}
    assert names == {
        "layer-water-names": ["Xiang River"] * 3, "layer-green-names-near": ["岳麓山"],
    }  # fmt: skip
    assert wording.columns[0][2:] == [["Xiang River"] * 3, ["湘江"] * 3]


def test_names_stand_on_the_water() -> None:
    plot = figure()
    name_areas(plot, grid_backdrop(), CRS, Wording())
    (river, _) = plot.renderers
    x = np.array(river.data_source.data["x"])
    assert (x > 3_800).all()
    assert (x < 4_500).all()


def test_the_map_has_water_above_zones_and_below_streets(plan_run: RunResult) -> None:
    drawn = region_map(plan_run, None)
    names = [r.name for r in drawn.plot.renderers]
    place = {key: names.index(f"layer-{key}") for key in ("green", "zones", "water", "streets")}
    assert place["green"] < place["zones"] < place["water"] < place["streets"]
    assert {"water", "green"} <= {layer.key for layer in drawn.layers}
    without = region_map(
        RunResult(**{**vars(plan_run), "network": plan_run.network.replace(backdrop=None)}), None
    )
    assert not {"water", "green"} & {layer.key for layer in without.layers}


def test_the_map_opens_on_the_central_zone_and_goes_to_districts(plan_run: RunResult) -> None:
    views = region_map(plan_run, None).views
    assert [view.key for view in views[:2]] == ["central", "all"]
    # the third district holds gates only
    assert [view.label.en for view in views if view.district] == ["岳麓区", "天心区"]
    for view in views:
        west, south, east, north = view.box
        assert west < east
        assert south < north
    assert map_crs(plan_run)


def test_a_backdrop_is_saved_with_its_network(tmp_path: Path) -> None:
    network = make_run().network
    save_network(network, tmp_path / "grid")
    again = read_bundle(tmp_path / "grid")
    assert again.backdrop is not None
    assert network.backdrop is not None
    assert again.backdrop.area_name.tolist() == ["湘江", "岳麓山"]
    assert shapely.equals(again.backdrop.polygon, network.backdrop.polygon).all()
    assert again.info == network.info
    save_network(network.replace(backdrop=None), tmp_path / "bare")
    assert read_bundle(tmp_path / "bare").backdrop is None


def test_a_backdrop_has_as_many_kinds_as_polygons() -> None:
    with pytest.raises(ColumnError, match="Backdrop"):
        Backdrop(kind=["water", "green"], polygon=objects([shapely.box(0, 0, 1, 1)]))
