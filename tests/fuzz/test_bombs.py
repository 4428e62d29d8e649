"""Small files that would swell: refused, or read within 1 GB and 10 seconds of the processor."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest

from cczsim.io.gtfs import read_feeds
from cczsim.io.gtfs_calendar import read_window
from cczsim.io.matrices import read_matrix
from cczsim.io.osm_file import read_osm
from cczsim.io.recipe import read_recipe
from cczsim.io.scenario_file import read_scenario

Read = Callable[[], object]
Make = Callable[[Path], Read]
HERE = Path(__file__).resolve().parent
LAUGHS = "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 10))


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_for_bombs", HERE / "fuzz.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def laughs(folder: Path) -> Read:
    (folder / "a.osm").write_text(
        f'<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY a0 "ha">{LAUGHS}]>'
        '<osm version="0.6"><node id="1" lon="1" lat="1"><tag k="name" v="&a9;"/></node></osm>'
    )
    return lambda: read_osm(folder / "a.osm")


def zeros_in(opened: Callable[..., gzip.GzipFile | bz2.BZ2File], name: str) -> Make:
    def make(folder: Path) -> Read:
        with opened(folder / name, "wb") as file:
            for _ in range(1024):
                file.write(bytes(2**20))
        assert (folder / name).stat().st_size < 2**22
        return lambda: read_osm(folder / name)

    return make


def comment(folder: Path) -> Read:
    """One element without an end, which a parser has to keep until it sees the end."""
    with gzip.open(folder / "a.osm.gz", "wb", compresslevel=1) as file:
        file.write(b'<osm version="0.6"><node id="1" lon="1" lat="1"><tag k="name" v="')
        for _ in range(512):
            file.write(b"a" * 2**20)
    return lambda: read_osm(folder / "a.osm.gz")


def swollen_feed(folder: Path) -> Read:
    with zipfile.ZipFile(folder / "feed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("stops.txt", "w") as member:
            for _ in range(1500):
                member.write(bytes(2**20))
        archive.writestr("trips.txt", "route_id,service_id,trip_id\n")
    return lambda: read_feeds([(folder / "feed.zip", read_window("2024-01-03", "07:00", "09:00"))])


def swollen_matrix(folder: Path) -> Read:
    with h5py.File(folder / "m.omx", "w") as file:
        file.create_group("data").create_dataset(
            "trips", shape=(60_000, 60_000), dtype="f8", chunks=(1000, 1000), compression="gzip"
        )
    return lambda: read_matrix(folder / "m.omx", np.arange(1, 4))


def nested(read: Callable[[Path], object], name: str) -> Make:
    def make(folder: Path) -> Read:
        (folder / name).write_text("a = " + "[" * 200_000 + "]" * 200_000)
        return lambda: read(folder / name)

    return make


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(laughs, id="xml entities"),
        pytest.param(zeros_in(gzip.open, "a.osm.gz"), id="gzip"),
        pytest.param(zeros_in(bz2.open, "a.osm.bz2"), id="bzip2"),
        pytest.param(comment, id="one long value"),
        pytest.param(swollen_feed, id="zip"),
        pytest.param(swollen_matrix, id="omx"),
        pytest.param(nested(read_recipe, "recipe.toml"), id="nested recipe"),
        pytest.param(nested(read_scenario, "plan.toml"), id="nested scenario"),
    ],
)
def test_a_bomb_is_refused(make: Make, fuzz: ModuleType, tmp_path: Path) -> None:
    read = make(tmp_path)

    def attempt(_: Path) -> None:
        read()

    outcome = fuzz.attempt(attempt, tmp_path)
    assert outcome.kind == "refused", outcome
