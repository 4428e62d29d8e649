"""Car parks that a scenario names: found among the stops and streets of its network."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import numpy as np

from cczsim.assignment.park_ride import ParkRide
from cczsim.columns import Array
from cczsim.errors import FaultCollector, ScenarioError
from cczsim.network.geometry import local_crs, project
from cczsim.network.lots import Lots, nearest_nodes
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.transit import TransitNetwork
from cczsim.scenario.keys import keys_of
from cczsim.scenario.lot_keys import LotKeys
from cczsim.scenario.result import Assumption

if TYPE_CHECKING:
    from cczsim.scenario.spec import ScenarioSpec

_REACH: Final = 1000.0
"""How far from a stop its car park may be tied to a street, m."""
_ONE_STATION: Final = 500.0
"""Stops of one name that lie no farther apart are one station, m."""


def park_ride_of(spec: ScenarioSpec, network: Network) -> ParkRide | None:
    """Return the car parks of a scenario on its network; None where it has none.

    Raises
    ------
    ScenarioError
        With every fault: stops that are not there, no street near one, trips observed by mode or
        crowding beside car parks.
    """
    named, transit, zones = spec.park_and_ride.lots, network.transit, network.zones
    if not named:
        return None
    faults = FaultCollector(ScenarioError)
    for path, other, wanted in (
        ("demand.observed", spec.demand.observed is not None, "not set"),
        ("transit.crowding", spec.transit.crowding != "off", '"off"'),
    ):
        if other:
            faults.add(
                _where(spec, path), "set beside park_and_ride.lots", wanted,
                "the two are not modelled together",
            )  # fmt: skip
    stops: list[Array] = []
    for name, lot in named.items():
        found = _stops(transit, lot.stop, _where(spec, f"park_and_ride.lots.{name}.stop"), faults)
        stops.append(found)
    faults.raise_if_any()
    assert transit is not None
    assert zones is not None
    first = np.array([rows[0] for rows in stops])
    node, _ = nearest_nodes(
        network.road, zones.centroid, transit.stop_lon[first], transit.stop_lat[first], _REACH
    )
    for name, row in zip(named, node, strict=True):
        if row < 0:
            faults.add(
                _where(spec, f"park_and_ride.lots.{name}.stop"), repr(named[name].stop),
                f"a stop within {_REACH:g} m of a street that cars may park at", "motorways and "
                "trunk roads are none, and each car park takes a node of its own",
            )  # fmt: skip
    faults.raise_if_any()

    def source(inner: str) -> Array:
        keys = [spec.origins.get(f"park_and_ride.lots.{n}.{inner}", "default") for n in named]
        guessed = np.array([where == "default" for where in keys])
        return np.where(guessed, int(Source.DEFAULT), int(Source.USER))

    lots = Lots(
        lot_name=np.array(list(named)),
        lot_node=node,
        places=np.array([lot.places for lot in named.values()]),
        fee=np.array([lot.fee for lot in named.values()]),
        places_source=source("places"),
        fee_source=source("fee"),
        access_lot=np.repeat(np.arange(len(stops)), [len(rows) for rows in stops]),
        lot_stop=np.concatenate(stops),
    )
    return ParkRide(lots, spec.park_and_ride.params)


def _where(spec: ScenarioSpec, path: str) -> str:
    return f"{spec.origins.get(path, '')}: {path}".removeprefix(": ")


def _stops(transit: TransitNetwork | None, stop: str, where: str, faults: FaultCollector) -> Array:
    """Return the rows of the stops of a name or id; with a fault, none."""
    nothing = np.zeros(0, dtype=int)
    if transit is None:
        faults.add(where, repr(stop), "a network with lines")
        return nothing
    served = np.zeros(transit.n_stops, dtype=bool)
    served[transit.line_stop] = True
    rows = np.flatnonzero((transit.stop_id.astype(str) == stop.strip()) & served)
    if not len(rows):
        rows = np.flatnonzero((transit.stop_name == stop.strip()) & served)
    if not len(rows):
        known = sorted({str(name) for name in transit.stop_name[served] if name})
        near = get_close_matches(stop, known, 3, 0.5)
        hint = "did you mean " + ", ".join(repr(n) for n in near) + "?" if near else ""
        faults.add(where, repr(stop), "the name or id of a stop that a line serves", hint)
        return nothing
    lon, lat = transit.stop_lon[rows], transit.stop_lat[rows]
    x, y = project(lon, lat, local_crs(float(lon.mean()), float(lat.mean())))
    apart = float(np.hypot(x - x[0], y - y[0]).max())
    if apart > _ONE_STATION:
        ids = ", ".join(str(i) for i in transit.stop_id[rows[:5]])
        faults.add(
            where, f"{len(rows)} stops of the name {stop!r}, up to {apart:.0f} m apart",
            "one station", f"write the id of the one that is meant: {ids}",
        )  # fmt: skip
        return nothing
    return rows


def lot_assumptions(spec: ScenarioSpec) -> list[Assumption]:
    """Return what car parks were assumed to be, where a scenario has any."""
    declared, out = keys_of(LotKeys), []
    for name in spec.park_and_ride.lots:
        written = spec.plain["park_and_ride"]["lots"][name]
        for inner in ("places", "fee"):
            path = f"park_and_ride.lots.{name}.{inner}"
            guessed = spec.origins.get(path, "default") == "default"
            source = f"default; {declared[inner].source}" if guessed else "scenario"
            out.append(Assumption(path, str(written[inner]), source, declared[inner].meaning))
    return out
