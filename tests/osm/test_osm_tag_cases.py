"""The table of tag combinations in ``cases/osm-tags``: direction, class, lanes and speed."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cczsim.errors import OsmError
from cczsim.network.provenance import Source
from cczsim.network.road_class import CLASS_CODE
from cczsim.osm.extract import OsmExtract
from cczsim.osm.road_build import build_roads

TABLE = Path(__file__).parents[1] / "cases/osm-tags/cases.csv"
with TABLE.open(encoding="utf-8") as file:
    CASES = list(csv.DictReader(file))


def test_the_table_is_large_and_says_where_each_rule_stands() -> None:
    assert len(CASES) >= 60
    assert len({row["tags"] for row in CASES}) == len(CASES)
    assert all(row["wiki"] for row in CASES)


@pytest.mark.parametrize("row", CASES, ids=[row["tags"] for row in CASES])
def test_what_a_combination_says(
    make_extract: Callable[..., OsmExtract], row: dict[str, str]
) -> None:
    tags = dict(item.split("=", 1) for item in row["tags"].split(" + "))
    extract = make_extract(([1, 2], tags))
    if row["direction"] == "closed":
        with pytest.raises(OsmError, match="no road for cars"):
            build_roads(extract)
        return
    road = build_roads(extract).road
    ahead = road.node_id[road.tail] == 1
    open_ = {(True, True): "both", (True, False): "forward", (False, True): "backward"}
    assert open_[bool(ahead.any()), bool((~ahead).any())] == row["direction"]
    assert (road.road_class == CLASS_CODE[row["class"]]).all()
    for side, rows in (("forward", np.flatnonzero(ahead)), ("backward", np.flatnonzero(~ahead))):
        for a in rows.tolist():
            for name, value, source in (
                ("lanes", road.lanes[a], road.lanes_source[a]),
                ("kmh", road.speed[a] * 3.6, road.speed_source[a]),
            ):
                expected = row[f"{name}_{side}"]
                if expected:
                    assert value == pytest.approx(float(expected), abs=0.01)
                    assert source in (Source.TAGGED, Source.DERIVED)
                else:
                    assert source == Source.DEFAULT, "a guess is marked as one"
