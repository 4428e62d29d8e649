from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from cczsim.errors import InputError
from cczsim.io.osm_file import read_osm
from cczsim.io.osmnx_graph import from_graph, to_graph
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.osm.extract import ExtractMaker
from cczsim.osm.road_build import build_roads

XML = """<osm version="0.6">
 <node id="1" lat="28.10" lon="112.90"/><node id="2" lat="28.101" lon="112.901"/>
 <node id="3" lat="28.10" lon="112.902"/><node id="4" lat="28.10" lon="112.91"/>
 <node id="5" lat="28.11" lon="112.90"/><node id="6" lat="28.11" lon="112.91"/>
 <way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/>
  <tag k="lanes" v="4"/><tag k="maxspeed" v="60"/><tag k="name" v="芙蓉路"/></way>
 <way id="11"><nd ref="3"/><nd ref="4"/><tag k="highway" v="secondary"/>
  <tag k="oneway" v="yes"/><tag k="lanes" v="3"/></way>
 <way id="12"><nd ref="4"/><nd ref="1"/><tag k="highway" v="residential"/></way>
 <way id="13"><nd ref="5"/><nd ref="1"/><tag k="highway" v="residential"/></way>
 <way id="14"><nd ref="4"/><nd ref="6"/><tag k="highway" v="residential"/></way>
</osm>"""


def same(one: RoadNetwork, two: RoadNetwork) -> None:
    for name in one.specs():
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


def two_nodes(**edge: Any) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph(crs="epsg:4326")
    graph.add_node(1, x=112.9, y=28.1)
    graph.add_node(2, x=112.91, y=28.1)
    graph.add_edge(1, 2, **edge)
    return graph


def test_round_trip_by_hand() -> None:
    maker = ExtractMaker()
    for node in range(1, 8):
        maker.add_node(node, 112.9 + node % 3 / 1000, 28.1 + node / 1000)
    maker.add_way(1, [1, 2, 3, 4], {"highway": "primary", "lanes": "3", "name": "五一大道"})
    maker.add_way(2, [3, 5], {"highway": "motorway", "tunnel": "yes"})
    maker.add_way(3, [5, 6, 7, 5], {"highway": "residential"})
    maker.add_way(4, [5, 3], {"highway": "service", "oneway": "-1"})
    road = build_roads(maker.extract()).road
    road = road.replace(toll=np.arange(road.n_links), node_through=np.arange(road.n_nodes) % 2)
    same(road, from_graph(to_graph(road)))


@pytest.mark.data
def test_round_trip_and_osmnx_accepts(data_dir: Path) -> None:
    import osmnx

    road = build_roads(read_osm(data_dir / "osm/changsha-northeast.osm.pbf")).road
    graph = to_graph(road)
    same(road, from_graph(graph))
    nodes, edges = osmnx.graph_to_gdfs(graph)
    assert len(nodes) == road.n_nodes
    assert len(edges) == road.n_links
    assert edges["length"].sum() == pytest.approx(road.length.sum())
    streets = osmnx.basic_stats(graph)["street_length_total"]
    once = (road.reverse_link == NO_LINK) | (road.reverse_link > np.arange(road.n_links))
    assert streets == pytest.approx(road.length[once].sum(), rel=1e-9)
    again = osmnx.graph_from_gdfs(nodes, edges, graph_attrs=graph.graph)
    assert again.number_of_edges() == road.n_links


def test_graph_of_osmnx_comes_in(tmp_path: Path) -> None:
    import osmnx

    path = tmp_path / "a.osm"
    path.write_text(XML, encoding="utf-8")
    graph = osmnx.graph_from_xml(path, simplify=True, retain_all=True)
    for given in (graph, osmnx.project_graph(graph)):
        road = from_graph(given)
        assert road.node_id.tolist() == list(given.nodes)
        link = {
            (int(road.node_id[t]), int(road.node_id[h])): row
            for row, (t, h) in enumerate(zip(road.tail, road.head, strict=True))
        }
        ahead, back = link[1, 3], link[3, 1]
        assert road.reverse_link[[ahead, back]].tolist() == [back, ahead]
        assert road.lanes[[ahead, back]].tolist() == [2, 2]
        assert road.speed[ahead] * 3.6 == pytest.approx(60)
        assert road.name[ahead] == "芙蓉路"
        assert road.way_id[ahead] == 10
        alone = link[3, 4]
        assert road.reverse_link[alone] == NO_LINK
        assert road.lanes[alone] == 3
        assert road.speed_source[alone] == Source.DEFAULT
        first, lon, lat = road.shapes()
        assert np.diff(first)[ahead] == 3
        assert lon[first[ahead]] == pytest.approx(112.9, abs=1e-7)
        assert lat[first[ahead]] == pytest.approx(28.1, abs=1e-7)


def test_plain_graphs() -> None:
    graph = nx.Graph()
    graph.add_node("a", x=112.9, y=28.1)
    graph.add_node("b", x=112.91, y=28.1)
    graph.add_edge("a", "b", highway="tertiary")
    road = from_graph(graph)
    assert road.node_id.tolist() == [1, 2]
    assert road.reverse_link.tolist() == [1, 0]
    assert road.oneway_source.tolist() == [Source.DEFAULT] * 2
    assert road.length[0] == pytest.approx(982.71, abs=0.01)  # a cos f / sqrt(1 - e2 sin2 f)


def test_lists_from_simplified_graphs() -> None:
    graph = two_nodes(
        highway=["residential", "secondary"], osmid=[7, 5], lanes=["3", "2"],
        maxspeed=["60", "40"], name=["A", "B"], length=1000.0, oneway=True,
    )  # fmt: skip
    road = from_graph(graph)
    assert road.road_class.tolist() == [CLASS_CODE["secondary"]]
    assert road.way_id.tolist() == [5]
    assert road.lanes.tolist() == [2]
    assert road.speed[0] * 3.6 == pytest.approx(40)
    assert road.name.tolist() == ["A;B"]
    assert road.lanes_source.tolist() == [Source.DERIVED]


def test_unknown_class_takes_the_defaults_of_other() -> None:
    road = from_graph(two_nodes(highway="moonway"))
    assert road.road_class.tolist() == [CLASS_CODE["other"]]
    assert from_graph(two_nodes()).class_source.tolist() == [Source.DEFAULT]


def test_all_bad_nodes_are_named() -> None:
    graph = two_nodes()
    graph.add_node(3)
    graph.nodes[1]["x"] = math.nan
    with pytest.raises(InputError) as caught:
        from_graph(graph)
    assert [fault.where for fault in caught.value.faults] == ["graph: node 1", "graph: node 3"]


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (nx.MultiDiGraph(), "no edges"),
        ("a graph", "str"),
        (two_nodes(length=-1), "at least 0"),
        (two_nodes(length="long"), "at least 0"),
        (two_nodes(geometry="LINESTRING"), "a line of points"),
    ],
)
def test_bad_graphs(graph: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        from_graph(graph)


def test_projected_without_saying_so() -> None:
    graph = two_nodes()
    graph.nodes[1]["x"] = 692_000.0
    with pytest.raises(InputError, match="outside"):
        from_graph(graph)
    graph.graph["crs"] = "the moon"
    with pytest.raises(InputError, match="PROJ"):
        from_graph(graph)


def test_network_without_coordinates_stays() -> None:
    road = from_graph(two_nodes())
    nowhere = road.replace(node_lon=np.full(2, np.nan), shape_first=None, shape_lon=None,
                           shape_lat=None)  # fmt: skip
    with pytest.raises(InputError, match="without coordinates"):
        to_graph(nowhere)
