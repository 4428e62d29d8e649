"""Account for every trip: what was generated is carried, stays inside its zone, or is lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from cczsim.assignment.result import ModeEquilibrium, Unreachable
from cczsim.columns import Array
from cczsim.demand.mode_choice import PARK_RIDE
from cczsim.demand.park_ride import LotLoads
from cczsim.errors import ScenarioError
from cczsim.scenario.result import LedgerRow

_CLOSES_TO: Final = 1e-9
_NAMED: Final = 5
_TO_LOTS: Final = "to car parks"
_FROM_LOTS: Final = "from car parks"


def make_ledger(
    trips: Array,
    equilibrium: ModeEquilibrium,
    stranded: Array | None = None,
    zone_id: Array | None = None,
) -> tuple[LedgerRow, ...]:
    """Return the ledger of a run.

    Parameters
    ----------
    trips : array [zone, zone], trips/h
        Person trips of the modelled hour, all modes.
    equilibrium : ModeEquilibrium
    stranded : array [zone], trips/h, optional
        Trips of zones from which nothing can be reached, not in ``trips``.
    zone_id : array [zone], optional
        Ids by which rows name the zones whose trips are lost; their positions where None.

    Returns
    -------
    tuple of LedgerRow
        The rows of ``mode choice`` add up to ``generated``; the rows of ``road assignment``
        (persons in cars) and ``transit assignment`` each to their mode, and those of ``to car
        parks`` and ``from car parks`` each to park-and-ride.

    Raises
    ------
    ScenarioError
        A stage does not add up to 1e-9 of all trips: trips were lost without a word.
    """
    ids = np.arange(len(trips)) if zone_id is None else zone_id
    left = 0.0 if stranded is None else float(stranded.sum())
    every = float(trips.sum()) + left
    rows = [LedgerRow("generated", "all", every, "gravity over all pairs of zones")]
    inside = float(np.trace(trips))
    rows.append(
        LedgerRow("generated", "intrazonal", inside, "part of all: begins and ends in one zone")
    )
    served, nobody = 0.0, np.array(trips, dtype=float)
    for mode in sorted(equilibrium.trips):
        by_mode = float(equilibrium.trips[mode].sum())
        served += by_mode
        nobody -= equilibrium.trips[mode]
        rows.append(LedgerRow("mode choice", mode, by_mode, _WHY.get(mode, "")))
    if stranded is not None and left > 0.0:
        zones = np.flatnonzero(stranded)
        why = "nothing can be reached from the zone: " + _most(
            [f"{ids[zone]} ({stranded[zone]:.4g})" for zone in _by_size(zones, stranded[zones])],
            "zones",
        )
        rows.append(LedgerRow("mode choice", "unreachable", left, why))
    lost = every - left - served
    if abs(lost) > _CLOSES_TO * max(every, 1.0):
        why = "no mode connects the two zones"
        origin, destination = np.nonzero(nobody > _CLOSES_TO * np.maximum(trips, 1.0))
        gone = nobody[origin, destination]
        if len(gone):
            why = f"{why}: {name_pairs(origin, destination, gone, ids)}"
        rows.append(LedgerRow("mode choice", "unreachable", lost, why))
    car = equilibrium.trips.get("car")
    if car is not None:
        why = "no path for a car"
        lost_pairs = np.zeros(car.shape, dtype=bool)
        lost_pairs[_pairs(equilibrium.road.unreachable)] = True
        rows += _carried("road assignment", car, lost_pairs, why, ids)
    transit = equilibrium.trips.get("transit")
    if transit is not None and equilibrium.transit is not None:
        why = "no line connects the two zones"
        lost_pairs = np.zeros(transit.shape, dtype=bool)
        lost_pairs[_pairs(equilibrium.transit.unreachable)] = True
        full = equilibrium.transit.given_up
        rows += _carried("transit assignment", transit, lost_pairs, why, ids, full)
    if equilibrium.lots is not None:
        rows += _parked(equilibrium.lots)
    ledger = tuple(rows)
    check_closed(ledger)
    return ledger


_WHY: Final = {
    "car": "driver or passenger",
    "transit": "rail and bus",
    "park_ride": "by car to a car park, and on by rail or bus",
    "active": "walking and cycling, assigned to no network",
}


def name_pairs(origin: Array, destination: Array, trips: Array, zone_id: Array) -> str:
    """Return the pairs of zones that lose most trips, largest first, with their trips/h."""
    order = _by_size(np.arange(len(trips)), trips)
    return _most(
        [f"{zone_id[origin[k]]} → {zone_id[destination[k]]} ({trips[k]:.4g})" for k in order],
        "pairs",
    )


def _by_size(items: Array, sizes: Array) -> Array:
    return items[np.argsort(-sizes, kind="stable")]


def _most(words: list[str], kind: str) -> str:
    more = len(words) - _NAMED
    return ", ".join(words[:_NAMED]) + (f" and {more} more {kind}" if more > 0 else "")


def _pairs(unreachable: Unreachable) -> tuple[Array, Array]:
    return unreachable.origin, unreachable.destination


def _carried(
    stage: str, trips: Array, lost_pairs: Array, why: str, zone_id: Array,
    full: Unreachable | None = None,
) -> list[LedgerRow]:  # fmt: skip
    """Return the parts of a mode's trips; ``lost_pairs`` marks those that could not be assigned."""
    inside = float(np.trace(trips))
    np.fill_diagonal(lost_pairs, False)
    origin, destination = np.nonzero(lost_pairs)
    gone = trips[origin, destination]
    lost = math.fsum(gone.tolist())
    if lost > 0.0:
        why = f"{why}: {name_pairs(origin, destination, gone, zone_id)}"
    no_room = math.fsum(full.trips.tolist()) if full is not None else 0.0
    assigned = float(trips.sum()) - inside - lost - no_room
    return [
        LedgerRow(stage, "assigned", assigned, ""),
        LedgerRow(stage, "intrazonal", inside, "begins and ends in one zone; loads nothing"),
        LedgerRow(stage, "unreachable", lost, why if lost else ""),
        *([_no_room(stage, full, zone_id)] if full is not None and no_room > 0.0 else []),
    ]


def _no_room(stage: str, full: Unreachable, zone_id: Array) -> LedgerRow:
    pairs = name_pairs(full.origin, full.destination, full.trips, zone_id)
    why = f"vehicles are full for longer than people wait: {pairs}"
    return LedgerRow(stage, "no room", math.fsum(full.trips.tolist()), why)


def _parked(loads: LotLoads) -> list[LedgerRow]:
    """Return the trips of each car park, by the leg to it and by the leg from it."""
    rows = []
    for stage, legs in ((_TO_LOTS, loads.into.sum(axis=0)), (_FROM_LOTS, loads.out_of.sum(axis=1))):
        rows += [
            LedgerRow(stage, str(name), float(trips), "")
            for name, trips in zip(loads.lots.lot_name, legs, strict=True)
        ]
    return rows


def check_closed(ledger: Sequence[LedgerRow]) -> None:
    """Raise if a stage of a ledger does not add up.

    Raises
    ------
    ScenarioError
        Names the stage and both sums.
    """
    amount = {(row.stage, row.item): row.trips for row in ledger}
    every = amount["generated", "all"]
    totals = {"mode choice": every}
    for stage, mode in (
        ("road assignment", "car"), ("transit assignment", "transit"), (_TO_LOTS, PARK_RIDE),
        (_FROM_LOTS, PARK_RIDE),
    ):  # fmt: skip
        if any(row.stage == stage for row in ledger):
            totals[stage] = amount.get(("mode choice", mode), 0.0)
    for stage, total in totals.items():
        parts = math.fsum(row.trips for row in ledger if row.stage == stage)
        if abs(parts - total) > _CLOSES_TO * max(every, 1.0) or any(
            row.trips < -_CLOSES_TO * max(every, 1.0) for row in ledger
        ):
            raise ScenarioError.of(
                f"demand ledger, {stage}", f"parts of {parts!r} trips/h", f"{total!r} trips/h"
            )


def lost_share(ledger: Sequence[LedgerRow]) -> float:
    """Return the share of all trips that found no way."""
    every = sum(r.trips for r in ledger if (r.stage, r.item) == ("generated", "all"))
    lost = sum(r.trips for r in ledger if r.item in ("unreachable", "no room"))
    return lost / every if every > 0 else 0.0
