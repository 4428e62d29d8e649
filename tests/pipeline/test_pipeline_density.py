"""``cczsim density`` from its arguments to its file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from cczsim.errors import CczsimError
from cczsim.pipeline.areas import read_areas
from cczsim.pipeline.density import density
from cczsim.pipeline.progress import Progress

OSM = """<osm version="0.6">
<node id="1" lat="28.00" lon="113.00"/><node id="2" lat="28.00" lon="113.02"/>
<node id="3" lat="28.02" lon="113.02"/><node id="4" lat="28.02" lon="113.00"/>
<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way>
<way id="2"><nd ref="2"/><nd ref="3"/><tag k="highway" v="{kind}"/></way>
<way id="3"><nd ref="3"/><nd ref="4"/><tag k="highway" v="{kind}"/></way>
<way id="4"><nd ref="4"/><nd ref="1"/><tag k="highway" v="{kind}"/></way>
</osm>"""
AREA = (
    '{{"type":"Feature","properties":{{"name":"{name}"}},"geometry":{{"type":"{type}",'
    '"coordinates":{coordinates}}}}}'
)
SQUARE = "[[[112.99,27.99],[113.03,27.99],[113.03,28.01],[112.99,28.01],[112.99,27.99]]]"
BOW_TIE = "[[[112.99,27.99],[113.03,28.01],[113.03,27.99],[112.99,28.01],[112.99,27.99]]]"


@pytest.fixture
def streets(tmp_path: Path) -> Path:
    path = tmp_path / "square.osm"
    path.write_text(OSM.format(kind="residential"), encoding="utf-8")
    return path


def collection(tmp_path: Path, *features: str) -> Path:
    path = tmp_path / "areas.geojson"
    text = '{"type":"FeatureCollection","features":[' + ",".join(features) + "]}"
    path.write_text(text, encoding="utf-8")
    return path


def measure(
    network: Path, tmp_path: Path, area: str | None = None, convention: str | None = None
) -> list[dict[str, Any]]:
    out = tmp_path / "density.json"
    code = density(
        str(network), area=area, convention=convention, json_file=out,
        progress=Progress(stream=io.StringIO()),
    )  # fmt: skip
    assert code == 0
    rows: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
    return rows


def test_box(streets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = measure(streets, tmp_path, "112.99,27.99,113.03,28.03")
    by_name = {row["convention"]: row for row in rows}
    assert list(by_name) == ["cn-urban", "cn-urban-with-residential", "osm-all-drivable",
                             "osmnx-edge"]  # fmt: skip
    assert set(rows[0]) == {"area", "convention", "classes", "merged", "length_km", "area_km2",
                            "density_km_per_km2"}  # fmt: skip
    assert by_name["cn-urban"]["length_km"] == pytest.approx(1.967, rel=1e-3)
    around = by_name["osm-all-drivable"]["length_km"]
    assert around == pytest.approx(2 * 1.967 + 2 * 2.217, rel=1e-3)
    assert by_name["osmnx-edge"]["length_km"] == pytest.approx(2 * around, rel=1e-9)
    for row in rows:
        ratio = row["length_km"] / row["area_km2"]
        assert row["density_km_per_km2"] == pytest.approx(ratio, rel=1e-12)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 5
    assert "km/km2" in printed[0]


def test_polygons_with_names(streets: Path, tmp_path: Path) -> None:
    path = collection(
        tmp_path,
        AREA.format(name="南", type="Polygon", coordinates=SQUARE),
        AREA.format(name="again", type="MultiPolygon", coordinates=f"[{SQUARE}]"),
    )
    rows = measure(streets, tmp_path, str(path), "osm-all-drivable")
    assert [row["area"] for row in rows] == ["南", "again"]
    assert rows[0]["length_km"] == rows[1]["length_km"]
    assert rows[0]["length_km"] == pytest.approx(1.967 + 2 * 1.108, rel=2e-3)


def test_hull_where_nothing_is_named(streets: Path, tmp_path: Path) -> None:
    """The streets are the hull's own rim, so that they count half."""
    (row,) = measure(streets, tmp_path, None, "osm-all-drivable")
    assert "hull" in row["area"]
    assert row["area_km2"] == pytest.approx(1.967 * 2.217, rel=1e-3)
    assert row["length_km"] == pytest.approx(1.967 + 2.217, rel=1e-3)


def test_conventions_that_count_nothing_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "unknown.osm"
    text = OSM.format(kind="road").replace("primary", "road")
    path.write_text(text, encoding="utf-8")
    rows = measure(path, tmp_path, "112.99,27.99,113.03,28.03")
    assert [row["convention"] for row in rows] == ["osm-all-drivable", "osmnx-edge"]
    (asked,) = measure(path, tmp_path, "112.99,27.99,113.03,28.03", "cn-urban")
    assert asked["density_km_per_km2"] == 0.0


@pytest.mark.parametrize(
    ("area", "convention", "message"),
    [
        ("113.1,28,113.0,28.1", None, "west,south,east,north"),
        ("central", None, "without zone polygons"),
        (None, "cn-rural", "cn-urban"),
        ("120,30,120.1,30.1", None, "nothing of"),
        ("gone.geojson", None, "gone.geojson"),
    ],
)
def test_wrong_words(
    streets: Path, tmp_path: Path, area: str | None, convention: str | None, message: str
) -> None:
    with pytest.raises(CczsimError, match=message) as caught:
        measure(streets, tmp_path, area, convention)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("kind", "coordinates", "message"),
    [
        ("Polygon", BOW_TIE, "cross themselves: x"),
        ("LineString", "[[113,28],[113.1,28]]", "LineString"),
    ],
)
def test_wrong_shapes(
    streets: Path, tmp_path: Path, kind: str, coordinates: str, message: str
) -> None:
    path = collection(tmp_path, AREA.format(name="x", type=kind, coordinates=coordinates))
    with pytest.raises(CczsimError, match=message):
        measure(streets, tmp_path, str(path))


def test_a_small_loop_is_mended_and_said(tmp_path: Path) -> None:
    """A ring that crosses itself in one corner: the loop there holds a millionth of the area."""
    square = "[[113,28],[113.1,28],[113.1,28.1],[113.0001,28.1],[113,28.0999],[113,28.1001],"
    corner = "[113.0001,28.1],[113.0002,28.1],[113,28.0998],[113,28]]"
    shape = AREA.format(name="loop", type="Polygon", coordinates=f"[{square}{corner}]")
    said: list[str] = []
    ((name, mended),) = read_areas(str(collection(tmp_path, shape)), said.append) or []
    assert (name, mended.is_valid) == ("loop", True)
    assert mended.area == pytest.approx(0.01, rel=1e-5)
    assert "loop crosses itself; mended" in said[0]


@pytest.mark.data
def test_networks_that_have_no_density(tmp_path: Path, data_dir: Path) -> None:
    """Braess has neither road classes nor, for a hull, coordinates."""
    path = data_dir / "tntp" / "Braess-Example" / "Braess_net.tntp"
    with pytest.raises(CczsimError, match="convention counts"):
        measure(path, tmp_path)
    with pytest.raises(CczsimError, match="longitude and latitude"):
        measure(path, tmp_path, None, "osm-all-drivable")
