from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pytest

from cczsim.errors import InputError
from cczsim.io.osm_file import read_osm
from cczsim.osm.rail_build import build_rail
from cczsim.osm.road_build import build_roads

XML = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6" generator="hand">
 <node id="1" lat="28.10" lon="112.90"/>
 <node id="2" lat="28.11" lon="112.90"><tag k="highway" v="traffic_signals"/></node>
 <node id="3" lat="28.12" lon="112.90"/>
 <node id="7" lat="28.13" lon="112.95"><tag k="railway" v="station"/>
  <tag k="station" v="subway"/><tag k="name" v="五一广场"/></node>
 <node id="8" lat="28.13" lon="112.96"><tag k="amenity" v="bench"/></node>
 <way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="99"/>
  <tag k="highway" v="primary"/><tag k="name" v="芙蓉中路"/></way>
 <way id="11"><nd ref="1"/><nd ref="3"/><tag k="building" v="yes"/></way>
 <relation id="5"><member type="way" ref="10" role="from"/><member type="node" ref="2" role="via"/>
  <member type="way" ref="10" role="to"/><tag k="type" v="restriction"/>
  <tag k="restriction" v="no_u_turn"/></relation>
 <relation id="6"><member type="way" ref="11" role="outer"/><tag k="type" v="boundary"/></relation>
</osm>
"""


@pytest.mark.parametrize("suffix", [".osm", ".osm.gz", ".osm.bz2"])
def test_text_formats(tmp_path: Path, suffix: str) -> None:
    pack = {".osm": bytes, ".osm.gz": gzip.compress, ".osm.bz2": bz2.compress}[suffix]
    path = tmp_path / f"芙蓉{suffix}"
    path.write_bytes(pack(XML.encode()))
    extract = read_osm(path)
    assert extract.way_id.tolist() == [10]
    assert extract.node_id.tolist() == [1, 2, 3, 7]
    assert extract.relation_id.tolist() == [5]
    assert extract.tag_texts("way", "name") == ["芙蓉中路"]
    assert extract.tag_texts("node", "highway") == ["", "traffic_signals", "", ""]
    assert extract.left_out == {
        "way": {"none of the tags highway, railway, public_transport": 1},
        "relation": {"type=boundary": 1},
        "way_ref": {"node not in the extract": 1},
    }
    assert build_rail(extract).transit.stop_name.tolist() == ["五一广场"]


def test_pbf_is_the_same_as_text(tmp_path: Path) -> None:
    import osmium

    text, pbf = tmp_path / "a.osm", tmp_path / "a.osm.pbf"
    text.write_text(XML, encoding="utf-8")
    with osmium.SimpleWriter(str(pbf)) as writer:
        for item in osmium.FileProcessor(str(text)):
            writer.add(item)
    one, two = read_osm(text), read_osm(pbf)
    for name, spec in one.specs().items():
        if spec.dim == "word":
            continue
        columns = [getattr(each, name) for each in (one, two)]
        if spec.index_of == "word":  # in which order words are met is no matter
            columns = [e.word[column] for e, column in zip((one, two), columns, strict=True)]
        assert columns[0].tolist() == columns[1].tolist(), name


def test_unsorted_text_with_negative_ids(tmp_path: Path) -> None:
    path = tmp_path / "edited.osm"
    path.write_text(
        '<osm version="0.6"><way id="-10"><nd ref="-1"/><nd ref="5"/>'
        '<tag k="highway" v="road"/></way>'
        '<node id="-1" lat="28.1" lon="112.9"/><node id="5" lat="28.2" lon="112.9"/></osm>'
    )
    road = build_roads(read_osm(path)).road
    assert road.node_id.tolist() == [-1, 5]
    assert road.way_id.tolist() == [-10, -10]
    assert len(set(road.link_id.tolist())) == 2


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.osm.pbf", b"", "an empty file"),
        ("b.osm.pbf", b"hello world " * 90, "OpenStreetMap file"),
        ("c.osm", b'<osm version="0.6"><node id="1" lat="1"', "break off"),
        ("d.osm.gz", b"\x1f\x8b\x08\x00broken", "break off"),
        ("e.osm.bz2", b"no bzip", "break off"),
        ("f.osm", b'<osm version="0.6"></osm>', "no road, track or stop"),
        ("g.txt", b"x", "'.txt'"),
        ("i.osm", b'<osm version="0.6"><node id="1" lat="x" lon="1"/></osm>', "coordinate"),
        ("h.osm", b"<html>not found</html>", "break off"),
    ],
)
def test_bad_files_are_refused_by_name(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_osm(path)
    assert len(caught.value.faults) == 1
    assert name in str(caught.value)
    assert said in str(caught.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_osm(tmp_path / "x.osm.pbf")
    with pytest.raises(InputError, match="a folder"):
        read_osm(tmp_path)


@pytest.mark.data
@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_truncated_pbf(tmp_path: Path, data_dir: Path, share: float) -> None:
    whole = (data_dir / "osm/changsha-northeast.osm.pbf").read_bytes()
    path = tmp_path / "half.osm.pbf"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"half\.osm\.pbf"):
        read_osm(path)


def test_box_ends_ways_at_the_last_node_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.osm"
    path.write_text(XML, encoding="utf-8")
    extract = read_osm(path, bbox=(112.8, 28.0, 113.0, 28.115))
    assert extract.node_id.tolist() == [1, 2]
    assert build_roads(extract).road.n_links == 2
    assert extract.left_out["node"] == {"outside the box": 2}
    with pytest.raises(InputError, match="no node inside"):
        read_osm(path, bbox=(10, 50, 11, 51))
    with pytest.raises(InputError, match="west < east"):
        read_osm(path, bbox=(113, 28, 112, 29))
