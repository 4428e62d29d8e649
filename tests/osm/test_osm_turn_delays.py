from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cczsim.errors import InputError
from cczsim.io.recipe import read_recipe
from cczsim.network.provenance import Source
from cczsim.osm.extract import OsmExtract
from cczsim.osm.road_build import RoadBuild, build_roads
from cczsim.osm.turn_delays import ACROSS, BACK, CYCLE
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.recipes import build_extract

Make = Callable[..., OsmExtract]
SIDE = {"highway": "residential"}
CROSSING = (([13, 33], SIDE), ([33, 53], SIDE), ([31, 33], SIDE), ([33, 35], SIDE))
"""West 13, east 53, south 31 and north 35 of a crossing at 33."""


def penalties(build: RoadBuild) -> dict[tuple[int, int, int], float]:
    """Return the penalty of each turn by its three nodes."""
    road, turns = build.road, build.turns
    out = {}
    for rule in range(turns.n_turns):
        a, b = turns.links_of(rule)
        key = tuple(int(road.node_id[k]) for k in (road.tail[a], road.head[a], road.head[b]))
        out[key] = out.get(key, 0.0) + float(turns.penalty[rule])
    return out


def test_turns_across_and_back(make_extract: Make) -> None:
    right = penalties(build_roads(make_extract(*CROSSING), turn_delays="keep-right"))
    left = penalties(build_roads(make_extract(*CROSSING), turn_delays="keep-left"))
    across = {(13, 33, 35), (53, 33, 31), (31, 33, 13), (35, 33, 53)}
    back = {(k, 33, k) for k in (13, 53, 31, 35)}
    assert right == dict.fromkeys(across, ACROSS) | dict.fromkeys(back, BACK)
    assert set(left) == {(c, b, a) for a, b, c in across} | back
    assert not penalties(build_roads(make_extract(*CROSSING)))


def test_signals_delay_whoever_comes_to_them(make_extract: Make) -> None:
    signals = {33: {"highway": "traffic_signals"}}
    build = build_roads(make_extract(*CROSSING, node_tags=signals), turn_delays="keep-right")
    found = penalties(build)
    wait = 0.5 * CYCLE * (1 - 0.4) ** 2
    assert found[13, 33, 53] == pytest.approx(wait)
    assert found[13, 33, 35] == pytest.approx(wait + ACROSS)
    assert found[13, 33, 13] == pytest.approx(wait + BACK)
    assert len(found) == 16
    assert set(build.turns.turn_source) == {int(Source.DEFAULT)}


def test_a_bend_is_no_turn_and_a_forbidden_one_stays_so(make_extract: Make) -> None:
    bend = build_roads(make_extract(([13, 33], SIDE), ([33, 35], SIDE)), turn_delays="keep-right")
    assert set(penalties(bend)) == {(13, 33, 13), (35, 33, 35)}
    rule = (["w1 from", "n33 via", "w4 to"], {"type": "restriction", "restriction": "no_left_turn"})
    crossing = make_extract(*CROSSING, relations=[rule])
    found = penalties(build_roads(crossing, turn_delays="keep-right"))
    assert np.isinf(found[13, 33, 35])


@pytest.mark.data
def test_a_recipe_asks_for_them(data_dir: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    extract = data_dir / "osm" / "helsinki-centre.osm.pbf"
    recipe.write_text(
        f'kind = "osm"\n[source]\nfile = "{extract}"\nturn_delays = "left"\n', encoding="utf-8"
    )
    with pytest.raises(InputError, match="keep-right or keep-left"):
        read_recipe(recipe)
    network = build_extract(extract, Progress(stream=io.StringIO()), turn_delays="keep-right")
    assert network.turns is not None
    assert network.info.build["roads"]["turn_delays"]["rules"] > 1000
    assert (network.turns.penalty > 0.0).all()
