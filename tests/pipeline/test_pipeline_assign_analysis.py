"""User classes, skims, selections, used ways and warm starts of ``cczsim assign``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from cczsim.cli import main

NET = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 4
<FIRST THRU NODE> 3
<NUMBER OF LINKS> 6
<END OF METADATA>
~ init term capacity length fft b power speed toll type ;
 1 3 9000 1 1 0 1 0 0 1 ;
 3 4 1000 10 10 0.15 4 0 5 1 ;
 3 4 1000 15 12 0.15 4 0 0 1 ;
 4 2 9000 1 1 0 1 0 0 1 ;
 2 4 9000 1 1 0 1 0 0 1 ;
 4 3 1000 10 10 0.15 4 0 0 1 ;
"""
TRIPS = """<NUMBER OF ZONES> 2
<TOTAL OD FLOW> 1500
<END OF METADATA>
Origin 1
 2 : 1500.0 ;
"""
CLASSES = """
[[class]]
name = "car"
trips = "x_trips.tntp"
toll_factor = 0.1

[[class]]
name = "卡车"
trips = "trucks.csv"
pce = 2.0
value_of_time = 60
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "两 words"
    here.mkdir()
    (here / "x_net.tntp").write_text(NET)
    (here / "x_trips.tntp").write_text(TRIPS)
    (here / "trucks.csv").write_text("origin,destination,trips\n1,2,100\n")
    (here / "classes.toml").write_text(CLASSES, encoding="utf-8")
    (here / "pairs.csv").write_text("origin,destination\n1,2\n")
    return here


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_everything_that_can_be_asked(folder: Path) -> None:
    code = main([
        "assign", str(folder / "x_net.tntp"), "--classes", str(folder / "classes.toml"),
        "--gap", "1e-10", "--flows", str(folder / "flows.csv"), "--json", str(folder / "out.json"),
        "--skims", str(folder / "skims.omx"), "--select-link", "3-4", "--select-zone", "2",
        "--selection", str(folder / "chosen"), "--pairs", str(folder / "pairs.csv"),
        "--paths", str(folder / "ways.csv"), "--save-bushes", str(folder / "bushes.npz"),
    ])  # fmt: skip
    assert code == 0
    report = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in report["classes"]] == ["car", "卡车"]
    assert report["total_demand"] == 1700.0
    flows = rows(folder / "flows.csv")
    tolled, free = flows[1], flows[2]
    for row in (tolled, free):
        assert float(row["flow"]) == pytest.approx(
            float(row["flow_car"]) + 2.0 * float(row["flow_卡车"])
        )
    # A truck pays 5 minutes for the toll, a car half of one: trucks take the longer way first.
    assert float(tolled["flow_卡车"]) == pytest.approx(0.0, abs=1e-6)
    assert float(tolled["cost_car"]) == pytest.approx(float(free["cost_car"]), rel=1e-6)
    with h5py.File(folder / "skims.omx") as file:
        skims = {name: np.array(values) for name, values in file["data"].items()}
    assert skims["time_卡车"][0, 1] == pytest.approx(2.0 + float(free["time"]), rel=1e-6)
    assert skims["cost_car"][0, 1] == pytest.approx(2.0 + float(free["cost_car"]), rel=1e-6)
    assert np.isnan(skims["cost_car"][1, 0])
    chosen = rows(folder / "chosen" / "link-3-4_trips.csv")
    assert [(r["origin"], r["destination"]) for r in chosen] == [("1", "2")]
    assert float(chosen[0]["trips_car"]) == pytest.approx(1500.0)
    of_zone = rows(folder / "chosen" / "zone-2_flows.csv")
    assert float(of_zone[0]["flow_卡车"]) == pytest.approx(200.0)
    ways = rows(folder / "ways.csv")
    assert [way["nodes"] for way in ways] == ["1 3 4 2"] * 3
    assert sum(float(w["flow"]) for w in ways if w["class"] == "car") == pytest.approx(1500.0)
    again = main([
        "assign", str(folder / "x_net.tntp"), "--classes", str(folder / "classes.toml"),
        "--gap", "1e-8", "--json", str(folder / "again.json"),
        "--warm-start", str(folder / "bushes.npz"),
    ])  # fmt: skip
    assert again == 0
    assert json.loads((folder / "again.json").read_text(encoding="utf-8"))["iterations"] == 1


def test_ways_in_proportion(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cars and vans see both streets alike: they use them in the same proportion."""
    (folder / "vans.toml").write_text(
        '[[class]]\nname = "car"\ntrips = "x_trips.tntp"\n'
        '[[class]]\nname = "van"\ntrips = "trucks.csv"\npce = 2.0\n'
    )
    ask = [
        "assign", str(folder / "x_net.tntp"), "--classes", str(folder / "vans.toml"),
        "--flows", str(folder / "flows.csv"), "--json", str(folder / "out.json"),
        "--select-link", "3-4", "--selection", str(folder / "chosen"),
        "--pairs", str(folder / "pairs.csv"), "--paths", str(folder / "ways.csv"),
    ]  # fmt: skip
    assert main(ask) == 0
    assert "ways are those of the bushes" in capsys.readouterr().err
    assert "proportional" not in json.loads((folder / "out.json").read_text(encoding="utf-8"))
    plain = [float(row["flow"]) for row in rows(folder / "flows.csv")]
    assert main([*ask, "--proportional"]) == 0
    assert "ways are the most likely ones" in capsys.readouterr().err
    report = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    assert report["relative_gap"] <= 1e-12
    assert report["proportional"]["reached"]
    assert report["proportional"]["flow_error"] < 1e-9
    flows = rows(folder / "flows.csv")
    np.testing.assert_allclose([float(row["flow"]) for row in flows], plain, rtol=1e-2)
    shares = [[float(row[key]) / trips for row in flows[1:3]]
              for key, trips in (("flow_car", 1500.0), ("flow_van", 100.0))]  # fmt: skip
    assert 0.1 < shares[0][0] < 0.9
    assert shares[0] == pytest.approx(shares[1], rel=1e-9)
    ways = rows(folder / "ways.csv")
    assert [way["class"] for way in ways] == ["car", "car", "van", "van"]
    assert main([*ask, "--proportional", "--gap", "1e-6"]) == 2
    assert "at most 1e-10" in capsys.readouterr().err
    assert main([*ask, "--proportional", "--max-iterations", "1"]) == 1
    assert "ways are those of the bushes" in capsys.readouterr().err
    report = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    assert report["proportional"] == {"reached": False}
    bare = ["assign", str(folder / "x_net.tntp"), "--proportional", "--algorithm", "bfw"]
    assert main(bare) == 2
    assert "algorithm b" in capsys.readouterr().err


def test_faults_come_all_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "classes.toml").write_text(
        '[[class]]\nname = "a"\ntrips = "none.csv"\npce = 0\nclosed_classes = ["lane"]\n'
        '[[class]]\nname = "a"\ntrips = "trucks.csv"\ntol_factor = 1\nclosed_links = "cut.csv"\n'
    )
    (folder / "cut.csv").write_text("from_node,to_node\n9,1\nx,y\n")
    net = str(folder / "x_net.tntp")
    assert main(["assign", net, "--classes", str(folder / "classes.toml")]) == 2
    said = capsys.readouterr().err
    for part in (":3: class[1].trips", ":4: class[1].pce", "'lane'", "did you mean 'toll_factor'",
                 "cut.csv:2", "cut.csv:3", "a name of its own"):  # fmt: skip
        assert part in said
    assert main(["assign", net, "--select-link", "1-2", "--select-zone", "7",
                 "--pairs", str(folder / "pairs.csv")]) == 2  # fmt: skip
    said = capsys.readouterr().err
    for part in ("--select-link: found '1-2'", "--select-zone: found '7'", "--selection",
                 "--paths"):  # fmt: skip
        assert part in said
    assert main(["assign", net, "--algorithm", "bfw", "--skims", str(folder / "s.omx")]) == 2
    assert "algorithm b" in capsys.readouterr().err


def test_stochastic_equilibrium(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = str(folder / "x_net.tntp")
    out = folder / "sue.json"
    words = ["assign", net, "--algorithm", "sue", "--theta", "0.2", "--gap", "1e-8"]
    assert main([*words, "--json", str(out), "--flows", str(folder / "f.csv")]) == 0
    report = json.loads(out.read_text())
    assert report["residual"] <= 1e-8
    assert report["relative_gap"] > 1e-3
    first, second = rows(folder / "f.csv")[1:3]
    odds = np.exp(0.2 * (float(second["cost"]) - float(first["cost"])))
    assert float(first["flow"]) / float(second["flow"]) == pytest.approx(odds, rel=1e-5)
    capsys.readouterr()
    assert main(["assign", net, "--algorithm", "sue"]) == 2
    assert main(["assign", net, "--theta", "1"]) == 2
    assert main(["assign", net, "--algorithm", "sue", "--theta", "0"]) == 2
    assert capsys.readouterr().err.count("--theta: found") == 3


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rubbish", b"\x93NUMPY"])
def test_bushes_that_are_none(
    folder: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b.npz").write_bytes(content)
    assert main(["assign", str(folder / "x_net.tntp"), "--warm-start", str(folder / "b.npz")]) == 2
    assert "expected bushes that cczsim saved" in capsys.readouterr().err
