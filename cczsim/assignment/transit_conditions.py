"""What a ride and a wait cost when vehicles fill: crowding aboard, and frequency with room.

Time aboard weighs, with the load r = passengers / places and the share of seats s,

    1 + standing_penalty max(0, 1 - s / r) + crowding_penalty D max(0, r - s) / (1 - s),

the mean over those who sit and those who stand; D is the number of standing passengers on a square
metre of a full vehicle. Source: D. Hörcher, D. J. Graham and R. J. Anderson (2017), Crowding cost
estimation with large scale smart card and vehicle location data, *Transportation Research B* 95.

The frequency that those who board meet falls with the load that leaves their stop,

    f (1 - r^full_power),

so that nobody rides above capacity, whatever the demand. Sources: J. de Cea and E. Fernández
(1993), Transit assignment for congested public transport systems, *Transportation Science* 27(2),
for waits that grow with the load that leaves the stop; M. Cepeda, R. Cominetti and M. Florian
(2006), section 2, *Transportation Research B* 40(6), for frequencies that end at capacity. Below a
share of ``LEAST_FREQUENCY`` the wait goes on as a straight line, so that it is known for any flow.
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
LEAST_FREQUENCY: Final = 1e-5


@dataclass(frozen=True)
class Conditions:
    """What a ride and a wait cost at some loads, and how steeply that rises; all ``[entry]``.

    Parameters
    ----------
    time_weight, wait_stretch : array [entry]
        Weight of time aboard; nominal over effective frequency.
    weight_slope, stretch_slope : array [entry]
        Their derivatives by load.
    """

    time_weight: Array
    wait_stretch: Array
    weight_slope: Array
    stretch_slope: Array

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


class Vehicles:
    """The vehicles of all lines, entry by entry, and what their load does.

    Parameters
    ----------
    transit : TransitNetwork
    params : TransitParams

    Attributes
    ----------
    places : array [entry], 1/h
        inf where they do not count.
    """

    def __init__(self, transit: TransitNetwork, params: TransitParams) -> None:
        per_line = np.diff(transit.line_first)
        self.places = np.repeat(counted_places(transit, params), per_line)
        if params.crowding == "off":
            self.places = np.full(len(self.places), np.inf)
        seats, density = np.array([ROOM[mode] for mode in MODES]).T
        self._seats = np.repeat(seats[transit.mode], per_line)
        density = np.repeat(density[transit.mode], per_line)
        self._packed = params.crowding_penalty * density / (1.0 - self._seats)
        self._standing_penalty = params.standing_penalty
        self.power = params.full_power if params.crowding == "capacity" else None

    def at(self, load: Array) -> Conditions:
        """Return the conditions at loads, passengers over places, ``[entry]``."""
        sitting = self._seats / np.maximum(load, self._seats)
        standing = np.maximum(load - self._seats, 0.0)
        weight = 1.0 + self._standing_penalty * (1.0 - sitting) + self._packed * standing
        rising = self._standing_penalty * sitting / np.maximum(load, self._seats) + self._packed
        slope = np.where(load > self._seats, rising, 0.0)
        if self.power is None:
            return Conditions(weight, np.ones(len(load)), slope, np.zeros(len(load)))
        last = (1.0 - LEAST_FREQUENCY) ** (1.0 / self.power)
        low = np.minimum(load, last)
        left = 1.0 - low**self.power
        steep = self.power * low ** (self.power - 1.0) / left**2
        return Conditions(weight, 1.0 / left + steep * (load - low), slope, steep)
