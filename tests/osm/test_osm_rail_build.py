from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cczsim.io.osm_file import read_osm
from cczsim.network.transit import MODE_CODE, MODES
from cczsim.osm.extract import OsmExtract
from cczsim.osm.rail_build import build_rail, stop_kind

Make = Callable[..., OsmExtract]


@pytest.mark.parametrize(
    ("tags", "kind", "mode"),
    [
        ({"railway": "station", "station": "subway"}, "station", "metro"),
        ({"railway": "station"}, "station", "rail"),
        ({"railway": "station", "station": "light_rail"}, "station", "light_rail"),
        ({"railway": "station", "maglev": "yes"}, "station", "maglev"),
        ({"railway": "halt"}, "station", "rail"),
        ({"railway": "tram_stop"}, "station", "tram"),
        ({"public_transport": "station", "subway": "yes"}, "station", "metro"),
        ({"public_transport": "station"}, "station", ""),
        ({"public_transport": "stop_position", "bus": "yes"}, "position", ""),
        ({"railway": "stop", "subway": "yes"}, "position", "metro"),
        ({"railway": "switch"}, "", ""),
        ({"public_transport": "platform"}, "", ""),
    ],
)
def test_kind_and_mode(tags: dict[str, str], kind: str, mode: str) -> None:
    assert stop_kind(tags) == (kind, mode)


def test_tracks_and_what_is_left_out(make_extract: Make) -> None:
    build = build_rail(
        make_extract(
            ([1, 2, 3], {"railway": "subway", "tunnel": "yes"}),
            ([3, 4], {"railway": "rail", "service": "yard"}),
            ([4, 5], {"railway": "rail", "usage": "industrial"}),
            ([5, 6], {"railway": "monorail", "maglev": "yes"}),
            ([6, 7], {"railway": "disused"}),
            ([11, 12, 13, 14, 15], {"railway": "tram"}),
            ([1, 6], {"highway": "primary"}),
            lacking=[13],
        )
    )
    transit, tracks = build.transit, build.report["tracks"]
    assert [MODES[code] for code in transit.track_mode] == ["metro", "maglev", "tram", "tram"]
    assert transit.track_way_id.tolist() == [1, 4, 6, 6]
    assert transit.track_first is not None
    assert transit.track_first.tolist() == [0, 3, 5, 7, 9]
    assert tracks["modes"]["metro"]["tunnel_km"] == pytest.approx(tracks["modes"]["metro"]["km"])
    assert tracks["total"]["ways"] == 6
    assert tracks["total"]["left_out_ways"] == 3
    assert tracks["total"]["km"] == pytest.approx(
        tracks["total"]["kept_km"] + tracks["total"]["left_out_km"]
    )
    assert set(tracks["railway"]["rail"]["left_out"]) == {"service=yard", "usage=industrial"}


def test_stations_merge_by_name_and_mode(make_extract: Make) -> None:
    here, far = (112.9, 28.2), (113.0, 28.3)
    metro = {"railway": "station", "station": "subway", "name": "溁湾镇"}
    build = build_rail(
        make_extract(
            ([21, 22, 23, 21], {"railway": "station", "name": "长沙站"}),
            nodes={1: here, 2: (112.9005, 28.2), 3: far, 4: (112.901, 28.2), 5: (113.2, 28.5)},
            node_tags={
                1: metro, 2: metro, 3: metro,
                4: {"railway": "stop", "subway": "yes"},
                5: {"railway": "stop", "subway": "yes", "name": "临时"},
            },
        )
    )  # fmt: skip
    assert build.transit.stop_id.tolist() == [1, 3, -1, 5]
    assert build.transit.stop_name.tolist() == ["溁湾镇", "溁湾镇", "长沙站", "临时"]
    assert build.stop_mode.tolist() == [MODE_CODE[m] for m in ("metro", "metro", "rail", "metro")]
    stops = build.report["stops"]
    assert (stops["merged_same_name"], stops["positions_of_a_station"]) == (1, 1)


def test_nothing_on_rails(make_extract: Make) -> None:
    build = build_rail(make_extract(([1, 2], {"highway": "primary"})))
    assert build.transit.n_stops == 0
    assert build.transit.n_lines == 0
    assert len(build.transit.track_mode) == 0


@pytest.mark.data
def test_helsinki(data_dir: Path) -> None:
    build = build_rail(read_osm(data_dir / "osm/helsinki-centre.osm.pbf"))
    modes = build.report["tracks"]["modes"]
    assert set(modes) == {"metro", "rail", "tram"}
    assert modes["metro"]["tunnel_km"] == pytest.approx(modes["metro"]["km"])
    assert "Rautatientori" in build.transit.stop_name.tolist()
    total = build.report["tracks"]["total"]
    assert total["km"] == pytest.approx(total["kept_km"] + total["left_out_km"])
