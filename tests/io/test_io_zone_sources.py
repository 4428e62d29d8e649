"""Zones of recipes: four kinds, conserved people, faults that name file, row and column."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cczsim.errors import InputError
from cczsim.io.recipe import read_recipe
from cczsim.network.network import Network
from cczsim.network.road_class import CONNECTOR
from cczsim.network.zones import TIERS
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.recipes import build_recipe

Recipes = Callable[..., Path]
CSV = '[zones]\nkind = "csv"\nfile = "z.csv"\n'
ROWS = "id,lon,lat,population,jobs\n7,113.01,28.01,100,10\n9,113.04,28.04,50,0\n"


def build(path: Path) -> Network:
    return build_recipe(read_recipe(path), Progress(stream=io.StringIO()))


def square(west: float, south: float, size: float, **properties: Any) -> dict[str, Any]:
    ring = [[west, south], [west + size, south], [west + size, south + size],
            [west, south + size], [west, south]]  # fmt: skip
    shape = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": properties, "geometry": shape}


def geojson(*features: dict[str, Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def test_points_from_csv(make_recipe: Recipes) -> None:
    network = build(make_recipe(CSV + 'tier = "circle"\nper_zone = 3\n', z_csv=ROWS))
    zones = network.zones
    assert zones is not None
    assert zones.zone_id.tolist() == [7, 9]
    assert zones.population.tolist() == [100.0, 50.0]
    assert zones.jobs.tolist() == [10.0, 0.0]
    assert zones.tier.tolist() == [TIERS.index("circle")] * 2
    assert network.info.build["connectors"]["zones_without_link"] == []
    assert network.info.build["zones"]["jobs_source"] == "table"
    made = network.road.road_class == CONNECTOR
    assert set(network.road.tail[made]) >= set(zones.centroid)


def test_jobs_by_resident_are_marked_as_assumed(make_recipe: Recipes) -> None:
    rows = "id,lon,lat,people\nnorth,113.01,28.04,100\nsouth,113.02,28.01,40\n"
    body = CSV + 'population = "people"\njobs_per_resident = 0.5\n'
    network = build(make_recipe(body, z_csv=rows))
    assert network.zones is not None
    assert network.zones.zone_id.tolist() == [1, 2]
    assert network.zones.zone_name.tolist() == ["north", "south"]
    assert network.zones.jobs.tolist() == [50.0, 20.0]
    assert "assumed" in network.info.build["zones"]["jobs_source"]
    assert any("assumed: 0.5" in note for note in network.info.notes)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("id,lon,lat,people,jobs\n1,113.01,28.01,1,1\n", ["z.csv:1", "'population'"]),
        ("id,lon,lat,population,jobs\n1,113.01,28.01,-4,1\n", ["z.csv:2: population", "-4"]),
        ("id,lon,lat,population,jobs\n1,113.01,28.01,NaN,1\n", ["z.csv:2: population", "NaN"]),
        ("id,lon,lat,population,jobs\n1,113.01,28.01,,1\n", ["z.csv:2: population", "nothing"]),
        ("id,lon,lat,population,jobs\n1,113.01,128.01,5,1\n", ["z.csv:2: lat", "128.01"]),
        (
            "id,lon,lat,population,jobs\n1,113.01,28.01,5,1\n1,113.02,28.02,5,1\n",
            ["z.csv:3: id", "z.csv:2"],
        ),
        ("id,lon,lat,population,jobs\n1,12.5,41.9,5,1\n", ["no zone", "coordinate system"]),
        ("id,lon,lat,population\n1,113.01,28.01,5\n", ["no column of jobs", "jobs_per_resident"]),
        ("id,lon,lat,population,jobs\n1,113.01,28.01,0,1\n", ["no residents"]),
        ("id,lon,lat,population,jobs\n", ["no rows"]),
    ],
)
def test_wrong_tables(make_recipe: Recipes, rows: str, said: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        build(make_recipe(CSV, z_csv=rows))
    assert len(caught.value.faults) == 1
    for words in said:
        assert words in str(caught.value)


def test_all_faults_come_at_once(make_recipe: Recipes) -> None:
    rows = "id,lon,lat,population,jobs\n1,113.01,28.01,x,-1\n1,113.02,28.02,5,1\n"
    with pytest.raises(InputError) as caught:
        build(make_recipe(CSV, z_csv=rows))
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('[zones]\nkind = "h3"\n', ["zones.resolution", "zones.districts"]),
        ('[zones]\nkind = "csv"\n', ["zones.file"]),
        ('[zones]\nkind = "circles"\n', ["circles"]),
        (
            '[zones]\nkind = "csv"\nfile = "z.csv"\nper_zone = 0\n',
            ["recipe.toml:9: zones.per_zone"],
        ),
        ('[zones]\nkind = "csv"\nfile = "none.csv"\n', ["recipe.toml:8", "none.csv"]),
    ],
)
def test_wrong_recipes(make_recipe: Recipes, body: str, said: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        read_recipe(make_recipe(body, z_csv=ROWS))
    for words in said:
        assert words in str(caught.value)


def test_zones_outside_are_counted(make_recipe: Recipes) -> None:
    network = build(make_recipe(CSV, z_csv=ROWS + "11,114.5,28,80,3\n"))
    report = network.info.build["zones"]
    assert report["zones_left_outside"] == 1
    assert report["residents_left_outside"] == 80.0
    assert report["residents"] == 150.0


def test_small_zones_keep_their_people(make_recipe: Recipes) -> None:
    rows = ROWS + "11,113.011,28.012,2,1\n"
    network = build(make_recipe(CSV + "min_people = 20\n", z_csv=rows))
    assert network.zones is not None
    assert network.zones.zone_id.tolist() == [7, 9]
    assert network.zones.population.tolist() == [102.0, 50.0]
    assert network.zones.jobs.tolist() == [11.0, 0.0]
    assert network.info.build["zones"]["residents_joined_to_others"] == 2.0


def test_polygons_with_columns(make_recipe: Recipes) -> None:
    shapes = geojson(
        square(113.0, 28.0, 0.02, code="5", pop=10, work=4, ring="central", area="A"),
        square(113.03, 28.02, 0.02, code="6", pop=20, work=0, ring="", area="B"),
    )
    body = (
        '[zones]\nkind = "polygons"\nfile = "z.geojson"\nid = "code"\npopulation = "pop"\n'
        'jobs = "work"\ntier = "ring"\ndistrict = "area"\n'
    )
    network = build(make_recipe(body, z_geojson=shapes))
    zones = network.zones
    assert zones is not None
    assert zones.zone_id.tolist() == [5, 6]
    assert zones.district.tolist() == ["A", "B"]
    assert zones.tier.tolist() == [TIERS.index("central"), TIERS.index("none")]
    assert zones.zone_lon == pytest.approx([113.01, 113.04])
    assert (zones.area > 3e6).all()
    wrong = shapes.replace('"central"', '"centre"')
    with pytest.raises(InputError, match="feature 1: ring"):
        build(make_recipe(body, z_geojson=wrong))


def test_polygons_from_a_geopackage(make_recipe: Recipes, tmp_path: Path) -> None:
    import geopandas
    import shapely

    table = geopandas.GeoDataFrame(
        {"population": [10, 20], "jobs": [1.0, 2.0]},
        geometry=[shapely.box(113, 28, 113.02, 28.02), shapely.box(113.02, 28, 113.05, 28.05)],
        crs="EPSG:4326",
    )
    table.to_crs("EPSG:3857").to_file(tmp_path / "z.gpkg")
    network = build(make_recipe('[zones]\nkind = "polygons"\nfile = "z.gpkg"\n'))
    assert network.zones is not None
    assert network.zones.population.tolist() == [10.0, 20.0]
    assert network.zones.zone_lon[0] == pytest.approx(113.01)


def test_hexagons_share_out_the_people_of_districts(make_recipe: Recipes) -> None:
    shapes = geojson(
        square(113.0, 28.0, 0.05, pop=9000, who="inner"),
        square(113.05, 28.0, 5.0, pop=9000, who="far"),
        square(10.0, 28.0, 1.0, pop=9000, who="elsewhere"),
    )
    body = (
        '[zones]\nkind = "h3"\nresolution = 8\ndistricts = "d.geojson"\npopulation = "pop"\n'
        'district = "who"\njobs_per_resident = 1\nmin_people = 1\n'
    )
    network = build(make_recipe(body, d_geojson=shapes))
    zones, report = network.zones, network.info.build["zones"]
    assert zones is not None
    assert set(zones.district.tolist()) <= {"inner", "far"}
    assert "elsewhere" not in report["residents_left_outside_by_district"]
    assert report["residents_left_outside_by_district"]["inner"] == 0.0
    assert report["residents"] + report["residents_left_outside"] == pytest.approx(18000)
    assert zones.population.min() >= 0.5
    assert zones.population.std() > 0.0
    with pytest.raises(InputError, match="no district among 1"):
        build(make_recipe(body, d_geojson=geojson(square(10, 28, 1, pop=1, who="x"))))
    with pytest.raises(InputError, match="feature 1: pop"):
        build(make_recipe(body, d_geojson=shapes.replace("9000", "-9", 1)))


def test_a_table_of_hexagons_is_summed_into_larger_ones(make_recipe: Recipes) -> None:
    import h3

    corners = [(28.01, 113.01), (28.01, 113.04), (28.04, 113.04), (28.04, 113.01)]
    fine = sorted(h3.geo_to_cells(h3.LatLngPoly(corners), 9))
    rows = "id,population,jobs\n" + "".join(f"{cell},10,{k % 3}\n" for k, cell in enumerate(fine))
    body = '[zones]\nkind = "h3_table"\nfile = "z.csv"\n'
    network = build(make_recipe(body + "resolution = 7\n", z_csv=rows))
    zones = network.zones
    assert zones is not None
    parents = {int(h3.cell_to_parent(cell, 7), 16) for cell in fine}
    assert set(zones.zone_id.tolist()) <= parents
    left = network.info.build["zones"]["residents_left_outside"]
    assert zones.population.sum() + left == 10.0 * len(fine)
    same = build(make_recipe(body, z_csv=rows)).zones
    assert same is not None
    assert same.n_zones == len(fine)
    with pytest.raises(InputError, match="resolution 9"):
        build(make_recipe(body + "resolution = 10\n", z_csv=rows))
    with pytest.raises(InputError, match=r"z\.csv:2: id"):
        build(make_recipe(body, z_csv=rows.replace(fine[0], "8f", 1)))
    empty = rows.replace("10,0\n", "10,\n", 1)
    with pytest.raises(InputError, match=r"z\.csv:2: jobs"):
        build(make_recipe(body, z_csv=empty))
    filled = build(make_recipe(body + "empty_as_zero = true\n", z_csv=empty))
    assert filled.info.build["zones"]["empty_jobs_taken_as_zero"] == 1
    assert filled.zones is not None
    assert np.array_equal(filled.zones.jobs, same.jobs)
