"""What the lines carry."""

from __future__ import annotations

from typing import Final

import numpy as np

from cczsim.assignment.result import TransitAssignment
from cczsim.indicators.indicator import Indicator
from cczsim.network.provenance import Source
from cczsim.network.transit import MODES, TransitNetwork

_LOAD: Final = "vehicles hold whoever comes: may exceed 100 %"
_MADE_UP: Final = "made up: one line stands for all buses of its street, with the places of one"
_SPEED: Final = "of vehicles, stops included"


def transit_indicators(network: TransitNetwork, result: TransitAssignment) -> list[Indicator]:
    """Return passenger-km and boardings by line and mode, speeds, and the fullest run of each line.

    A line is a route in a passenger's eyes: both directions together.
    """
    line_of = np.repeat(np.arange(network.n_lines), np.diff(network.line_first))
    travelled = result.segment_flow * network.run_length / 1e3
    load = result.segment_flow * network.headway[line_of] / 3600
    room = network.seats_and_standing[line_of]
    fullness = np.divide(load, room, out=np.full(len(load), np.nan), where=room > 0.0)
    out = [
        Indicator("passenger_km", float(travelled.sum()), "passenger km/h", {"area": "all"}),
        Indicator("boardings", float(result.boardings.sum()), "1/h", {"area": "all"}),
    ]
    if result.time_weight is not None:
        out += _crowded(network, result)
    mode = network.mode[line_of]
    for code in np.unique(network.mode):
        rows = mode == code
        by = {"transit_mode": MODES[code]}
        out.append(Indicator("passenger_km", float(travelled[rows].sum()), "passenger km/h", by))
        out.append(Indicator("boardings", float(result.boardings[rows].sum()), "1/h", by))
        hourly = rows / network.headway[line_of]
        took = float(hourly @ network.run_time)
        speed = 3.6 * float(hourly @ network.run_length) / took if took > 0.0 else float("nan")
        out.append(Indicator("line_speed", speed, "km/h", by, _SPEED))
    route = network.route[line_of]
    for name in dict.fromkeys(str(r) for r in network.route):
        rows = route == name
        by = {"line": name, "transit_mode": MODES[int(mode[rows][0])]}
        out.append(Indicator("passenger_km", float(travelled[rows].sum()), "passenger km/h", by))
        out.append(Indicator("boardings", float(result.boardings[rows].sum()), "1/h", by))
        known = fullness[rows][np.isfinite(fullness[rows])]
        most = float(known.max()) * 100 if len(known) else float("nan")
        made_up = bool((network.headway_source[line_of[rows]] == int(Source.GENERATED)).all())
        note = _MADE_UP if made_up else _LOAD if result.time_weight is None else ""
        out.append(Indicator("max_load", most, "%", by, note))
    return out


def _crowded(network: TransitNetwork, result: TransitAssignment) -> list[Indicator]:
    """Return what crowding does: the mean weight of a minute aboard, and who found no room."""
    assert result.time_weight is not None
    hours = result.segment_flow * network.run_time
    total = float(hours.sum())
    mean = float((hours * result.time_weight).sum()) / total if total > 0.0 else float("nan")
    by = {"area": "all"}
    return [
        Indicator("crowded_minute", mean, "", by, "weight of a minute aboard; 1 with a seat"),
        Indicator("no_room", result.given_up_demand, "1/h", by),
    ]
