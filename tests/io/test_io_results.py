"""Result folders: whole or not at all, the same bytes every time, read back to compare."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import geopandas
import numpy as np
import pyogrio
import pytest

from cczsim.errors import InputError, OutputError
from cczsim.io import results
from cczsim.io.results import read_result, whole_folder, write_result
from cczsim.scenario.compare import compare
from cczsim.scenario.result import RunResult
from tests.report.synthetic_run import make_run

RECORD = {"cczsim": "0", "status": "done", "noise": 1e-4, "inputs": {}}
FILES = {
    "resolved.toml", "run.json", "demand_ledger.csv", "indicators.json", "links.parquet",
    "lines.parquet", "zones.parquet", "result.gpkg", "report.html",
}  # fmt: skip


@pytest.fixture(scope="module")
def base() -> RunResult:
    return make_run()


@pytest.fixture(scope="module")
def plan() -> RunResult:
    return make_run(scenario=True)


def write(plan: RunResult, base: RunResult | None, folder: Path) -> None:
    comparison = compare(base, plan) if base is not None else None
    write_result(plan, base, comparison, folder, "<html></html>", RECORD, "cczsim = 1\n")


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_the_folder_is_complete_and_its_figures_agree(
    plan: RunResult, base: RunResult, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "plan"
    write(plan, base, out)
    assert {p.name for p in out.iterdir()} == FILES
    assert [p.name for p in out.parent.iterdir()] == ["plan"]
    links = geopandas.read_parquet(out / "links.parquet")
    assert len(links) == plan.network.road.n_links
    np.testing.assert_array_equal(links["flow_pce_h"], plan.equilibrium.road.link_flow)
    assert links.crs == "EPSG:4326"
    zones = geopandas.read_parquet(out / "zones.parquet")
    assert zones["car_from_h"].sum() == pytest.approx(plan.equilibrium.trips["car"].sum())
    assert "jobs_45_transit" in zones
    lines = geopandas.read_parquet(out / "lines.parquet")
    transit = plan.network.transit
    assert transit is not None
    assert len(lines) == len(transit.line_stop) - transit.n_lines
    assert {str(name) for name, _ in pyogrio.list_layers(out / "result.gpkg")} == {
        "links", "lines", "stops", "zones", "backdrop", "layer_styles",
    }  # fmt: skip
    styles = pyogrio.read_dataframe(out / "result.gpkg", layer="layer_styles")
    assert set(styles["f_table_name"]) == {"links", "lines", "stops", "zones", "backdrop"}
    assert styles["useAsDefault"].all()
    for name, qml in zip(styles["f_table_name"], styles["styleQML"], strict=True):
        columns = set(pyogrio.read_info(out / "result.gpkg", layer=name)["fields"])
        tree = ElementTree.fromstring(qml)
        attribute = next(tree.iter("renderer-v2")).get("attr")
        assert attribute is None or attribute in columns
        for option in tree.iter("Option"):
            if option.get("name") == "expression":
                assert set(re.findall(r'"(\w+)"', option.get("value", ""))) <= columns
    ground = geopandas.read_file(out / "result.gpkg", layer="backdrop")
    assert ground[["kind", "name", "name_en"]].fillna("").to_numpy().tolist() == [
        ["water", "湘江", "Xiang River"], ["green", "岳麓山", ""],
    ]  # fmt: skip
    with (out / "demand_ledger.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert sum(float(r["trips_per_hour"]) for r in rows if r["stage"] == "mode choice") == 8100.0
    figures = json.loads((out / "indicators.json").read_text(encoding="utf-8"))
    assert len(figures["indicators"]) == len(plan.indicators)
    row = figures["comparison"][0]
    assert row["difference"] == row["scenario"] - row["base"]


def test_the_same_result_gives_the_same_bytes(
    plan: RunResult, base: RunResult, tmp_path: Path
) -> None:
    write(plan, base, tmp_path / "a")
    write(plan, base, tmp_path / "b")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_a_result_is_read_back(plan: RunResult, base: RunResult, tmp_path: Path) -> None:
    nothing = replace(base.indicators[0], value=math.nan)
    write(replace(plan, indicators=(nothing, *plan.indicators)), None, tmp_path / "plan")
    stored = read_result(tmp_path / "plan")
    assert stored.name == plan.name
    assert stored.noise == 1e-4
    assert stored.indicators[1:] == plan.indicators
    assert math.isnan(stored.indicators[0].value)


def test_an_earlier_result_is_replaced_and_nothing_else_is(
    plan: RunResult, base: RunResult, tmp_path: Path
) -> None:
    write(plan, None, tmp_path / "r")
    before = digests(tmp_path / "r")
    write(base, None, tmp_path / "r")
    assert digests(tmp_path / "r") != before
    other = tmp_path / "photos"
    other.mkdir()
    (other / "me.jpg").write_text("x")
    with pytest.raises(OutputError, match=r"me\.jpg"):
        write(plan, None, other)
    assert [p.name for p in other.iterdir()] == ["me.jpg"]
    file = tmp_path / "file"
    file.write_text("x")
    for place in (file, file / "below"):
        with pytest.raises(OutputError, match="a file"):
            write(plan, None, place)


def test_a_full_disk_leaves_the_earlier_result_whole(
    plan: RunResult, base: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(base, None, tmp_path / "r")
    before = digests(tmp_path / "r")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results, "_write_tables", full)
    with pytest.raises(OutputError, match="No space left"):
        write(plan, None, tmp_path / "r")
    assert digests(tmp_path / "r") == before
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("bug")])
def test_an_interrupted_write_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    def write_half() -> None:
        with whole_folder(tmp_path / "r") as part:
            (part / "half").write_text("x")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_result_cannot_be_read(plan: RunResult, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_result(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no run\.json"):
        read_result(tmp_path)
    write(plan, None, tmp_path / "r")
    (tmp_path / "r/indicators.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        read_result(tmp_path / "r")
