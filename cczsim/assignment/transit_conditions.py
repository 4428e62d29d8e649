"""What a ride and a wait cost when vehicles fill: crowding aboard, and frequency with room.

Time aboard weighs, with the load r = passengers / places and the share of seats s,

    1 + standing_penalty max(0, 1 - s / r) + crowding_penalty D max(0, r - s) / (1 - s),

the mean over those who sit and those who stand; D is the number of standing passengers on a square
metre of a full vehicle. Source: D. Hörcher, D. J. Graham and R. J. Anderson (2017), Crowding cost
estimation with large scale smart card and vehicle location data, *Transportation Research B* 95.

The frequency that those who board meet is, with those aboard having their places already,

    f (1 - (boardings / (places - those who stay aboard))^full_power).

Source: M. Cepeda, R. Cominetti and M. Florian (2006), section 2, *Transportation Research B* 40(6).
Where less than ``LEAST_FREQUENCY`` of it is left the wait goes on as a straight line, so that
iterations may pass through loads that no equilibrium has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.assignment.transit import LineGraph
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.network.provenance import Source
from cczsim.network.transit import MODES, TransitNetwork

ROOM: Final[dict[str, tuple[float, float]]] = {
    "metro": (0.2, 6.0), "rail": (0.8, 2.0), "maglev": (0.3, 4.0), "light_rail": (0.25, 5.0),
    "tram": (0.3, 5.0), "monorail": (0.25, 5.0), "bus": (0.35, 6.0), "ferry": (0.8, 2.0),
}  # fmt: skip
"""By mode: seats as a share of places, and standing passengers on a square metre when full.

Assumed; Chinese vehicles are rated at 6 a square metre."""
LEAST_FREQUENCY: Final = 3e-3
_LEAST_ROOM: Final = 1e-3


@dataclass(frozen=True)
class Conditions:
    """Costs of rides and waits at some flows, and how steep they are; all ``[entry]``.

    Parameters
    ----------
    time_weight, wait_stretch : array [entry]
        Weight of time aboard; nominal over effective frequency.
    bend_run : array [entry], s
        Flow times the derivative of the run's cost by flow.
    bend_wait : array [entry]
        Minus the elasticity of the effective frequency to boardings.
    """

    time_weight: Array
    wait_stretch: Array
    bend_run: Array
    bend_wait: Array

    def of(self, graph: LineGraph) -> LineGraph:
        """Return a graph of nominal times and frequencies under these conditions."""
        extra = graph.run_time * (self.time_weight - 1.0)
        return graph._replace(
            run_fare=graph.run_fare + extra, frequency=graph.frequency / self.wait_stretch
        )


def counted_places(transit: TransitNetwork, params: TransitParams) -> Array:
    """Return the places that each line offers in an hour, ``[line]``; inf where they do not count.

    They do not count where the vehicles' places are not known and, for ``crowded_lines`` "known",
    on lines that were made up.
    """
    counts = transit.seats_and_standing > 0.0
    if params.crowded_lines == "known":
        counts &= transit.headway_source != int(Source.GENERATED)
    places = transit.seats_and_standing * 3600.0 / transit.headway
    return np.asarray(np.where(counts, places, np.inf))


def conditions(
    transit: TransitNetwork, params: TransitParams, aboard: Array, boardings: Array,
    run_time: Array, least_frequency: float = LEAST_FREQUENCY,
) -> Conditions:  # fmt: skip
    """Return the conditions at flows of entries, trips/h.

    Parameters
    ----------
    aboard : array [entry]
        On the run that leaves the entry.
    boardings : array [entry]
    run_time : array [entry], s
    least_frequency : float
        Share of the frequency from which on waits grow along a straight line.
    """
    per_line = np.diff(transit.line_first)
    places = np.repeat(counted_places(transit, params), per_line)
    if params.crowding == "off":
        places = np.full(len(places), np.inf)
    seats, density = (np.repeat(np.array(column)[transit.mode], per_line)
                      for column in zip(*(ROOM[mode] for mode in MODES), strict=True))  # fmt: skip
    load = aboard / places
    standing = np.maximum(load - seats, 0.0)
    packed = params.crowding_penalty * density / (1.0 - seats)
    sitting = seats / np.maximum(load, seats)
    weight = 1.0 + params.standing_penalty * (1.0 - sitting) + packed * standing
    slope = np.where(load > seats, params.standing_penalty * sitting + packed * load, 0.0)
    if params.crowding != "capacity":
        ones = np.ones(len(places))
        return Conditions(weight, ones, run_time * slope, np.zeros(len(places)))
    stretch, steep = _stretch(
        boardings, aboard - boardings, places, params.full_power, least_frequency
    )
    return Conditions(weight, stretch, run_time * slope, steep)


def _stretch(
    boardings: Array, staying: Array, places: Array, power: float, least: float
) -> tuple[Array, Array]:
    """Return nominal over effective frequency, and its elasticity to boardings."""
    limited = np.isfinite(places)
    room = np.where(limited, np.maximum(places - staying, _LEAST_ROOM * places), np.inf)
    asked = boardings / room
    last = (1.0 - least) ** (1.0 / power)
    low = np.minimum(asked, last)
    left = 1.0 - low**power
    # The derivative of 1 / left at the point where it goes on as a straight line.
    slope = power * last ** (power - 1.0) / least**2
    over = np.maximum(asked - last, 0.0)
    stretch = 1.0 / left + slope * over
    elasticity = np.where(over > 0.0, slope * asked / stretch, power * low**power / left)
    return stretch, elasticity
