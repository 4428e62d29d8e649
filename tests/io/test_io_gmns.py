"""GMNS folders: what is written is read back, and every row at fault is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cczsim.errors import CczsimError
from cczsim.io import gmns
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.turns import turns_from

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


def crossing() -> Network:
    """Four streets that meet at node 0, with a forbidden turn, a slow one and one over a link."""
    ends = np.array([[0, 1], [1, 0], [0, 2], [2, 0], [0, 3], [3, 0], [0, 4], [4, 0]])
    n = len(ends)
    road = RoadNetwork(
        node_id=np.arange(5), node_lon=[113.0, 113.01, 113.0, 112.99, 113.0],
        node_lat=[28.0, 28.0, 28.01, 28.0, 27.99], link_id=np.arange(n) + 1, tail=ends[:, 0],
        head=ends[:, 1], road_class=np.full(n, 4), length=np.full(n, 1000.0),
        free_flow_time=np.full(n, 100.0), capacity=np.full(n, 1000.0), speed=np.full(n, 10.0),
        lanes=np.ones(n), reverse_link=np.arange(n) ^ 1, control=np.full(n, 6),
    )  # fmt: skip
    turns = turns_from([[1, 2], [1, 6], [1, 4, 5]], np.array([np.inf, 12.5, np.inf]))
    return Network(NetworkInfo("crossing"), road, turns=turns)


def test_turns_are_written_as_movements_and_read_back(tmp_path: Path) -> None:
    network = crossing()
    assert gmns.write_network(network, tmp_path / "out") == 1, "the rule over three links"
    rows = (tmp_path / "out" / "movement.csv").read_text(encoding="utf-8").splitlines()
    assert rows[1:] == [
        "1,0,2,1,uturn,0.0,signal", "2,0,2,5,thru,0.0,signal", "3,0,2,7,left,12.5,signal",
    ]  # fmt: skip
    again = gmns.read_network(tmp_path / "out").turns
    assert again is not None
    rules = {tuple(again.links_of(k)): again.penalty[k] for k in range(again.n_turns)}
    assert rules == {(1, 2): np.inf, (1, 6): 12.5}
    gmns.write_network(network.replace(turns=None), tmp_path / "out")
    assert gmns.read_network(tmp_path / "out").turns is None


def test_movements_at_fault_are_named(tmp_path: Path) -> None:
    path = tmp_path / "out"
    gmns.write_network(crossing(), path)
    (path / "movement.csv").write_text(
        "mvmt_id,node_id,ib_link_id,ob_link_id,type,penalty\n1,0,2,99,left,\n2,0,2,4,left,1\n"
        "3,0,2,5,thru,-3\n4,0,,5,thru,\n", encoding="utf-8",
    )  # fmt: skip
    found = faults(path)
    assert [text.split(": ")[0].rsplit(":", 1)[1] for text in found] == ["2", "3", "4", "5"]


def test_movements_of_a_street_that_is_not_directed(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "movement.csv").write_text(
        "mvmt_id,node_id,ib_link_id,ob_link_id,type,penalty\n1,20,1,2,thru,0\n", encoding="utf-8"
    )
    turns = gmns.read_network(path).turns
    assert turns is not None
    assert [turns.links_of(k) for k in range(turns.n_turns)] == [[0, 1]], "no way back at 20"
