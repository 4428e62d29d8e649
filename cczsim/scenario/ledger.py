"""Account for every trip: what was generated is carried, stays inside its zone, or is lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from cczsim.assignment.result import ModeEquilibrium, Unreachable
from cczsim.columns import Array
from cczsim.errors import ScenarioError
from cczsim.scenario.result import LedgerRow

_CLOSES_TO: Final = 1e-9


def make_ledger(
    trips: Array, equilibrium: ModeEquilibrium, stranded: float = 0.0
) -> tuple[LedgerRow, ...]:
    """Return the ledger of a run.

    Parameters
    ----------
    trips : array [zone, zone], trips/h
        Person trips of the modelled hour, all modes.
    equilibrium : ModeEquilibrium
    stranded : float
        Trips of zones from which nothing can be reached, not in ``trips``, trips/h.

    Returns
    -------
    tuple of LedgerRow
        The rows of ``mode choice`` add up to ``generated``; the rows of ``road assignment``
        (persons in cars) and ``transit assignment`` each to their mode.

    Raises
    ------
    ScenarioError
        A stage does not add up to 1e-9 of all trips: trips were lost without a word.
    """
    every = float(trips.sum()) + stranded
    rows = [LedgerRow("generated", "all", every, "gravity over all pairs of zones")]
    inside = float(np.trace(trips))
    rows.append(
        LedgerRow("generated", "intrazonal", inside, "part of all: begins and ends in one zone")
    )
    served = 0.0
    for mode in sorted(equilibrium.trips):
        by_mode = float(equilibrium.trips[mode].sum())
        served += by_mode
        rows.append(LedgerRow("mode choice", mode, by_mode, _WHY.get(mode, "")))
    if stranded > 0.0:
        why = "nothing can be reached from the zone"
        rows.append(LedgerRow("mode choice", "unreachable", stranded, why))
    lost = every - stranded - served
    if abs(lost) > _CLOSES_TO * max(every, 1.0):
        rows.append(LedgerRow("mode choice", "unreachable", lost, "no mode connects the two zones"))
    car = equilibrium.trips.get("car")
    if car is not None:
        rows += _carried("road assignment", car, equilibrium.road.unreachable, "no path for a car")
    transit = equilibrium.trips.get("transit")
    if transit is not None and equilibrium.transit is not None:
        why = "no line connects the two zones"
        rows += _carried("transit assignment", transit, equilibrium.transit.unreachable, why)
    ledger = tuple(rows)
    check_closed(ledger)
    return ledger


_WHY: Final = {
    "car": "driver or passenger",
    "transit": "rail and bus",
    "active": "walking and cycling, assigned to no network",
}


def _carried(stage: str, trips: Array, unreachable: Unreachable, why: str) -> list[LedgerRow]:
    """Return the parts of a mode's trips; what could not be assigned is read per pair."""
    inside = float(np.trace(trips))
    pairs = (unreachable.origin, unreachable.destination)
    lost = math.fsum(trips[pairs].tolist()) if len(unreachable.origin) else 0.0
    assigned = float(trips.sum()) - inside - lost
    return [
        LedgerRow(stage, "assigned", assigned, ""),
        LedgerRow(stage, "intrazonal", inside, "begins and ends in one zone; loads nothing"),
        LedgerRow(stage, "unreachable", lost, why if lost else ""),
    ]


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
    for stage, mode in (("road assignment", "car"), ("transit assignment", "transit")):
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
    lost = sum(r.trips for r in ledger if r.item == "unreachable")
    return lost / every if every > 0 else 0.0
