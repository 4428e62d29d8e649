"""GMNS folders: what is written is read back, and every row at fault is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cczsim.errors import CczsimError
from cczsim.io import gmns
from cczsim.network.road_class import CLASS_CODE

NODE = "node_id,x_coord,y_coord,zone_id\n10,112.90,28.10,1\n20,112.95,28.10,\n30,113.00,28.10,2\n"
LINK = (
    "link_id,from_node_id,to_node_id,directed,length,facility_type,lanes,free_speed,capacity,"
    "vdf_alpha,vdf_beta,toll,name,geometry\n"
    "1,10,20,0,5,primary,2,60,900,0.2,3,0,东二环,\n"
    '2,20,30,1,,secondary,,40,,,,1.5,,"LINESTRING (112.95 28.1, 112.97 28.12, 113 28.1)"\n'
)
CONFIG = "dataset_name,long_length,speed\ntest,km,km/h\n"


def folder(tmp_path: Path, node: str = NODE, link: str = LINK, config: str | None = CONFIG) -> Path:
    path = tmp_path / "gmns"
    path.mkdir(exist_ok=True)
    (path / "node.csv").write_text(node, encoding="utf-8")
    (path / "link.csv").write_text(link, encoding="utf-8")
    if config is not None:
        (path / "config.csv").write_text(config, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(CczsimError) as caught:
        gmns.read_network(path)
    return [str(fault) for fault in caught.value.faults]


def test_folder(tmp_path: Path) -> None:
    got = gmns.read_network(folder(tmp_path))
    road = got.road
    np.testing.assert_array_equal(road.node_id, [10, 20, 30])
    np.testing.assert_array_equal(road.tail, [0, 1, 1])
    np.testing.assert_array_equal(road.head, [1, 0, 2])
    np.testing.assert_array_equal(road.link_id, [1, -1, 2])
    np.testing.assert_array_equal(road.reverse_link, [1, 0, -1])
    np.testing.assert_array_equal(road.capacity, [1800, 1800, 1800])
    np.testing.assert_array_equal(road.alpha, [0.2, 0.2, 0.15])
    np.testing.assert_array_equal(road.beta, [3, 3, 4])
    np.testing.assert_allclose(road.speed, [60 / 3.6, 60 / 3.6, 40 / 3.6])
    np.testing.assert_allclose(road.length[:2], 5000)
    assert 5300 < road.length[2] < 7000
    np.testing.assert_allclose(road.free_flow_time, road.length / road.speed)
    assert list(road.road_class) == [CLASS_CODE[k] for k in ("primary", "primary", "secondary")]
    assert list(road.name) == ["东二环", "东二环", ""]
    assert road.shape_first is not None
    np.testing.assert_array_equal(np.diff(road.shape_first), [2, 2, 3])
    assert got.zones is not None
    np.testing.assert_array_equal(got.zones.zone_id, [1, 2])
    np.testing.assert_array_equal(got.zones.centroid, [0, 2])


def test_miles_and_mph_where_nothing_is_said(tmp_path: Path) -> None:
    road = gmns.read_network(folder(tmp_path, config=None)).road
    np.testing.assert_allclose(road.length[0], 5 * 1609.344)
    np.testing.assert_allclose(road.speed[0], 60 * 0.44704)


def test_written_and_read_back(tmp_path: Path) -> None:
    first = gmns.read_network(folder(tmp_path))
    gmns.write_network(first, tmp_path / "again")
    again = gmns.read_network(tmp_path / "again")
    for name in ("node_id", "node_lon", "node_lat", "link_id", "tail", "head", "road_class",
                 "alpha", "beta", "toll", "name", "shape_first", "node_through"):  # fmt: skip
        np.testing.assert_array_equal(getattr(again.road, name), getattr(first.road, name), name)
    for name in ("length", "free_flow_time", "capacity", "speed", "shape_lon", "shape_lat"):
        np.testing.assert_allclose(
            getattr(again.road, name), getattr(first.road, name), rtol=1e-12, err_msg=name
        )
    assert again.zones is not None
    assert first.zones is not None
    np.testing.assert_array_equal(again.zones.zone_id, first.zones.zone_id)
    np.testing.assert_array_equal(again.zones.centroid, first.zones.centroid)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("link_id,from_node_id", "link_id,origin", "no column from_node_id"),
        ("2,20,30,1", "2,20,99,1", "to_node_id: found node 99; expected a node of node.csv"),
        ("2,20,30,1", "two,20,30,1", "link_id: found 'two'"),
        ("2,20,30,1", "1,20,30,1", "more than once"),
        ("2,60,900", "2,60,-900", "capacity: found '-900'"),
        ("2,60,900", "2,60,0", "capacity: found 0; expected above 0"),
        ("2,60,900", "2,fast,900", "free_speed: found 'fast'"),
        ("2,60,900", "2,0,900", "no speed"),
        ("0.2,3", "-0.2,3", "vdf_alpha: found '-0.2'"),
        ("primary,2", "primary,nan", "lanes: found 'nan'"),
        ("LINESTRING (112.95", "LINE (112.95", "geometry: found"),
        (LINK, "", "an empty file"),
        (LINK, LINK.splitlines()[0] + "\n", "no links"),
    ],
)
def test_links_at_fault(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in LINK
    found = faults(folder(tmp_path, link=LINK.replace(old, new)))
    assert len(found) == 1, found
    assert said in found[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("x_coord", "x", "no column x_coord"),
        ("112.95", "east", "x_coord: found 'east'"),
        ("20,112.95", "10,112.95", "more than once"),
        ("20,112.95", "20.5,112.95", "node_id: found '20.5'"),
        ("28.10,2", "28.10,1", "more than once"),
        ("28.10,2", "28.10,one", "zone_id: found 'one'"),
    ],
)
def test_nodes_at_fault(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in NODE
    found = faults(folder(tmp_path, node=NODE.replace(old, new)))
    assert any(said in message for message in found), found


def test_units_at_fault(tmp_path: Path) -> None:
    found = faults(folder(tmp_path, config=CONFIG.replace("km,km/h", "li,knots")))
    assert len(found) == 2
    assert "long_length: found 'li'" in found[0]


def test_faults_are_listed_up_to_fifty(tmp_path: Path) -> None:
    head = LINK.splitlines()[0]
    rows = "\n".join(f"{k},10,99,1,1,primary,1,50,900,,,,," for k in range(80))
    found = faults(folder(tmp_path, link=f"{head}\n{rows}\n"))
    assert len(found) == 51


def test_is_gmns(tmp_path: Path) -> None:
    assert gmns.is_gmns(folder(tmp_path))
    assert not gmns.is_gmns(tmp_path)
