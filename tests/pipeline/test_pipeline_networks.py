"""``cczsim network build`` from an extract to its account, on real extracts where they are."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cczsim.cli import main
from cczsim.errors import InputError, OsmError
from cczsim.network.road import RoadNetwork
from cczsim.pipeline.networks import build, load_network
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.recipes import build_extract
from cczsim.report.health import health_page

EXTRACTS = ("osm/changsha-northeast", "osm/porto-alegre", "czt/changsha-streets-2019")
CLOSED = {"no", "private", "agricultural", "forestry", "agricultural;forestry", "emergency",
          "military", "restricted", "psv", "bus", "foot", "bicycle", "use_sidepath"}  # fmt: skip


def account(source: Path, folder: Path) -> dict[str, Any]:
    file = folder / "account.json"
    assert build(str(source), json_file=file, progress=Progress(stream=io.StringIO())) == 0
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def plain_km(path: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Sum the ways' own geometry by ``highway``, and that of ways closed to cars, by pyosmium."""
    import osmium
    from pyproj import Geod

    geod, every, closed = Geod(ellps="WGS84"), {}, {}
    for way in osmium.FileProcessor(str(path)).with_locations():
        if not way.is_way() or "highway" not in way.tags:
            continue
        places = [(n.lon, n.lat) for n in way.nodes if n.location.valid()]
        km = geod.line_length(*zip(*places, strict=True)) / 1e3 if len(places) > 1 else 0.0
        kind = way.tags["highway"]
        every[kind] = every.get(kind, 0.0) + km
        keys = ("motorcar", "motor_vehicle", "vehicle", "access")
        said = next((way.tags[key] for key in keys if key in way.tags), "yes")
        if said in CLOSED or way.tags.get("area") == "yes":
            closed[kind] = closed.get(kind, 0.0) + km
    return every, closed


@pytest.mark.data
@pytest.mark.parametrize("name", EXTRACTS)
def test_kilometres_by_class_and_nothing_dropped(data_dir: Path, tmp_path: Path, name: str) -> None:
    path = data_dir / f"{name}.osm.pbf"
    found = account(path, tmp_path)
    every, closed = plain_km(path)
    assert set(found["classes"]) | set(found["other_ways"]) == set(every)
    for kind, row in found["classes"].items():
        assert row["mapped_km"] == pytest.approx(every[kind], rel=5e-3)
        assert row["km"] == pytest.approx(every[kind] - closed.get(kind, 0.0), rel=5e-3)
        assert row["km"] + row["left_out_km"] == pytest.approx(every[kind], rel=1e-6)
        why = row["left_out"].values()
        assert sum(part["km"] for part in why) == pytest.approx(row["left_out_km"])
    for kind, row in found["other_ways"].items():
        assert row["kept_km"] == 0.0
        assert sum(part["km"] for part in row["left_out"].values()) == pytest.approx(every[kind])
    assert sum(row["km"] for row in found["classes"].values()) == pytest.approx(found["km"])


@pytest.mark.data
def test_what_the_account_holds(data_dir: Path, tmp_path: Path) -> None:
    found = account(data_dir / "osm/porto-alegre.osm.pbf", tmp_path)
    assert found["nodes"] > 10_000
    assert sum(row["links"] for row in found["classes"].values()) == found["links"]
    assert set(found["provenance"]) == {"class", "oneway", "lanes", "speed", "capacity", "geometry"}
    for shares in found["provenance"].values():
        assert set(shares) <= {"tagged", "derived", "default"}
        assert sum(shares.values()) == pytest.approx(1.0)
    parts = found["components"]
    assert (parts["kept"], parts["dropped"]) == (parts["strong"]["count"], 0)
    assert {"kept", "refused", "reasons"} <= set(found["turn_restrictions"])
    assert found["lines"] == 0
    assert found["stops"] == 3
    assert {"read OSM", "build roads", "build rail"} <= set(found["seconds"])
    assert all(spent >= 0.0 for spent in found["seconds"].values())


@pytest.mark.data
def test_helsinki_has_no_nonsense(data_dir: Path, tmp_path: Path) -> None:
    found = account(data_dir / "osm/helsinki-centre.osm.pbf", tmp_path)
    turns = found["turn_restrictions"]
    assert (turns["kept"], turns["refused"]) == (35, 10)
    assert sum(turns["reasons"].values()) == 10
    rail = found["build"]["rail"]["tracks"]["modes"]
    assert set(rail) == {"tram", "rail", "metro"}
    assert rail["metro"]["tunnel_km"] == rail["metro"]["km"]
    streets = found["build"]["roads"]["network"]
    assert streets["links_of_no_length"] == 0
    # The main streets of the centre are pairs of one-way carriageways or one-way streets.
    primary = streets["classes"]["primary"]
    assert primary["one_way_km"] > 0.9 * primary["km"]
    assert streets["classes"]["residential"]["one_way_km"] < 0.6 * streets["classes"][
        "residential"]["km"]  # fmt: skip
    assert found["components"]["weak"]["largest_share_of_nodes"] > 0.95


@pytest.mark.data
def test_dropped_components_are_counted(data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "czt/changsha-streets-2019.osm.pbf"
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f'cczsim = 1\nkind = "osm"\n[source]\nfile = "{source}"\nkeep = "largest"\n',
        encoding="utf-8",
    )
    found = account(recipe, tmp_path)
    parts = found["components"]
    assert (parts["kept"], parts["dropped"]) == (1, 124)
    left = found["classes"]["road"]["left_out"]["outside the largest strong component"]
    assert parts["dropped_link_km"] == pytest.approx(2 * left["km"])  # no one-way streets there
    assert found["km"] + left["km"] == pytest.approx(5817.0, rel=1e-4)


@pytest.mark.data
def test_density_of_the_box_in_changsha(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "density.json"
    words = ["density", str(data_dir / "czt/changsha-streets-2019.osm.pbf"),
             "--area", "112.90,28.12,113.08,28.28", "--convention", "osm-all-drivable",
             "--json", str(file)]  # fmt: skip
    assert main(words) == 0
    (row,) = json.loads(file.read_text(encoding="utf-8"))
    assert row["merged"] is False
    assert row["length_km"] == pytest.approx(2604.0, rel=0.01)
    assert row["density_km_per_km2"] == pytest.approx(8.3, rel=0.01)


@pytest.mark.data
@pytest.mark.parametrize("suffix", [".osm", ".osm.gz", ".osm.bz2"])
def test_other_formats_give_the_same_network(data_dir: Path, tmp_path: Path, suffix: str) -> None:
    import osmium

    source = data_dir / "osm/changsha-northeast.osm.pbf"
    copy = tmp_path / f"copy{suffix}"
    with osmium.SimpleWriter(str(copy)) as writer:
        for item in osmium.FileProcessor(str(source)):
            writer.add(item)
    quiet = Progress(quiet=True)
    one, two = build_extract(source, quiet).road, build_extract(copy, quiet).road
    for name in RoadNetwork.specs():
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


@pytest.mark.data
@pytest.mark.parametrize("share", [0.3, 0.98])
def test_a_truncated_extract_is_one_clear_fault(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], share: float
) -> None:
    whole = (data_dir / "osm/porto-alegre.osm.pbf").read_bytes()
    path = tmp_path / "half.osm.pbf"
    path.write_bytes(whole[: int(share * len(whole))])
    assert main(["network", "build", str(path)]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert len(said) == 1
    assert "half.osm.pbf" in said[0]
    assert "break off or are damaged" in said[0]


RAIL_ONLY = """<osm version="0.6">
<node id="1" lon="113.0" lat="28.2"><tag k="railway" v="station"/><tag k="name" v="长沙南"/></node>
<node id="2" lon="113.05" lat="28.2"/>
<node id="3" lon="113.1" lat="28.2"><tag k="railway" v="station"/><tag k="name" v="黄花"/></node>
<way id="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="railway" v="rail"/></way>
</osm>"""


def test_tracks_without_streets_are_a_network(tmp_path: Path) -> None:
    source, out = tmp_path / "rail.osm", tmp_path / "built"
    source.write_text(RAIL_ONLY, encoding="utf-8")
    stream = io.StringIO()
    assert build(str(source), out, progress=Progress(stream=stream)) == 0
    assert "no road for cars" in stream.getvalue()
    assert "1 pairs of stations follow each other on tracks, 9.8 km" in stream.getvalue()
    network = load_network(out, Progress(stream=io.StringIO()))
    assert network.road.n_links == 0
    assert network.transit is not None
    assert network.transit.n_stops == 2
    page = (out / "network.html").read_text(encoding="utf-8")
    assert "长沙南" in page
    assert health_page(network) == page


def test_without_streets_and_tracks_there_is_none(tmp_path: Path) -> None:
    source = tmp_path / "rail.osm"
    text = RAIL_ONLY.replace('v="rail"', 'v="platform"')
    source.write_text(text, encoding="utf-8")
    with pytest.raises(OsmError, match="no road for cars"):
        build(str(source), progress=Progress(stream=io.StringIO()))


def test_the_largest_component_alone_is_kept_when_asked_for(tmp_path: Path) -> None:
    source = tmp_path / "streets.osm"
    nodes = "".join(f'<node id="{k}" lon="{113 + k / 100}" lat="28.2"/>' for k in range(1, 7))
    ways = "".join(
        f'<way id="{k}"><nd ref="{a}"/><nd ref="{b}"/><tag k="highway" v="primary"/></way>'
        for k, (a, b) in enumerate(((1, 2), (2, 3), (5, 6)), 1)
    )
    source.write_text(f'<osm version="0.6">{nodes}{ways}</osm>', encoding="utf-8")
    stream = io.StringIO()
    out = tmp_path / "built"
    assert build(str(source), out, keep="largest", progress=Progress(stream=stream)) == 0
    assert "cut off, in km of directed links: primary 2.0" in stream.getvalue()
    network = load_network(out, Progress(stream=io.StringIO()))
    assert network.road.n_links == 4
    assert network.cut_off is not None
    with pytest.raises(InputError, match="keep"):
        build(str(out), keep="largest", progress=Progress(stream=io.StringIO()))
