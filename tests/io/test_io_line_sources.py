"""Lines of recipes: read by the names of their columns, tied to zones, marked where assumed."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from cczsim.errors import InputError
from cczsim.io.line_sources import read_line_table
from cczsim.io.recipe import read_recipe
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.transit import MODE_CODE
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.recipes import build_recipe

Recipes = Callable[..., Path]
STOPS = (
    "line,colour,nr,sid,stop,x,y\n"
    "M1,#ff0000,1,a,West,113.00,28.02\nM1,#ff0000,2,b,Middle,113.02,28.02\n"
    "M1,#ff0000,3,c,East,113.05,28.02\nS2,#00ff00,1,b,Middle,113.02,28.02\n"
    "S2,#00ff00,2,d,North,113.02,28.05\n"
)
COLUMNS = (
    'file = "l.csv"\nseq = "nr"\nstop_id = "sid"\nstop_name = "stop"\nlon = "x"\nlat = "y"\n'
    'color = "colour"\n'
)
ZONES = '[zones]\nkind = "csv"\nfile = "z.csv"\n'
ROWS = "id,lon,lat,population,jobs\n7,113.01,28.01,100,10\n9,113.04,28.04,50,0\n"
BUS = '[transit.corridor_bus]\nclasses = ["primary"]\nmin_length_km = 3\nstop_spacing_m = 700\n'


def build(path: Path) -> Network:
    return build_recipe(read_recipe(path), Progress(stream=io.StringIO()))


def test_lines_and_made_up_buses_become_one_network(make_recipe: Recipes) -> None:
    body = (
        ZONES + f'[[transit.lines]]\n{COLUMNS}mode = "metro"\nonly = ["M1"]\n'
        f'[[transit.lines]]\n{COLUMNS}mode = "maglev"\nonly = ["S2"]\nheadway_min = 12\n' + BUS
    )
    network = build(make_recipe(body, l_csv=STOPS, z_csv=ROWS))
    transit, info = network.transit, network.info
    assert transit is not None
    assert transit.line_id.tolist()[:4] == ["M1 →", "M1 ←", "S2 →", "S2 ←"]
    assert transit.mode.tolist()[:4] == [MODE_CODE["metro"]] * 2 + [MODE_CODE["maglev"]] * 2
    sources = transit.headway_source.tolist()
    assert sources[:4] == [Source.DEFAULT] * 2 + [Source.USER] * 2
    assert set(sources[4:]) == {Source.GENERATED}
    assert transit.headway.tolist()[2] == 720.0
    assert transit.color.tolist()[0] == "#ff0000"
    assert info.build["corridor_bus"]["lines"] == 2
    assert info.build["transit_access"]["zones_without_stop"] == 0
    assert len(transit.walk_from) > 0
    assert set(transit.access_zone.tolist()) == {0, 1}
    assert sum("assumed" in note or "made up" in note for note in info.notes) == 2


def test_lines_without_zones_have_no_access(make_recipe: Recipes) -> None:
    network = build(make_recipe(BUS))
    assert network.transit is not None
    assert network.transit.n_lines == 4
    assert len(network.transit.access_zone) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("28.02\n", "98.02\n"), r"l\.csv:2: y"),
        (("M1,#ff0000,2", "M1,#ff0000,x"), r"l\.csv:3: nr"),
        (("S2,#00ff00,2,d,North,113.02,28.05\n", ""), "line S2"),
        (("sid", "station"), "no column sid"),
    ],
)
def test_wrong_tables(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "l.csv"
    path.write_text(STOPS.replace(*change, 1), encoding="utf-8")
    names = {"seq": "nr", "stop_id": "sid", "stop_name": "stop", "lon": "x", "lat": "y"}
    with pytest.raises(InputError, match=said):
        read_line_table({"file": path, **names})


def test_a_line_or_mode_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text(STOPS, encoding="utf-8")
    names = {"seq": "nr", "stop_id": "sid", "stop_name": "stop", "lon": "x", "lat": "y"}
    with pytest.raises(InputError) as caught:
        read_line_table({"file": path, **names, "only": ["M9"], "mode": "gondola"})
    assert len(caught.value.faults) >= 2
    assert "'M9'" in str(caught.value)
    assert "'gondola'" in str(caught.value)
