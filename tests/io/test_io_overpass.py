"""A small Overpass and Nominatim server on this machine answers from an extract."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cczsim.errors import InputError
from cczsim.io.osm_file import read_osm
from cczsim.io.overpass import fetch_extract
from cczsim.osm.extract import ExtractMaker, OsmExtract
from cczsim.osm.rail_build import build_rail
from cczsim.osm.road_build import build_roads

Answer = tuple[int, bytes]
TINY_BOX = (112.8, 28.0, 113.0, 28.4)


def tiny() -> OsmExtract:
    maker = ExtractMaker()
    for node in range(1, 6):
        maker.add_node(node, 112.9, 28.1 + node / 100)
    maker.add_node(6, 112.95, 28.2, [("railway", "station"), ("name", "长沙站")])
    maker.add_way(1, [1, 2, 3], {"highway": "primary", "name": "芙蓉路", "lanes:forward": "2"})
    maker.add_way(2, [3, 4], {"highway": "primary", "oneway": "-1", "maxspeed": "30 mph"})
    maker.add_way(3, [4, 5], {"railway": "rail"})
    return maker.extract()


def as_overpass_json(extract: OsmExtract) -> bytes:
    elements: list[dict[str, Any]] = []
    words = [str(word) for word in extract.word]
    for kind, ids in (("node", extract.node_id), ("way", extract.way_id)):
        first = getattr(extract, f"{kind}_tag_first")
        keys, values = getattr(extract, f"{kind}_tag_key"), getattr(extract, f"{kind}_tag_value")
        for row, number in enumerate(ids.tolist()):
            item: dict[str, Any] = {"type": kind, "id": number}
            if kind == "node":
                item |= {"lon": extract.node_lon[row], "lat": extract.node_lat[row]}
            else:
                refs = extract.way_ref_first[row : row + 2]
                item["nodes"] = extract.way_ref[refs[0] : refs[1]].tolist()
            tags = {words[keys[k]]: words[values[k]] for k in range(first[row], first[row + 1])}
            elements.append(item | ({"tags": tags} if tags else {}))
    return json.dumps({"version": 0.6, "elements": elements}).encode()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    @contextmanager
    def server(post: Answer, get: Answer = (404, b"")) -> Iterator[tuple[str, list[str]]]:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def _answer(self, answer: Answer) -> None:
                self.send_response(answer[0])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])

            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                asked.append(f"{self.path} {self.rfile.read(size).decode()}")
                self._answer(post)

            def do_GET(self) -> None:
                asked.append(self.path)
                self._answer(get)

            def log_message(self, *_: object) -> None:
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}", asked
        finally:
            http.shutdown()
            thread.join()
            http.server_close()

    return server


def test_box_with_raw_tags(serve: Callable[..., Any]) -> None:
    import osmnx

    before = (osmnx.settings.overpass_url, osmnx.settings.use_cache)
    with serve((200, as_overpass_json(tiny()))) as (url, asked):
        extract = fetch_extract(TINY_BOX, f"{url}/api/", timeout=10)
    assert len(asked) == 1
    assert asked[0].startswith("/api/interpreter data=")
    assert "highway" in asked[0]
    assert (osmnx.settings.overpass_url, osmnx.settings.use_cache) == before
    road = build_roads(extract).road
    assert road.lanes.tolist() == [2, 3, 3]
    assert road.speed[2] == pytest.approx(30 * 0.44704)
    assert road.node_id[road.tail].tolist() == [1, 3, 4]
    assert build_rail(extract).transit.stop_name.tolist() == ["长沙站"]
    assert build_rail(extract).transit.track_way_id.tolist() == [3]


def test_ways_end_at_the_edge_of_the_box(serve: Callable[..., Any]) -> None:
    with serve((200, as_overpass_json(tiny()))) as (url, _):
        extract = fetch_extract((112.8, 28.0, 113.0, 28.125), url, timeout=10)
    assert extract.node_id.tolist() == [1, 2]
    assert extract.left_out["way_ref"] == {"node not in the extract": 1}


def test_place_name(serve: Callable[..., Any]) -> None:
    ring = [[112.8, 28.0], [113.0, 28.0], [113.0, 28.4], [112.8, 28.4], [112.8, 28.0]]
    found = [
        {"lat": "28.2", "lon": "112.9", "importance": 0.5, "display_name": "长沙",
         "boundingbox": ["28.0", "28.4", "112.8", "113.0"],
         "geojson": {"type": "Polygon", "coordinates": [ring]}}
    ]  # fmt: skip
    geocoder = (200, json.dumps(found).encode())
    with serve((200, as_overpass_json(tiny())), geocoder) as (url, asked):
        extract = fetch_extract("长沙市, 中国", url, nominatim_url=url, timeout=10)
    assert asked[0].startswith("/search?")
    assert extract.n_ways == 3


def test_place_not_known(serve: Callable[..., Any]) -> None:
    with (
        serve((500, b""), (200, b"[]")) as (url, _),
        pytest.raises(InputError, match="no polygon for the place 'Nowhere'"),
    ):
        fetch_extract("Nowhere", url, nominatim_url=url, timeout=10)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((504, b"{}"), "status 504"),
        ((429, b"{}"), "status 429"),
        ((404, b"no"), "status 404"),
        ((200, b"<html>"), "Overpass JSON"),
        ((200, b"[]"), "Overpass JSON"),
        ((200, b'{"elements": [], "remark": "runtime error: out of memory"}'), "out of memory"),
        ((200, b'{"elements": []}'), "no road, track or stop"),
        ((200, b'{"elements": [{"type": "node", "id": 1}]}'), "cannot be read"),
        ((200, b'{"elements": [{"type": "node", "id": 1, "lat": 99, "lon": 0}]}'), "node_lat"),
    ],
)
def test_bad_answers(serve: Callable[..., Any], answer: Answer, said: str) -> None:
    with serve(answer) as (url, _), pytest.raises(InputError) as caught:
        fetch_extract(TINY_BOX, url, timeout=10)
    assert said in str(caught.value)
    assert url in str(caught.value)


def test_unreachable_server(serve: Callable[..., Any]) -> None:
    with serve((200, b"")) as (url, _):
        pass
    with pytest.raises(InputError, match="check the address") as caught:
        fetch_extract(TINY_BOX, url, timeout=5)
    assert url in str(caught.value)


@pytest.mark.parametrize("box", [(113.0, 28.0, 112.0, 29.0), (0.0, -91.0, 1.0, 0.0)])
def test_bad_box(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(InputError, match="west < east"):
        fetch_extract(box, "http://127.0.0.1:9")


def test_bad_address() -> None:
    with pytest.raises(InputError, match="http://"):
        fetch_extract(TINY_BOX, "overpass.example.org")


@pytest.mark.data
def test_same_kilometres_as_the_file(serve: Callable[..., Any], data_dir: Path) -> None:
    extract = read_osm(data_dir / "osm/changsha-northeast.osm.pbf")
    box = (
        float(extract.node_lon.min()), float(extract.node_lat.min()),
        float(extract.node_lon.max()), float(extract.node_lat.max()),
    )  # fmt: skip
    with serve((200, as_overpass_json(extract))) as (url, _):
        fetched = fetch_extract(box, url, timeout=30)
    one, two = build_roads(extract), build_roads(fetched)
    assert one.report["network"] == two.report["network"]
    assert one.report["highway"] == two.report["highway"]
