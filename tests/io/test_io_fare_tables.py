"""``[transit.fares]``: polygons of zones and a table of prices become tickets of lines."""

from __future__ import annotations

import json

import numpy as np
import pytest
from test_io_line_sources import BUS, COLUMNS, ROWS, STOPS, ZONES, Recipes, build

from cczsim.assignment.transit import skim_transit
from cczsim.errors import InputError
from cczsim.io.bundle import read_bundle, save_network

LINES = f'[[transit.lines]]\n{COLUMNS}mode = "metro"\nonly = ["M1"]\n'
FARES = '[transit.fares]\nzones = "a.geojson"\nprices = "p.csv"\nmodes = ["metro"]\n'


def areas(*names: str, key: str = "zone", width: float = 0.025) -> str:
    """Return rectangles from 112.99 east on, side by side."""
    rows = []
    for k, name in enumerate(names):
        west, east = 112.99 + width * k, 112.99 + width * (k + 1)
        ring = [[west, 28.0], [east, 28.0], [east, 28.1], [west, 28.1], [west, 28.0]]
        rows.append({"type": "Feature", "properties": {key: name},
                     "geometry": {"type": "Polygon", "coordinates": [ring]}})  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": rows})


def test_zones_and_prices_become_tickets(make_recipe: Recipes, tmp_path) -> None:
    """West is in A, Middle and East in B, East beyond its edge."""
    path = make_recipe(
        ZONES + LINES + BUS + FARES, l_csv=STOPS, z_csv=ROWS, a_geojson=areas("A", "B"),
        p_csv="zones,price\n1,2\n2,3.5\n",
    )  # fmt: skip
    network = build(path)
    transit = network.transit
    assert dict(zip(transit.stop_name.tolist()[:3], transit.fare_zone.tolist()[:3],
                    strict=True)) == {"West": "A", "Middle": "B", "East": "B"}  # fmt: skip
    assert transit.fare_system.tolist() == ["recipe"] * 2 + [""] * (transit.n_lines - 2)
    assert transit.ticket_price.tolist() == [2.0, 3.5]
    assert transit.ticket_zones.tolist() == [1, 2]
    assert network.info.build["fares"] == {
        "lines": 2, "zones": 2, "tickets": 2, "stops": 3, "stops_outside": 1,
    }  # fmt: skip
    assert "1 of 3 stops lie in no fare zone: they take the nearest." in network.info.notes
    save_network(network, tmp_path / "built")
    again = read_bundle(tmp_path / "built").transit
    assert again.fare_zone.tolist() == transit.fare_zone.tolist()
    skims = skim_transit(again, network.zones)
    assert set(np.unique(skims.tickets[np.isfinite(skims.tickets)]).tolist()) <= {0.0, 2.0, 3.5}


def test_pairs_hold_both_ways_unless_both_are_given(make_recipe: Recipes) -> None:
    body = LINES + FARES.replace("modes", 'id = "name"\ntransfers = 1\nmodes')
    path = make_recipe(
        body, l_csv=STOPS, a_geojson=areas("A", "B", key="name"),
        p_csv="from,to,price\nA,A,2\nA,B,3\nB,A,4\nB,B,2.5\n",
    )  # fmt: skip
    transit = build(path).transit
    assert transit.ticket_transfers.tolist() == [1] * 4
    rules = zip(transit.rule_ticket, transit.rule_from, transit.rule_to, strict=True)
    assert {(int(k), str(a), str(b)) for k, a, b in rules} == {
        (0, "A", "A"), (1, "A", "B"), (2, "B", "A"), (3, "B", "B"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "prices", "said"),
    [
        (("p.csv", "q.csv"), "zones,price\n1,2\n", "transit.fares.prices"),
        (('zones = "a.geojson"\n', ""), "zones,price\n1,2\n", "no zones"),
        (("metro", "subway"), "zones,price\n1,2\n", "transit.fares.modes"),
        (("", ""), "zones,price\n", "no rows"),
        (("", ""), "zones,price\n1,-2\nx,3\n", "p.csv:2: price"),
        (("", ""), "zones,price\n1,2\nx,3\n", "p.csv:3: zones"),
        (("", ""), "from,to,price\nA,C,2\n", "p.csv:2: to: found 'C'"),
        (("", ""), "begin,to,price\nA,B,2\n", "zones,price or from,to,price"),
        (("", ""), "zones,cost\n1,2\n", "no column price"),
        (('prices = "p.csv"', 'prices = "p.csv"\nid = "nr"'), "zones,price\n1,2\n", "no nr"),
    ],
)
def test_wrong_fares(make_recipe: Recipes, change: tuple[str, str], prices: str, said: str) -> None:
    path = make_recipe(
        LINES + FARES.replace(*change), l_csv=STOPS, a_geojson=areas("A", "B"), p_csv=prices
    )
    with pytest.raises(InputError) as error:
        build(path)
    assert said in str(error.value)
