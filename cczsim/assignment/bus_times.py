"""Buses among cars: what congestion does to their run times, and what they take of the road.

A bus loses ``bus_delay`` seconds for each that a car loses to other cars on the same metres of the
same street; what the timetable holds beside, stops and dwell included, stays as it is. A bus counts
as ``bus_pce`` cars on the streets it runs on, as flow beside that of the cars
(``RoadNetwork.background``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.network.bus_streets import StreetRuns, street_runs
from cczsim.network.provenance import GUESSED
from cczsim.network.road import RoadNetwork
from cczsim.network.transit import TransitNetwork

_GUESSED: Final = [int(source) for source in GUESSED]


@dataclass(frozen=True, eq=False)
class BusTimes:
    """Buses whose run times follow the roads.

    Parameters
    ----------
    runs : StreetRuns
        Of those lines alone.
    road : RoadNetwork
        With the buses of all lines that run on streets in its background.
    """

    runs: StreetRuns
    road: RoadNetwork
    _scheduled: Array
    _free_time: Array
    _delay: float

    @classmethod
    def of(
        cls, road: RoadNetwork, transit: TransitNetwork, params: TransitParams
    ) -> BusTimes | None:
        """Return the buses of a network; None where ``params`` leave them to their timetable."""
        if params.bus_times == "timetable":
            return None
        runs = street_runs(road, transit)
        per_line = np.diff(transit.line_first)
        hourly = np.repeat(3600.0 / transit.headway, per_line)
        flow = hourly[runs.run] * runs.metres / road.length[runs.link] * params.bus_pce
        background = road.background + np.bincount(runs.link, flow, road.n_links)
        if params.bus_times == "assumed":
            guessed = np.repeat(np.isin(transit.run_time_source, _GUESSED), per_line)
            runs = StreetRuns(*(column[guessed[runs.run]] for column in runs))
        return cls(
            runs,
            road.replace(background=background),
            transit.run_time,
            road.free_flow_time,
            params.bus_delay,
        )

    def run_time(self, link_time: Array) -> Array:
        """Return the run times at the times of links, ``[line_stop], s``.

        Parameters
        ----------
        link_time : array [link], s
        """
        lost = (link_time - self._free_time) / np.where(self.road.length > 0, self.road.length, 1.0)
        late = self._delay * self.runs.metres * lost[self.runs.link]
        return self._scheduled + np.bincount(self.runs.run, late, len(self._scheduled))
