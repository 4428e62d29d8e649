"""Files that Overpass servers write: the same extract whatever the form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cczsim.errors import InputError
from cczsim.io.osm_file import read_osm
from cczsim.osm.rail_build import build_rail
from cczsim.osm.road_build import build_roads
from cczsim.osm.route_lines import RouteSettings, build_routes

PLACES = {k: (round(112.9 + k / 100, 7), 28.1) for k in range(1, 5)}
STOP = {"railway": "station", "station": "subway"}


def elements(geometry: bool = False) -> list[dict[str, Any]]:
    """A street, a track, and a metro line over it; points with the ways where asked for."""
    nodes = [
        {"type": "node", "id": k, "lon": x, "lat": y,
         **({"tags": {**STOP, "name": f"站{k}"}} if k in (1, 4) else {})}
        for k, (x, y) in PLACES.items()
    ]  # fmt: skip
    ways = [
        {"type": "way", "id": 10 + k, "nodes": [1, 2, 3, 4], "tags": tags}
        for k, tags in enumerate(({"highway": "primary"}, {"railway": "subway"}))
    ]
    if geometry:
        nodes = [node for node in nodes if "tags" in node]
        for way in ways:
            way["geometry"] = [{"lon": x, "lat": y} for x, y in PLACES.values()]
    members = [
        {"type": "node", "ref": 1, "role": "stop"}, {"type": "node", "ref": 4, "role": "stop"},
        {"type": "way", "ref": 11, "role": ""},
    ]  # fmt: skip
    tags = {"type": "route", "route": "subway", "ref": "1", "public_transport:version": "2"}
    return [*nodes, *ways, {"type": "relation", "id": 20, "members": members, "tags": tags}]


def written(path: Path, given: Any) -> Path:
    path.write_text(json.dumps(given, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.mark.parametrize("geometry", [False, True])
def test_a_file_with_a_route(tmp_path: Path, geometry: bool) -> None:
    given = {"version": 0.6, "generator": "Overpass API", "elements": elements(geometry)}
    extract = read_osm(written(tmp_path / "export.json", given))
    assert extract.node_id.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(extract.node_lon, [x for x, _ in PLACES.values()])
    assert build_roads(extract).road.n_links == 2
    lines = build_routes(extract, build_rail(extract), RouteSettings())
    assert lines.transit.n_lines == 1
    assert lines.transit.stop_name[lines.transit.line_stop].tolist() == ["站1", "站4"]
    assert lines.transit.run_length[0] > 2900.0


def test_the_same_as_xml(tmp_path: Path) -> None:
    parts = [
        '<?xml version="1.0"?><osm version="0.6" generator="Overpass API">',
        '<note>ODbL</note><meta osm_base="2026-01-01T00:00:00Z"/>',
    ]
    for item in elements():
        inner = "".join(f'<tag k="{k}" v="{v}"/>' for k, v in item.get("tags", {}).items())
        if item["type"] == "node":
            parts.append(
                f'<node id="{item["id"]}" lat="{item["lat"]}" lon="{item["lon"]}">{inner}</node>'
            )
        elif item["type"] == "way":
            refs = "".join(f'<nd ref="{ref}"/>' for ref in item["nodes"])
            parts.append(f'<way id="{item["id"]}">{refs}{inner}</way>')
        else:
            members = "".join(
                f'<member type="{m["type"]}" ref="{m["ref"]}" role="{m["role"]}"/>'
                for m in item["members"]
            )
            parts.append(f'<relation id="{item["id"]}">{members}{inner}</relation>')
    (tmp_path / "export.osm").write_text("".join(parts) + "</osm>", encoding="utf-8")
    xml = read_osm(tmp_path / "export.osm")
    data = read_osm(written(tmp_path / "export.json", {"elements": elements()}))
    for name in xml.specs():
        if name not in ("word", "member_role") and "_tag_" not in name:
            np.testing.assert_allclose(
                getattr(xml, name), getattr(data, name), rtol=1e-15, err_msg=name
            )
    roles = [[item.words[k] for k in item.member_role] for item in (xml, data)]
    assert roles[0] == roles[1]
    for kind in ("node", "way", "relation"):
        for key in ("name", "highway", "railway", "route", "ref"):
            assert xml.tag_texts(kind, key) == data.tag_texts(kind, key)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("{", "no JSON"),
        ("[" * 5000, "no JSON"),
        ('{"type": "FeatureCollection", "features": []}', "list of elements"),
        ('{"elements": [], "remark": "runtime error: Query timed out"}', "timed out"),
        ('{"elements": [{"type": "way"}]}', "cannot be read"),
        ('{"elements": [{"type": "node", "id": 1, "lat": "x", "lon": 1}]}', "cannot be read"),
        ('{"elements": [7]}', "cannot be read"),
        ('{"elements": []}', "no road, track or stop"),
    ],
)
def test_what_is_no_whole_answer_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_osm(path)
