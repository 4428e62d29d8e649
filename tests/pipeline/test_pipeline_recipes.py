"""The networks on real streets that ship as recipes: built, checked, and tied to their zones."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from cczsim.errors import InputError
from cczsim.io.recipe import read_recipe
from cczsim.io.tables import from_wgs84, read_rows
from cczsim.network.checks import check_network
from cczsim.network.provenance import Source
from cczsim.network.transit import MODE_CODE
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.recipes import build_recipe
from cczsim.pipeline.scenarios import validate


@pytest.fixture
def named_data(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of real inputs, under the name that recipes use."""
    monkeypatch.setenv("CCZSIM_DATA", str(data_dir))
    return data_dir


@pytest.mark.data
def test_changsha(named_data: Path, repository: Path) -> None:
    recipe = read_recipe(repository / "networks/changsha-osm")
    network = build_recipe(recipe, Progress(stream=io.StringIO()))
    zones, transit, build = network.zones, network.transit, network.info.build
    assert zones is not None
    assert transit is not None
    assert 150 <= zones.n_zones <= 500
    # Districts of the city hold 7.4 million; of those that the extract cuts a part is outside.
    assert 5.5e6 < zones.population.sum() < 7.4e6
    report = build["zones"]
    covered = ("芙蓉区", "天心区", "开福区")
    assert all(report["residents_left_outside_by_district"][name] == 0.0 for name in covered)
    whole = report["residents"] + report["residents_left_outside"]
    assert whole == pytest.approx(round(whole), abs=1e-3)
    assert build["connectors"]["zones_served_from_outside"] == []
    assert build["transit_access"]["zones_without_stop"] < 0.05 * zones.n_zones
    made = transit.mode == MODE_CODE["bus"]
    assert (transit.headway_source[made] == Source.GENERATED).all()
    assert (transit.headway_source[~made] == Source.DEFAULT).all()
    assert int((~made).sum()) == 14  # six lines and the maglev, both ways
    assert not [f for f in check_network(network) if f.severity == "error"]
    assert (network.road.lanes_source[network.road.is_street] == Source.DEFAULT).all()
    assert any("cut at its edge" in note for note in network.info.notes)
    assert recipe.inputs()[-1].name == "changsha_metro_wgs84.csv"


@pytest.mark.data
def test_porto_alegre(named_data: Path, repository: Path) -> None:
    network = build_recipe(
        read_recipe(repository / "networks/porto-alegre"), Progress(stream=io.StringIO())
    )
    zones, report = network.zones, network.info.build["zones"]
    assert zones is not None
    assert report["residents"] + report["residents_left_outside"] == 812_935.0
    assert report["jobs_source"] == "table"
    assert np.isfinite(zones.jobs).all()
    assert network.transit is not None
    feeds = network.info.build["gtfs"]
    assert [(f["lines"], f["stops_in_window"], f["trips_in_window"]) for f in feeds] == [
        (199, 3942, 1129.0), (8, 24, 72.0),
    ]  # fmt: skip
    assert network.transit.n_lines == 207
    assert network.transit.n_stops == 3966
    assert (7200.0 / network.transit.headway).sum() == pytest.approx(1201.0)
    assert network.info.build["transit_access"]["zones_without_stop"] == 0
    assert sum("are the timetable" in note for note in network.info.notes) == 2
    assert not [f for f in check_network(network) if f.severity == "error"]


@pytest.mark.data
@pytest.mark.parametrize("name", ["changsha-osm/plan", "porto-alegre/base"])
def test_studies_on_real_streets_are_valid(
    named_data: Path, repository: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    study = repository / f"scenarios/{name}.toml"
    assert validate(study, progress=Progress(stream=io.StringIO())) == 0


def test_a_recipe_may_name_a_class_table_of_its_own(tmp_path: Path, repository: Path) -> None:
    body = 'cczsim = 1\nkind = "osm"\nclass_table = "{}"\n[source]\nfile = "a.osm"\n'
    (tmp_path / "a.osm").write_text(
        '<osm version="0.6"><node id="1" lon="113" lat="28"/><node id="2" lon="113.01" lat="28"/>'
        '<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="road"/></way></osm>',
        encoding="utf-8",
    )
    table = repository / "networks/changsha-osm/class-table.csv"
    (tmp_path / "own.csv").write_bytes(table.read_bytes())
    path = tmp_path / "recipe.toml"
    path.write_text(body.format("own.csv"), encoding="utf-8")
    recipe = read_recipe(path)
    assert tmp_path / "own.csv" in recipe.inputs()
    built = build_recipe(recipe, Progress(stream=io.StringIO()))
    road = built.road
    assert road.capacity == pytest.approx([780.0, 780.0])
    assert road.speed == pytest.approx([35 / 3.6] * 2)
    assert "OpenStreetMap contributors" in built.info.attribution[0]
    path.write_text(body.format("cn-cjj38"), encoding="utf-8")
    with pytest.raises(InputError, match=r"recipe\.toml:3: class_table"):
        read_recipe(path)
    path.write_text(body.format("generic") + 'keep = "most"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"recipe\.toml:6: source\.keep"):
        read_recipe(path)


@pytest.mark.data
def test_a_wrong_coordinate_system_is_found_by_the_streets(data_dir: Path, tmp_path: Path) -> None:
    table = read_rows(data_dir / "czt" / "changsha_metro_wgs84.csv", ("lon_wgs84", "lat_wgs84"))
    lon, lat = (np.array([float(row[f"{k}_wgs84"]) for row in table]) for k in ("lon", "lat"))
    for system in ("wgs84", "gcj02", "bd09"):
        x, y = from_wgs84(lon, lat, system)
        rows = [
            f"{row['line']},{row['seq']},{row['station_id']},{row['name']},{a:.6f},{b:.6f}"
            for row, a, b in zip(table, x, y, strict=True)
        ]
        head = "line,seq,stop_id,stop_name,lon,lat"
        (tmp_path / "metro.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        extract = data_dir / "czt" / "changsha-streets-2019.osm.pbf"
        recipe = tmp_path / "recipe.toml"
        recipe.write_text(
            f'kind = "osm"\n[source]\nfile = "{extract}"\n'
            '[[transit.lines]]\nfile = "metro.csv"\n', encoding="utf-8",
        )  # fmt: skip
        info = build_recipe(read_recipe(recipe), Progress(stream=io.StringIO())).info
        assert info.build["coordinates"][0]["found"] == system
        told = [finding["message"] for finding in info.build.get("findings", ())]
        assert bool(told) == (system != "wgs84")
        assert all(f'crs = "{system}"' in message for message in told)
