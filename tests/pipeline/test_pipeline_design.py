"""``cczsim design`` from the terminal's words to a scenario that can be run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from cczsim.cli import main
from cczsim.io.bundle import save_network
from cczsim.io.scenario_file import read_scenario
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.scenario.changes import apply_changes

WEST, SOUTH, STEP = 113.0, 28.2, 0.004
AREA = "112.999,28.199,113.021,28.221"


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid of five by five blocks of about 400 m, two-way streets of class secondary."""
    n = 6
    number = {(i, j): i * n + j for i in range(n) for j in range(n)}
    pairs = [((i, j), (i + 1, j)) for i in range(n - 1) for j in range(n)]
    pairs += [((i, j), (i, j + 1)) for i in range(n) for j in range(n - 1)]
    tail = [number[a] for a, _ in pairs] + [number[b] for _, b in pairs]
    head = [number[b] for _, b in pairs] + [number[a] for a, _ in pairs]
    half = len(pairs)
    lon = np.array([WEST + i * STEP for i, _ in number])
    lat = np.array([SOUTH + j * STEP for _, j in number])
    from cczsim.network.geometry import polyline_lengths

    ends = np.stack([tail, head], axis=1).ravel()
    length = polyline_lengths(np.arange(0, 4 * half + 1, 2), lon[ends], lat[ends])
    road = RoadNetwork(
        node_id=np.arange(n * n), node_lon=lon, node_lat=lat, link_id=np.arange(2 * half),
        tail=tail, head=head, road_class=np.full(2 * half, CLASS_CODE["secondary"]),
        length=length, free_flow_time=length / 10.0, capacity=np.full(2 * half, 900.0),
        reverse_link=np.concatenate([np.arange(half) + half, np.arange(half)]),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("格 grid") / "net"
    save_network(Network(NetworkInfo("grid", date="2024-01-01"), road), folder)
    return folder


def density(network: Path, tmp_path: Path) -> float:
    out = tmp_path / "density.json"
    words = ["density", str(network), "--area", AREA, "--convention", "cn-urban"]
    assert main([*words, "--json", str(out)]) == 0
    return float(json.loads(out.read_text(encoding="utf-8"))[0]["density_km_per_km2"])


def run(streets: Path, out: Path, *more: str) -> int:
    return main(["design", str(streets), "--out", str(out), "--quiet", *more])


def test_a_target_is_reached_by_a_scenario_that_holds_the_streets(
    streets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "more.toml", tmp_path / "more.html"
    before = density(streets, tmp_path)
    assert run(streets, out, "--area", AREA, "--target", "+30 %", "--page", str(page)) == 0
    assert "of the target" in capsys.readouterr().out
    spec = read_scenario(out)
    assert spec.year == 2024
    from cczsim.io.bundle import read_bundle

    network = read_bundle(streets)
    changed, applied = apply_changes(network, spec.changes)
    assert applied[0].cost > 0.0
    save_network(changed, tmp_path / "changed")
    assert density(tmp_path / "changed", tmp_path) == pytest.approx(1.3 * before, rel=0.005)
    # Connected: every new street joins the streets that were there.
    from cczsim.osm.components import component_of

    assert len(np.unique(component_of(changed.road, "strong"))) == 1
    assert "default-src" in page.read_text(encoding="utf-8")


def test_the_same_input_gives_the_same_file(streets: Path, tmp_path: Path) -> None:
    for name in ("one.toml", "two.toml"):
        assert run(streets, tmp_path / name, "--area", AREA, "--target", "7 km/km2") == 0
    assert (tmp_path / "one.toml").read_bytes() == (tmp_path / "two.toml").read_bytes()


def test_each_area_reaches_its_own_target(streets: Path, tmp_path: Path) -> None:
    areas = tmp_path / "areas.geojson"
    halves = {
        "west": shapely.box(112.999, 28.199, 113.008, 28.221),
        "east": shapely.box(113.008, 28.199, 113.021, 28.221),
    }
    features = [
        {"type": "Feature", "properties": {"name": k}, "geometry": shapely.geometry.mapping(v)}
        for k, v in halves.items()
    ]
    areas.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    out = tmp_path / "each.toml"
    assert run(streets, out, "--area", str(areas), "--target", "+20 %", "--each") == 0
    assert [c.id_ for c in read_scenario(out).changes] == ["block-streets-1", "block-streets-2"]
    one = tmp_path / "one.toml"
    assert run(streets, one, "--area", f"{areas}:east", "--target", "+20 %") == 0
    assert len(read_scenario(one).changes) == 1


def test_a_budget_buys_what_it_can(streets: Path, tmp_path: Path) -> None:
    out = tmp_path / "budget.toml"
    assert run(streets, out, "--area", AREA, "--budget", "1e8 CNY") == 0
    (change,) = read_scenario(out).changes
    assert change.cost is not None
    assert 7e7 < change.cost <= 1e8


def test_a_scenario_is_extended(streets: Path, tmp_path: Path) -> None:
    base = tmp_path / "base.toml"
    base.write_text(
        f'cczsim = 1\ntitle = "Base"\nnetwork = "{streets.as_posix()}"\nyear = 2021\n', "utf-8"
    )
    out = tmp_path / "more.toml"
    assert run(base, out, "--area", AREA, "--target", "+10 %") == 0
    spec = read_scenario(out)
    assert (spec.year, Path(spec.extends or "").name) == (2021, "base.toml")
    again = tmp_path / "again.toml"
    assert run(out, again, "--area", AREA, "--target", "+10 %") == 0
    assert len(read_scenario(again).changes) == 2


BOW_TIE: dict[str, Any] = {
    "type": "Feature", "properties": {"name": "tie"},
    "geometry": {"type": "Polygon", "coordinates": [
        [[113.0, 28.2], [113.02, 28.22], [113.02, 28.2], [113.0, 28.22], [113.0, 28.2]]]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--area", AREA, "--budget", "0 CNY"], "buys no street"),
        (["--area", AREA], "neither"),
        (["--area", AREA, "--target", "+5 %", "--budget", "1e9 CNY"], "both"),
        (["--area", AREA, "--target", "1 km/km2"], "has 4.763 already"),
        (["--area", AREA, "--target", "-5 %"], "--target"),
        (["--area", "120,30,120.1,30.1", "--target", "+5 %"], "no street of the network in"),
        (["--area", "{tie}", "--target", "+5 %"], "cross themselves: tie"),
        (["--area", "{tie}:knot", "--target", "+5 %"], "no area named 'knot'"),
        (["--area", "central", "--target", "+5 %"], "without zone polygons"),
        (["--area", AREA, "--target", "+5 %", "--class", "motorway"], "--class"),
        (["--area", AREA, "--target", "+5 %", "--keep-out", "{tie}"], "cross themselves"),
        (["--area", AREA, "--target", "+5 %", "--max-block", "1 ha"], "no room for a street"),
    ],
)  # fmt: skip
def test_what_cannot_be_designed_is_said(
    streets: Path, tmp_path: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tie = tmp_path / "tie.geojson"
    tie.write_text(json.dumps({"type": "FeatureCollection", "features": [BOW_TIE]}))
    out = tmp_path / "out.toml"
    assert run(streets, out, *(item.format(tie=tie) for item in more)) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_target_out_of_reach_is_said_with_what_can_be_reached(
    streets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.toml"
    assert run(streets, out, "--area", AREA, "--target", "60 km/km2") == 1
    said = capsys.readouterr().out
    assert "target not reached: 60.000 km/km2 was asked for" in said
    assert read_scenario(out).changes


@pytest.mark.data
def test_furong_gets_a_tenth_more(
    data_dir: Path, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real streets: the target within 0.5 %, nothing through water, every street connected."""
    extract = data_dir / "czt/changsha-streets-2019.osm.pbf"
    water = repository / "networks/czt/water.geojson"
    area = f"{data_dir / 'czt/districts-hunan8.geojson'}:芙蓉区"
    out = tmp_path / "furong.toml"
    words = ["--area", area, "--target", "+10 %", "--keep-out", str(water)]
    assert run(extract, out, *words) == 0
    from cczsim.pipeline.networks import load_network
    from cczsim.pipeline.progress import Progress

    network = load_network(extract, Progress(quiet=True))
    spec = read_scenario(out)
    changed, _ = apply_changes(network, spec.changes)
    import geopandas

    shapes = geopandas.read_file(water).geometry.to_numpy()
    streets = [s for change in spec.changes for s in change.add]  # type: ignore[attr-defined]
    lines = shapely.linestrings([s.line for s in streets])
    assert len(lines) > 50
    assert not shapely.intersects(shapely.union_all(shapes), lines).any()
    road = changed.road
    new = road.road_class == CLASS_CODE["tertiary"]
    legs = np.bincount(np.concatenate([road.tail, road.head]), minlength=road.n_nodes)
    ends = np.unique(np.concatenate([road.tail[new], road.head[new]]))
    assert (legs[ends] > 2).mean() > 0.999  # no end hangs in the air
