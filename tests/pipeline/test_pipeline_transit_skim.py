"""``cczsim transit skim`` from its words to its files."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from test_pipeline_transit import FEED

from cczsim.cli import main


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FEED.items():
            archive.writestr(name, text)
    return path


def run(*words: object) -> int:
    return main(["transit", "skim", *(str(word) for word in words)])


def test_times_between_stops(feed: Path, tmp_path: Path) -> None:
    """Line 1 every 10 minutes from a, line 2 every 20 from c: known waits."""
    table, report = tmp_path / "t.csv", tmp_path / "t.json"
    words = ("--from", "07:00", "--to", "07:20", "--csv", table, "--json", report)
    assert run(feed, *words) == 0
    with table.open(encoding="utf-8") as file:
        rows = {(r["origin"], r["destination"]): r for r in csv.DictReader(file)}
    # Departures each minute from 07:00: waits 0, 9, 8, … 1 twice, then 5 min to c.
    assert float(rows["a", "c"]["mean_min"]) == pytest.approx(4.5 + 5.0)
    assert float(rows["a", "c"]["best_min"]) == 5.0
    assert float(rows["a", "c"]["worst_min"]) == 14.0
    # At c after 07:05 and 07:15 the next of line 2 is 07:20, after 07:25 it is 07:40.
    assert float(rows["a", "d"]["best_min"]) == 14.0
    assert ("d", "a") not in rows
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["departures"] == 20
    assert found["pairs_reached"] == len(rows) == 6


def test_places_walk_to_stops(feed: Path, tmp_path: Path) -> None:
    places = tmp_path / "地点 of trips.csv"
    places.write_text("id,lon,lat\nhome,10.001,0\nwork,10.02,0\nfar,11.5,0\n", encoding="utf-8")
    report = tmp_path / "t.json"
    assert run(feed, places, "--from", "07:00", "--to", "07:10", "--json", report) == 0
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["pairs_reached"] == 1
    # The walk takes 2 min and a little: who leaves by 07:07 is there at 07:15, the others 07:25.
    assert found["mean_min"] == pytest.approx((sum(range(8, 16)) + 17 + 16) / 10)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--every", "0 s"), "--every"),
        (("--longest", "30 h"), "--longest"),
        (("--from", "09:00", "--to", "08:00"), "--to"),
        (("--from", "20:00", "--to", "21:00"), "no run"),
        (("--max-walk", "far"), "--max-walk"),
    ],
)
def test_wrong_words(
    feed: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(feed, *words) == 2
    assert said in capsys.readouterr().err


def test_wrong_places(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = tmp_path / "p.csv"
    places.write_text("id,lon,lat\na,10,0\na,200,x\n", encoding="utf-8")
    assert run(feed, places) == 2
    assert capsys.readouterr().err.count("error:") == 3
    places.write_text("id,lon,lat\na,50,50\n", encoding="utf-8")
    assert run(feed, places) == 2
    assert "within" in capsys.readouterr().err
