"""TNTP: what is written is read back, and every line at fault is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cczsim.errors import InputError
from cczsim.io import tntp

HEAD = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 3
<FIRST THRU NODE> 3
<NUMBER OF LINKS> {links}
<ORIGINAL HEADER>~ Init Term
<END OF METADATA>

~ init term capacity length fft b power speed toll type ;
"""
LINKS = [
    "1 3 900.5 1.25 2 0.15 4 30 7 3 ;",
    "\t3\t2\t1e3\t0\t0.1\t0\t0\t0\t0\t1;",
    "2 1 5 1 1 1 1 0 0",
]


def net(tmp_path: Path, *links: str, head: str = HEAD, count: int | None = None) -> Path:
    path = tmp_path / "three_net.tntp"
    text = head.format(links=len(links) if count is None else count) + "\n".join(links) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def trips(
    tmp_path: Path, body: str, head: str = "<NUMBER OF ZONES> 2\n<END OF METADATA>\n"
) -> Path:
    path = tmp_path / "three_trips.tntp"
    path.write_text(head + body, encoding="utf-8")
    return path


def faults(call: object, *words: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        call(*words)  # type: ignore[operator]
    return [str(fault) for fault in caught.value.faults]


def test_network(tmp_path: Path) -> None:
    got = tntp.read_network(net(tmp_path, *LINKS))
    road = got.road
    assert got.info.name == "three"
    np.testing.assert_array_equal(road.node_id, [1, 2, 3])
    np.testing.assert_array_equal(road.node_through, [False, False, True])
    np.testing.assert_array_equal(road.tail, [0, 2, 1])
    np.testing.assert_array_equal(road.head, [2, 1, 0])
    np.testing.assert_array_equal(road.capacity, [900.5, 1000, 5])
    np.testing.assert_allclose(road.length, [1.25 * 1609.344, 0, 1609.344])
    np.testing.assert_allclose(road.free_flow_time, [120, 6, 60])
    np.testing.assert_array_equal(road.alpha, [0.15, 0, 1])
    np.testing.assert_array_equal(road.beta, [4, 0, 1])
    np.testing.assert_array_equal(road.toll, [7, 0, 0])
    assert got.zones is not None
    np.testing.assert_array_equal(got.zones.zone_id, [1, 2])
    other = tntp.read_network(net(tmp_path, *LINKS), time_unit_s=3600, length_unit_m=1000)
    np.testing.assert_allclose(other.road.free_flow_time, [7200, 360, 3600])
    np.testing.assert_allclose(other.road.length, [1250, 0, 1000])


def test_network_written_and_read_back(tmp_path: Path) -> None:
    first = tntp.read_network(net(tmp_path, *LINKS))
    tntp.write_network(first, tmp_path / "again_net.tntp")
    again = tntp.read_network(tmp_path / "again_net.tntp")
    for name in ("tail", "head", "capacity", "alpha", "beta", "toll", "node_through"):
        np.testing.assert_array_equal(getattr(again.road, name), getattr(first.road, name), name)
    for name in ("length", "free_flow_time"):
        np.testing.assert_allclose(
            getattr(again.road, name), getattr(first.road, name), rtol=1e-15, err_msg=name
        )


def test_network_that_tntp_cannot_say(tmp_path: Path) -> None:
    first = tntp.read_network(net(tmp_path, *LINKS))
    road = first.road.replace(node_through=np.array([True, False, True]))
    with pytest.raises(InputError, match="GMNS"):
        tntp.write_network(first.replace(road=road), tmp_path / "x_net.tntp")


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("1 3 -900 1 2 0.15 4 0 0 1 ;", "capacity -900; expected above 0"),
        ("1 3 0 1 2 0.15 4 0 0 1 ;", "capacity 0; expected above 0"),
        ("1 3 900 -1 2 0.15 4 0 0 1 ;", "length -1; expected at least 0"),
        ("1 3 900 1 -2 0.15 4 0 0 1 ;", "free_flow_time -2; expected at least 0"),
        ("1 3 900 1 2 -0.15 4 0 0 1 ;", "b -0.15; expected at least 0"),
        ("1 3 900 1 nan 0.15 4 0 0 1 ;", "free_flow_time nan; expected a finite number"),
        ("1 3 inf 1 2 0.15 4 0 0 1 ;", "capacity inf; expected a finite number"),
        ("1 4 900 1 2 0.15 4 0 0 1 ;", "term_node 4; expected a node from 1 to 3"),
        ("0 3 900 1 2 0.15 4 0 0 1 ;", "init_node 0; expected a node from 1 to 3"),
        ("1.5 3 900 1 2 0.15 4 0 0 1 ;", "init_node 1.5; expected a node from 1 to 3"),
        ("1 3 900 1 2 0.15", "expected numbers for init_node"),
        ("1 3 900 one 2 0.15 4 0 0 1 ;", "expected numbers for init_node"),
    ],
)
def test_each_link_at_fault_is_named(link: str, said: str, tmp_path: Path) -> None:
    path = net(tmp_path, LINKS[0], link)
    (message,) = faults(tntp.read_network, path)
    assert message.startswith(f"{path}:10: ")
    assert said in message


def test_all_faults_at_once_up_to_fifty(tmp_path: Path) -> None:
    bad = "1 3 -900 1 2 0.15 4 0 0 1 ;"
    assert len(faults(tntp.read_network, net(tmp_path, bad, LINKS[0], bad))) == 2
    many = faults(tntp.read_network, net(tmp_path, *[bad] * 80))
    assert len(many) == 51
    assert "more faults" in many[-1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<NUMBER OF ZONES> 2", "", "no <NUMBER OF ZONES>"),
        ("<NUMBER OF NODES> 3", "<NUMBER OF NODES> three", "<NUMBER OF NODES> 'three'"),
        ("<NUMBER OF ZONES> 2", "<NUMBER OF ZONES> 9", "9 zones and 3 nodes"),
        ("<FIRST THRU NODE> 3", "<FIRST THRU NODE> -1", "<FIRST THRU NODE> '-1'"),
    ],
)
def test_head_at_fault(old: str, new: str, said: str, tmp_path: Path) -> None:
    (message,) = faults(tntp.read_network, net(tmp_path, *LINKS, head=HEAD.replace(old, new)))
    assert said in message


def test_cut_off_network(tmp_path: Path) -> None:
    (message,) = faults(tntp.read_network, net(tmp_path, *LINKS, count=5))
    assert "3 links; expected 5" in message
    assert "cut off" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"\x00\xff\xfe\x9c", "no UTF-8"), (b"hello\n", "no <NUMBER OF ZONES>")],
)
def test_what_is_no_network(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x_net.tntp"
    path.write_bytes(content)
    assert said in faults(tntp.read_network, path)[0]
    assert "no such file" in faults(tntp.read_network, tmp_path / "nowhere_net.tntp")[0]
    assert "a folder" in faults(tntp.read_network, tmp_path)[0]


def test_node_places(tmp_path: Path) -> None:
    path = net(tmp_path, *LINKS)
    beside = tmp_path / "three_node.tntp"
    beside.write_text("Node X Y ;\n1 112.9 28.1 ;\n3 113.0 28.2 ;\n2 112.95 28 ;\n", "utf-8")
    np.testing.assert_array_equal(tntp.read_network(path).road.node_lon, [112.9, 112.95, 113.0])
    # Feet in a state plane are no degrees, and a missing node leaves the map without places.
    beside.write_text("node\tX\tY\t;\n1 50000 320000 ;\n2 1 2 ;\n3 4 5;\n", "utf-8")
    assert np.isnan(tntp.read_network(path).road.node_lon).all()
    beside.write_text("1 112.9 28.1\n4 1 1\n2 east 28\n", "utf-8")
    assert len(faults(tntp.read_network, path)) == 2


def test_trips_written_and_read_back(tmp_path: Path) -> None:
    matrix = np.array([[0.1 + 0.2, 0, 3e-7], [0, 0, 1e6 / 3], [0, 0, 0]])
    tntp.write_trips(matrix, tmp_path / "t_trips.tntp")
    np.testing.assert_array_equal(tntp.read_trips(tmp_path / "t_trips.tntp", 3), matrix)


def test_trips_given_twice_add_up(tmp_path: Path) -> None:
    path = trips(tmp_path, "Origin 1\n 1 : 2; 2 : 3;\n 2 : 0.5;\nOrigin  2 \n 1:4;2 :5 ;\n")
    np.testing.assert_array_equal(tntp.read_trips(path, 2), [[2, 3.5], [4, 5]])


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("Origin 3\n", 3, "'Origin 3'; expected Origin and a zone from 1 to 2"),
        ("Origin 1\n 3 : 5;\n", 4, "destination 3; expected a zone from 1 to 2"),
        ("Origin 1\n 2 : nan;\n", 4, "nan trips; expected a finite number"),
        ("Origin 1\n 2 : -5;\n", 4, "-5 trips; expected a finite number of at least 0"),
        ("Origin 1\n 2 5;\n", 4, "'2 5'; expected destination : trips"),
        ("Origin 1\n 2 : five;\n", 4, "expected destination : trips"),
        (" 2 : 5;\n", 3, "expected an Origin line before it"),
    ],
)
def test_each_trip_at_fault_is_named(body: str, line: int, said: str, tmp_path: Path) -> None:
    path = trips(tmp_path, body)
    (message,) = faults(tntp.read_trips, path, 2)
    assert message.startswith(f"{path}:{line}: ")
    assert said in message


def test_trip_tables_that_do_not_hold_together(tmp_path: Path) -> None:
    assert "no trips" in faults(tntp.read_trips, trips(tmp_path, ""), 2)[0]
    path = trips(tmp_path, "Origin 1\n2 : 5;\n")
    assert "2 zones; expected 3" in faults(tntp.read_trips, path, 3)[0]
    head = "<NUMBER OF ZONES> 2\n<TOTAL OD FLOW> 100\n<END OF METADATA>\n"
    (message,) = faults(tntp.read_trips, trips(tmp_path, "Origin 1\n2 : 50;\n", head), 2)
    assert "add up to 50" in message
    assert "cut off" in message


def test_flows(tmp_path: Path) -> None:
    path = tmp_path / "x_flow.tntp"
    path.write_text("From \tTo \tVolume \tCost \n1 \t2 \t4494.5 \t6.0 \n~ x\n2 1 3 4\n", "utf-8")
    np.testing.assert_array_equal(tntp.read_flows(path), [[1, 2, 4494.5, 6], [2, 1, 3, 4]])
    path.write_text("1 2 x 4\n", "utf-8")
    assert faults(tntp.read_flows, path)[0].startswith(f"{path}:1: ")


@pytest.mark.data
@pytest.mark.parametrize(
    "stem",
    ["SiouxFalls/SiouxFalls", "Anaheim/Anaheim", "Braess-Example/Braess",
     "Berlin-Center/berlin-center"],
)  # fmt: skip
def test_published_files_survive_a_round_trip(stem: str, data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "tntp" / f"{stem}_net.tntp"
    first = tntp.read_network(source)
    tntp.write_network(first, tmp_path / "a_net.tntp")
    again = tntp.read_network(tmp_path / "a_net.tntp")
    assert first.zones is not None
    for name in ("tail", "head", "capacity", "alpha", "beta", "toll", "node_through"):
        np.testing.assert_array_equal(getattr(again.road, name), getattr(first.road, name), name)
    np.testing.assert_allclose(again.road.free_flow_time, first.road.free_flow_time, rtol=1e-15)
    table = tntp.read_trips(Path(str(source).replace("_net", "_trips")), first.zones.n_zones)
    tntp.write_trips(table, tmp_path / "a_trips.tntp")
    np.testing.assert_array_equal(
        tntp.read_trips(tmp_path / "a_trips.tntp", first.zones.n_zones), table
    )
