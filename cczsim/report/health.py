"""The health of a built network as one page: what became of the input, and what looks wrong.

One file that opens offline and runs no script but its own; names are escaped. Links lead to
OpenStreetMap's own pages, to see an object or to mend it.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

import jinja2
import numpy as np
from markupsafe import Markup

from cczsim.network.edit import carriageway_rows
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.road import ATTRIBUTES, RoadNetwork
from cczsim.network.suspects import Suspect, find_suspects
from cczsim.report.health_map import map_data

TEMPLATES: Final = files("cczsim.report").joinpath("templates")
POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
LISTED: Final = 100
RULES: Final = {
    "one_way_dead_end": "One-way streets that lead into or out of nothing",
    "motorway_alone": "Motorways that touch no other road",
    "speed_jump": "Speed limits that double or halve without a junction",
    "lanes_vanish": "Lanes that appear or vanish without a junction",
    "duplicate": "Streets that lie on one another",
    "no_length": "Links of no length",
    "station_off_tracks": "Stations far from tracks",
}


def health_page(network: Network) -> str:
    """Return the page of a network: HTML, the same for the same network."""
    suspects = find_suspects(network)
    roads = network.info.build.get("roads", {})
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATES.joinpath("health.html").read_text("utf-8"))
    return template.render(
        policy=POLICY,
        title=network.info.title or network.info.name,
        attribution=network.info.attribution,
        road=_size(network),
        ways=_ways(roads),
        components=roads.get("components", {}),
        controls=roads.get("controls", {}),
        centrelines=network.info.build.get("centrelines", {}),
        turns=roads.get("turn_restrictions", {}),
        refused=[
            row for row in roads.get("turn_restrictions", {}).get("relations", ()) if row["refused"]
        ][:LISTED],
        lines_on_tracks=network.info.build.get("lines_on_tracks", []),
        rail=network.info.build.get("rail", {}),
        n_stops=0 if network.transit is None else network.transit.n_stops,
        routes=network.info.build.get("routes", {}),
        left_routes=[
            row for row in network.info.build.get("routes", {}).get("each", ()) if row["left_out"]
        ][:LISTED],
        findings=[*roads.get("findings", []), *network.info.build.get("findings", [])],
        coordinates=network.info.build.get("coordinates", []),
        unread=roads.get("left_out_by_reader", {}),
        provenance=_provenance(network.road),
        sources=[source.name.lower() for source in Source],
        suspects=_by_rule(suspects),
        n_suspects=len(suspects),
        listed=LISTED,
        data=_script(map_data(network, suspects, list(RULES))),
    )


def _script(value: Any) -> Markup:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704  no < or & is left


def _size(network: Network) -> dict[str, Any]:
    road = network.road
    once = carriageway_rows(road)
    return {
        "nodes": road.n_nodes,
        "links": road.n_links,
        "km": float(road.length[once].sum()) / 1e3,
        "rules": 0 if network.turns is None else network.turns.n_turns,
        "lines": 0 if network.transit is None else network.transit.n_lines,
    }


def _ways(roads: dict[str, Any]) -> dict[str, Any]:
    """Return the account of ways by class, with totals that add up to the input."""
    rows = []
    for name, row in roads.get("highway", {}).items():
        gone = sum(part["ways"] for part in row["left_out"].values())
        gone_km = sum(part["km"] for part in row["left_out"].values())
        rows.append(
            {
                "name": name,
                "ways": row["ways"],
                "km": row["km"],
                "kept": row["kept_ways"],
                "kept_km": row["kept_km"],
                "gone": gone,
                "gone_km": gone_km,
                "why": dict(sorted(row["left_out"].items())),
                "adds_up": row["kept_ways"] + gone == row["ways"]
                and abs(row["kept_km"] + gone_km - row["km"]) < 1e-6 * max(row["km"], 1.0),
            }
        )
    rows.sort(key=lambda row: (-row["km"], row["name"]))
    total = {
        key: sum(row[key] for row in rows)
        for key in ("ways", "km", "kept", "kept_km", "gone", "gone_km")
    }
    return {"rows": rows, "total": total, "adds_up": all(row["adds_up"] for row in rows)}


def _provenance(road: RoadNetwork) -> list[tuple[str, list[float]]]:
    """Return for each attribute the share of link kilometres by source."""
    street = road.is_street
    out = []
    for name in ("class", *ATTRIBUTES, "control"):
        source = getattr(road, f"{name}_source")[street]
        km = np.bincount(source, road.length[street], minlength=len(Source))
        out.append((name, (km / max(float(km.sum()), 1e-9)).tolist()))
    return out


def _by_rule(suspects: list[Suspect]) -> list[dict[str, Any]]:
    out = []
    for rule, title in RULES.items():
        own = [(k, s) for k, s in enumerate(suspects) if s.rule == rule]
        out.append({"title": title, "count": len(own), "rows": own[:LISTED]})
    return out
