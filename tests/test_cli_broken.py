"""Broken inputs of every command: exit code 2, one message a fault, never a traceback.

Scenarios at fault are files in ``cases/broken``; these are the inputs of the other commands.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from cczsim.cli import main

HEAD = """<NUMBER OF ZONES> 3
<NUMBER OF NODES> 4
<FIRST THRU NODE> 4
<NUMBER OF LINKS> {n}
<END OF METADATA>
"""
LINKS = [
    "1 4 900 1 2 0.15 4 0 0 1 ;", "4 1 900 1 2 0.15 4 0 0 1 ;",
    "2 4 900 1 3 0.15 4 0 0 1 ;", "4 2 900 1 3 0.15 4 0 0 1 ;",
]  # fmt: skip
TRIPS = "<NUMBER OF ZONES> 3\n<END OF METADATA>\nOrigin 1\n 2 : 100;\nOrigin 2\n 1 : 5;\n"
OSM = """<osm version="0.6">
<node id="1" lat="28.00" lon="113.00"/><node id="2" lat="28.00" lon="113.02"/>
<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way>
</osm>"""
CROSSING = {
    "type": "FeatureCollection",
    "features": [{
        "type": "Feature", "properties": {"name": "bow tie"},
        "geometry": {"type": "Polygon", "coordinates": [
            [[112.99, 27.99], [113.03, 28.01], [113.03, 27.99], [112.99, 28.01], [112.99, 27.99]]
        ]},
    }],
}  # fmt: skip


def net(*links: str) -> str:
    return HEAD.format(n=len(links)) + "\n".join(links) + "\n"


def omx(path: Path, *shape: int) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("data").create_dataset("trips", data=np.ones(shape))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with sound and broken files, as the current one."""
    monkeypatch.chdir(tmp_path)
    garbage = bytes(range(256)) * 8
    files: dict[str, str | bytes] = {
        "ok_net.tntp": net(*LINKS),
        "ok_trips.tntp": TRIPS,
        "ok.osm": OSM,
        "negative_net.tntp": net(*LINKS[:3], LINKS[3].replace("900", "-900")),
        "zero_net.tntp": net(LINKS[0].replace("900", "0"), *LINKS[1:]),
        "cut_net.tntp": net(*LINKS)[:-40],
        "empty_net.tntp": "",
        "garbage_net.tntp": garbage,
        "zone_without_link.tntp": TRIPS.replace("100;", "100; 3 : 7;"),
        "unknown_zone.tntp": TRIPS.replace("2 : 100", "9 : 100"),
        "unknown_zone.csv": "origin,destination,trips\n1,2,5\n8,2,5\n",
        "nan.csv": "origin,destination,trips\n1,2,5\n2,1,nan\n",
        "empty.csv": "",
        "header.csv": "origin,destination,trips\n",
        "other.csv": "a,b\n1,2\n",
        "garbage.omx": garbage,
        "garbage.toml": garbage,
        "syntax.toml": "cczsim = \n",
        "garbage.osm.pbf": garbage,
        "empty.osm.pbf": b"",
        "cut.osm": OSM[: len(OSM) // 2],
        "rails.osm": OSM.replace("highway", "waterway"),
        "box.toml": 'cczsim = 1\nkind = "osm"\nname = "box"\n[source]\nfile = "ok.osm"\n'
        "bbox = [200.0, 28.0, 201.0, 29.0]\n",
        "key.toml": 'cczsim = 1\nkind = "osm"\nname = "key"\n[source]\nfil = "ok.osm"\n',
        "nofile.toml": 'cczsim = 1\nkind = "osm"\nname = "n"\n[source]\nfile = "没有.osm"\n',
        "crossing.geojson": json.dumps(CROSSING),
        "garbage.geojson": garbage,
        "a_file": "x",
        "gmns/node.csv": "node_id,x_coord,y_coord,zone_id\n1,112,28,1\n2,113,28,2\n",
        "gmns/link.csv": "link_id,from_node_id,length\n1,1,5\n",
        "half/run.json": '{"cczsim": "0.1.0"}',
        "list/run.json": "[]",
        "noise/run.json": garbage,
        "odd/run.json": '{"cczsim": "0.1.0"}',
        "odd/indicators.json": '{"indicators": [{"key": 3}]}',
        "built/network.json": '{"format": 1}',
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    omx(tmp_path / "shape.omx", 2, 2)
    (tmp_path / "a_folder.toml").mkdir()
    (tmp_path / "a_folder_net.tntp").mkdir()
    (tmp_path / "a_folder.csv").mkdir()
    return tmp_path


# The words of a command, and what each message must hold: a place, what was found, and so on.
CASES: dict[str, list[tuple[str, ...]]] = {
    "assign negative_net.tntp": [("negative_net.tntp:9", "capacity -900", "above 0")],
    "assign zero_net.tntp": [("zero_net.tntp:6", "capacity 0", "above 0")],
    "assign cut_net.tntp": [("cut_net.tntp:8", "'2 4 900 1 3 0.'", "numbers for")],
    "assign empty_net.tntp": [("empty_net.tntp", "an empty file", "TNTP")],
    "assign garbage_net.tntp": [("garbage_net.tntp", "no UTF-8", "text")],
    "assign a_folder_net.tntp": [("a_folder_net.tntp", "a folder", "a file")],
    "assign a_file": [("a_file", "no network that is known", ".osm.pbf")],
    "assign ok.osm": [("ok.osm", "without zones", "zones to assign trips between")],
    "assign gmns": [("gmns/link.csv:1", "no column to_node_id")],
    "assign built": [("built/network.json", "damaged")],
    "assign '没有 这个_net.tntp'": [("没有 这个_net.tntp", "no such file")],
    "assign ok_net.tntp '出行 表.csv'": [("出行 表.csv", "no such file", "a trip matrix")],
    "assign ok_net.tntp zone_without_link.tntp":
        [("ok_net.tntp", "no link at zone 3", "7.0 trips/h", "connectors")],
    "assign ok_net.tntp unknown_zone.tntp":
        [("unknown_zone.tntp:4", "destination 9", "a zone from 1 to 3")],
    "assign ok_net.tntp unknown_zone.csv": [("unknown_zone.csv:3", "origin '8'", "a zone")],
    "assign ok_net.tntp nan.csv": [("nan.csv:3", "trips 'nan'", "finite number")],
    "assign ok_net.tntp empty.csv": [("empty.csv", "an empty file", "origin,destination,trips")],
    "assign ok_net.tntp header.csv": [("header.csv", "no trips", "above 0")],
    "assign ok_net.tntp other.csv": [("columns", "3 zones"), ("rows", "3 zones")],
    "assign ok_net.tntp a_folder.csv": [("a_folder.csv", "a folder", "a file")],
    "assign ok_net.tntp garbage.omx": [("garbage.omx", "HDF5", "an OMX file")],
    "assign ok_net.tntp shape.omx": [("shape.omx", "2 x 2", "3 x 3")],
    "assign ok_net.tntp a_file": [("a_file", "the ending ''", ".omx, .csv or .tntp")],
    "assign ok_net.tntp --gap 2": [("--gap", "found 2", "below 1")],
    "assign ok_net.tntp --gap nan": [("--gap", "'nan'", "a number from 0 up")],
    "assign ok_net.tntp --threads 0": [("--threads", "'0'", "from 1 up")],
    "assign ok_net.tntp --max-iterations 1.5": [("--max-iterations", "'1.5'", "a whole number")],
    "assign ok_net.tntp --toll-factor x": [("--toll-factor", "'x'", "a number")],
    "assign ok_net.tntp --algorithm nonsense --gap 1 --lost-demand 5km": [
        ("--algorithm", "'nonsense'", "bfw"), ("--gap", "found 1"), ("--lost-demand", "'5km'"),
    ],
    "assign ok_net.tntp --lost-demand=-1": [("--lost-demand", "'-1'", "0 % to 100 %")],
    "assign ok_net.tntp --lost-demand '101 %'": [("--lost-demand", "'101 %'", "0 % to 100 %")],
    "assign ok_net.tntp --nonsense 1": [("--nonsense", "--help")],
    "assign ok_net.tntp --json a_file/x.json": [("a_file", "found a file", "a folder")],
    "assign ok_net.tntp --flows a_file/x.csv": [("a_file", "found a file", "a folder")],
    "assign ok_net.tntp --flows a_folder.csv": [("a_folder.csv", "found a folder", "a file")],
    "assign ok_net.tntp --flows 'no where/x.csv'": [("no where", "no such folder", "x.csv")],
    "assign ok_net.tntp --flows x --json x": [("x", "two options", "a file for each")],
    "density ok.osm --area crossing.geojson": [("crossing.geojson", "bow tie", "valid polygons")],
    "density ok.osm --area garbage.geojson": [("garbage.geojson", "polygons")],
    "density ok.osm --area 没有.geojson": [("没有.geojson", "No such file")],
    "density ok.osm --area other.csv": [("other.csv", "without shapes", "polygons")],
    "density ok.osm --area 200,28,201,29": [("--area", "200,28,201,29", "in degrees")],
    "density ok.osm --area 113,28,112,29": [("--area", "113,28,112,29", "west,south,east,north")],
    "density ok.osm --area 113,28,114": [("--area", "'113,28,114'", "west,south,east,north")],
    "density ok.osm --area central": [("--area", "central", "without zone polygons")],
    "density ok.osm --convention nonsense": [("convention", "'nonsense'", "cn-urban")],
    "density ok.osm --json a_file/x.json": [("a_file", "found a file", "a folder")],
    "density cut.osm": [("cut.osm", "bytes", "a whole OpenStreetMap file")],
    "density built": [("built/network.json", "damaged")],
    "network build garbage.osm.pbf": [("garbage.osm.pbf", "damaged", "fetch")],
    "network build empty.osm.pbf": [("empty.osm.pbf", "an empty file", "fetch it again")],
    "network build rails.osm": [("rails.osm", "no road", "highway")],
    "network build garbage.toml": [("garbage.toml",)],
    "network build syntax.toml": [("syntax.toml", "syntax.toml:1")],
    "network build a_folder.toml": [("a_folder.toml",)],
    "network build box.toml": [("bbox", "200.0", "in degrees")],
    "network build key.toml": [("key.toml:5", "'fil'", "did you mean 'file'"), ("key.toml",)],
    "network build nofile.toml": [("nofile.toml:5", "没有.osm", "does not exist")],
    "network build ok.osm --out a_file": [("a_file", "no built network", "--out")],
    "network build ok.osm --out a_file/x": [("a_file/x", "a folder")],
    "network build ok.osm --json a_file/x": [("a_file/x", "a file")],
    "network info '北 network'": [("北 network", "found nothing")],
    "compare half half": [("half", "cannot be read", "run the scenario again")],
    "compare odd odd": [("odd", "cannot be read", "run the scenario again")],
    "compare list noise": [("list", "no run.json", "a result folder")],
    "compare noise list": [("noise", "no run.json", "a result folder")],
    "compare a_file a_file": [("a_file", "no such folder", "a result folder")],
    "compare '没 有' half": [("没 有", "no such folder")],
    "diff garbage.toml '没 有.toml'": [
        ("garbage.toml", "UTF-8"), ("没 有.toml", "no such file"),
    ],
    "diff a_folder.toml a_folder.toml": [("a_folder.toml", "a folder", "a scenario file")],
    "validate garbage.toml": [("garbage.toml:2", "UTF-8")],
    "validate a_folder.toml": [("a_folder.toml", "a folder", "a scenario file")],
    "run syntax.toml": [("syntax.toml:1", "broken TOML")],
    "run 'no 场景.toml'": [("no 场景.toml", "no such file")],
    "run syntax.toml --threads 0": [("--threads", "'0'")],
    "explain assignment.relative_gapp": [("assignment.relative_gapp", "a key")],
    "init a_file": [("a_file", "a folder")],
    "fly": [("'fly'", "--help")],
}  # fmt: skip


@pytest.mark.parametrize("words", CASES)
def test_a_broken_input_is_refused(
    words: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(p.name for p in place.rglob("*"))
    try:
        code = main(shlex.split(words))
    except SystemExit as stop:
        code = int(str(stop.code))
    said = capsys.readouterr().err
    assert code == 2, said
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    assert len(lines) == len(CASES[words]), said
    for line, parts in zip(lines, CASES[words], strict=True):
        for part in parts:
            assert part in line
    assert sorted(p.name for p in place.rglob("*")) == before


@pytest.mark.data
def test_a_cut_off_extract_is_refused(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (data_dir / "osm/changsha-northeast.osm.pbf").read_bytes()
    for share in (0.3, 0.9):
        path = tmp_path / "cut.osm.pbf"
        path.write_bytes(whole[: int(share * len(whole))])
        assert main(["network", "build", str(path)]) == 2
        said = capsys.readouterr().err
        assert f"error: {path}: found {path.stat().st_size:,} bytes that break off" in said
        assert "fetch or copy it again" in said


def cczsim(*words: str, **options: Any) -> subprocess.Popen[str]:
    code = "import sys; from cczsim.cli import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], text=True, stderr=subprocess.PIPE, **options
    )


@pytest.mark.skipif(os.name != "posix", reason="pipes close otherwise here")
@pytest.mark.parametrize(
    "words", [("schema",), ("explain", "assignment.relative_gap"), ("--help",)]
)
def test_a_pipe_that_nobody_reads_is_no_error(words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    process = cczsim(*words, stdout=write)
    os.close(write)
    _, said = process.communicate(timeout=60)
    assert said == ""
    # argparse itself keeps silent about a pipe that closed, and goes on to exit with 0.
    assert process.returncode == (0 if words == ("--help",) else 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk to write to")
def test_a_full_disk_is_said() -> None:
    with Path("/dev/full").open("w") as full:
        process = cczsim("schema", stdout=full)
        _, said = process.communicate(timeout=60)
    assert said.startswith("error: standard output: found No space left")
    assert len(said.splitlines()) == 1
    assert process.returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="no interrupt can be sent here")
@pytest.mark.parametrize("step", ["read", "compile"])
def test_an_interrupt_ends_in_one_line(step: str, tmp_path: Path) -> None:
    side = 60
    links = [
        f"{a + 1} {b + 1} 9 1 1 0.15 4 0 0 1 ;"
        for k in range(side * side)
        for b in ([k + 1] if k % side < side - 1 else [])
        + ([k + side] if k < side**2 - side else [])
        for a, b in ((k, b), (b, k))
    ]
    (tmp_path / "big_net.tntp").write_text(
        f"<NUMBER OF ZONES> 400\n<NUMBER OF NODES> {side**2}\n<FIRST THRU NODE> 1\n"
        f"<NUMBER OF LINKS> {len(links)}\n<END OF METADATA>\n" + "\n".join(links)
    )
    rows = "".join(f"{o},{d},1\n" for o in range(1, 401) for d in range(1, 401, 7))
    (tmp_path / "trips.csv").write_text("origin,destination,trips\n" + rows)
    words = ["assign", "big_net.tntp", "trips.csv", "--gap", "0", "--json", "x.json"]
    process = cczsim(*words, "--max-iterations", "1000000", cwd=tmp_path)
    assert process.stderr is not None
    while not process.stderr.readline().startswith(step):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "interrupted: no half result was left"
    assert process.returncode == 130
    assert not (tmp_path / "x.json").exists()


@pytest.mark.parametrize("raised", [KeyboardInterrupt, MemoryError, PermissionError(13, "no", "f")])
def test_what_the_machine_refuses_is_one_line(
    raised: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise raised

    monkeypatch.setattr("cczsim.pipeline.scenarios.schema", refuse)
    done: Callable[[], int] = lambda: main(["schema"])  # noqa: E731
    assert done() in (2, 130)
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
