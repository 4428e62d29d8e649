"""Extracts that are broken on purpose give a finding or an error; no traceback, no hang."""

from __future__ import annotations

import bz2
import gzip
import io
import random
from pathlib import Path

import osmium
import pytest

from cczsim.errors import CczsimError
from cczsim.pipeline.networks import load_network, summary
from cczsim.pipeline.progress import Progress

NODES = (
    '<node id="1" lat="28.2" lon="112.9"/><node id="2" lat="28.2" lon="112.901"/>'
    '<node id="3" lat="28.201" lon="112.901"/>'
)
ROAD = '<tag k="highway" v="primary"/>'
TRAM = '<tag k="type" v="route"/><tag k="route" v="tram"/>'
BOMB = "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 10))


def way(ident: int, refs: list[int], tags: str = ROAD) -> str:
    return f'<way id="{ident}">{"".join(f"<nd ref={r}/>" for r in map(quote, refs))}{tags}</way>'


def quote(number: int) -> str:
    return f'"{number}"'


def osm(body: str, doctype: str = "") -> bytes:
    return f'<?xml version="1.0"?>{doctype}<osm version="0.6">{body}</osm>'.encode()


PLAIN = NODES + way(1, [1, 2]) + way(2, [2, 3])
MISSING = (
    '<relation id="1"><member type="way" ref="55" role="from"/><member type="node" ref="2" '
    'role="via"/><member type="way" ref="2" role="to"/><tag k="type" v="restriction"/>'
    '<tag k="restriction" v="no_left_turn"/></relation>'
    f'<relation id="2"><member type="way" ref="66" role=""/>{TRAM}</relation>'
)
NESTED = "".join(
    f'<relation id="{k}"><member type="relation" ref="{k + 1}" role=""/>{TRAM}</relation>'
    for k in range(1, 101)
)
FOUND = {
    "missing nodes": (osm(NODES + way(1, [1, 2, 99, 3]) + way(2, [2, 3])), "not in the extract, 1"),
    "missing members": (osm(PLAIN + MISSING), "1 from way is not in the extract"),
    "one node": (osm(PLAIN + way(3, [1])), "fewer than two nodes"),
    "antimeridian": (
        osm('<node id="1" lat="-17" lon="179.999"/><node id="2" lat="-17" lon="-179.999"/>'
            + way(1, [1, 2])), "antimeridian"),
    "a node twice": (osm(NODES + '<node id="2" lat="50" lon="10"/>' + way(1, [1, 2])),
                     "nodes whose id stood before, 1"),
    "a way twice": (osm(PLAIN + way(1, [1, 3])), "ways whose id stood before, 1"),
    "a relation twice": (osm(PLAIN + MISSING * 2), "relations whose id stood before, 2"),
    "nested routes": (osm(PLAIN + NESTED), "route=tram: 100 relations, 0 directed lines"),
    "a route within itself": (
        osm(PLAIN + f'<relation id="1"><member type="relation" ref="1" role=""/>{TRAM}</relation>'),
        "route=tram: 1 relations, 0 directed lines"),
    "no place": (osm('<node id="9"/>' + PLAIN), "without a valid place, 1"),
    "a node far away": (
        osm(NODES + '<node id="4" lat="0" lon="0"/>' + way(1, [1, 2, 4])), "may be misplaced"),
    "new objects": (osm(PLAIN.replace('id="', 'id="-').replace('ref="', 'ref="-')), "3 nodes"),
    "ways before nodes": (osm(way(1, [1, 2]) + NODES), "2 nodes, 2 directed links"),
    "words that are no speed": (osm(NODES + way(1, [1, 2], ROAD + '<tag k="maxspeed" v="fast"/>')),
                                "maxspeed is not understood on 1"),
}  # fmt: skip
REFUSED = {
    "empty.osm": (b"", "an empty file"),
    "nothing.osm": (osm(""), "no road, track or stop"),
    "no-nodes.osm": (osm(way(1, [7, 8])), "no road for cars"),
    "lone.osm": (osm(NODES + way(1, [1])), "no road for cars"),
    "text.osm": (b"hello", "damaged"),
    "unclosed.osm": (osm(PLAIN)[:-10], "break off"),
    "latin.osm": (osm(PLAIN).replace(b"primary", "caf\xe9".encode("latin-1")), "damaged"),
    "bomb.osm": (
        osm(NODES + way(1, [1, 2], '<tag k="highway" v="&a9;"/>'),
            f'<!DOCTYPE osm [<!ENTITY a0 "primary">{BOMB}]>'), "document type with entities"),
    "outside.osm": (
        osm(NODES + way(1, [1, 2], '<tag k="highway" v="&x;"/>'),
            '<!DOCTYPE osm [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "with entities"),
    "place.osm": (osm('<node id="9" lat="95" lon="500"/>' + PLAIN), "coordinate"),
    "ids.osm": (osm('<node id="99999999999999999999" lat="1" lon="1"/>' + PLAIN), "illegal id"),
    "large.osm": (osm(NODES + way(9 * 10**15, [1, 2])), "ids up to"),
    "truncated.osm.gz": (gzip.compress(osm(PLAIN))[:90], "gzip"),
    "no.osm.gz": (b"hello world", "damaged"),
    "empty.osm.gz": (gzip.compress(b""), "break off"),
    "truncated.osm.bz2": (bz2.compress(osm(PLAIN))[:90], "bzip2"),
    "random.osm.pbf": (bytes(range(256)) * 10, "PBF"),
}  # fmt: skip


def said(path: Path) -> str:
    return "\n".join(summary(load_network(path, Progress(stream=io.StringIO()))))


@pytest.mark.parametrize("name", FOUND)
def test_a_finding(tmp_path: Path, name: str) -> None:
    data, finding = FOUND[name]
    path = tmp_path / "a.osm"
    path.write_bytes(data)
    assert finding in said(path)
    # The same through the column reader.
    pbf = tmp_path / "a.osm.pbf"
    with osmium.SimpleWriter(str(pbf)) as writer:
        for item in osmium.FileProcessor(str(path)):
            writer.add(item)
    assert finding in said(pbf)


@pytest.mark.parametrize("name", REFUSED)
def test_an_error(tmp_path: Path, name: str) -> None:
    data, message = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(CczsimError, match=message):
        said(path)


@pytest.mark.data
def test_a_truncated_extract(data_dir: Path, tmp_path: Path) -> None:
    data = (data_dir / "osm/helsinki-centre.osm.pbf").read_bytes()
    path = tmp_path / "cut.osm.pbf"
    rng = random.Random(5)
    for size in [10, 100, *(rng.randrange(len(data)) for _ in range(5))]:
        path.write_bytes(data[:size])
        with pytest.raises(CczsimError, match=r"cut\.osm\.pbf"):
            said(path)
