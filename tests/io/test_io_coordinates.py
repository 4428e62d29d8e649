"""Chinese map coordinates come in at the door: GCJ-02 and BD-09 to WGS-84 and back."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.errors import InputError
from cczsim.io.tables import gcj02_to_bd09, to_wgs84, wgs84_to_gcj02
from cczsim.network.geometry import segment_lengths


def metres(lon: np.ndarray, lat: np.ndarray, lon2: np.ndarray, lat2: np.ndarray) -> np.ndarray:
    ends = np.column_stack([lon, lon2]).ravel(), np.column_stack([lat, lat2]).ravel()
    return segment_lengths(*ends)[::2]


@settings(deadline=None, max_examples=200)
@given(lon=st.floats(74, 134), lat=st.floats(19, 53))
def test_there_and_back_within_a_centimetre(lon: float, lat: float) -> None:
    x, y = np.array([lon]), np.array([lat])
    gcj = wgs84_to_gcj02(x, y)
    assert 5 < metres(x, y, *gcj)[0] < 1500
    assert metres(x, y, *to_wgs84(*gcj, "gcj02"))[0] < 0.01
    assert metres(x, y, *to_wgs84(*gcj02_to_bd09(*gcj), "bd09"))[0] < 0.01


def test_systems_by_name() -> None:
    x, y = np.array([112.9388]), np.array([28.2282])
    for name in ("wgs84", "cgcs2000"):
        assert [a.tolist() for a in to_wgs84(x, y, name)] == [x.tolist(), y.tolist()]
    lon, lat = to_wgs84(np.array([500_000.0]), np.array([3_123_000.0]), "EPSG:4547")
    assert lon[0] == pytest.approx(114.0, abs=1e-9)
    assert lat[0] == pytest.approx(28.2, abs=0.1)
    with pytest.raises(InputError):
        to_wgs84(x, y, "EPSG:999999")


@pytest.mark.data
def test_stations_that_were_converted_by_others(data_dir: Path) -> None:
    with (data_dir / "czt/main-line-stations.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    columns = (
        "lng火星",
        "lat火星",
        "WGS84_Lng",
        "WGS84_Lat",
    )  # BD-09 is of another source, 30 m off
    lon, lat, *theirs = (np.array([float(row[key]) for row in rows]) for key in columns)
    gap = metres(*to_wgs84(lon, lat, "gcj02"), *theirs)
    assert np.median(gap) < 2.0, "theirs is one step of what is iterated here"
