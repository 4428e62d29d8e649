"""The ledger closes to the last trip, or says that it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cczsim.assignment.result import (
    ModeEquilibrium,
    RoadAssignment,
    Status,
    TransitAssignment,
    TransitSkims,
    Unreachable,
)
from cczsim.columns import Array
from cczsim.errors import ScenarioError
from cczsim.scenario.ledger import check_closed, lost_share, make_ledger
from cczsim.scenario.result import LedgerRow

N = 4
SQUARES = arrays(np.float64, (N, N), elements=st.floats(0, 1e6, allow_subnormal=False))
SHARES = arrays(np.float64, (N, N), elements=st.floats(0, 1))
FLAGS = arrays(np.bool_, (N, N))


def equilibrium(trips: dict[str, Array], no_road: Array, no_line: Array) -> ModeEquilibrium:
    def lost(mode: str, closed: Array) -> Unreachable:
        origin, destination = np.nonzero(closed & ~np.eye(N, dtype=bool))
        return Unreachable(
            origin=origin, destination=destination, trips=0.5 * trips[mode][origin, destination]
        )

    nothing = np.zeros(0)
    square = np.zeros((N, N))
    road = RoadAssignment(
        "bfw", Status.CONVERGED, nothing, nothing, nothing, 0, 0, 0, 0, 0, 0, (), 0, 0, 0,
        lost("car", no_road),
    )  # fmt: skip
    transit = TransitAssignment(
        nothing, nothing, nothing, nothing, nothing, nothing,
        TransitSkims(square, square, square, square, square, square), 0, 0, 0,
        lost("transit", no_line),
    )  # fmt: skip
    return ModeEquilibrium(road, transit, trips, square, square, 0.0)


@settings(deadline=None, max_examples=60)
@given(SQUARES, SHARES, SHARES, FLAGS, FLAGS)
def test_every_trip_is_accounted_for(
    trips: Array, car: Array, rest: Array, no_road: Array, no_line: Array
) -> None:
    by_mode = {"car": trips * car, "transit": trips * (1 - car) * rest}
    by_mode["active"] = trips - by_mode["car"] - by_mode["transit"]
    by_mode["active"] = np.maximum(by_mode["active"], 0.0)
    ledger = make_ledger(trips, equilibrium(by_mode, no_road, no_line))
    total = {(row.stage, row.item): row.trips for row in ledger}
    assert total["generated", "all"] == trips.sum()
    for stage, mode in (("road assignment", "car"), ("transit assignment", "transit")):
        parts = sum(row.trips for row in ledger if row.stage == stage)
        assert parts == pytest.approx(by_mode[mode].sum(), abs=1e-6)
    off = ~np.eye(N, dtype=bool)
    lost = by_mode["car"][no_road & off].sum() + by_mode["transit"][no_line & off].sum()
    assert lost_share(ledger) * trips.sum() == pytest.approx(lost, abs=1e-6 * (1 + trips.sum()))


def test_trips_that_no_mode_takes_are_unreachable() -> None:
    trips = np.full((N, N), 10.0)
    by_mode = {"car": 0.9 * trips, "transit": 0 * trips, "active": 0 * trips}
    never = np.zeros((N, N), dtype=bool)
    ledger = make_ledger(trips, equilibrium(by_mode, never, never))
    assert lost_share(ledger) == pytest.approx(0.1)


def test_more_trips_than_were_generated_are_refused() -> None:
    trips = np.full((N, N), 10.0)
    by_mode = {"car": trips, "transit": 0.1 * trips, "active": 0 * trips}
    never = np.zeros((N, N), dtype=bool)
    with pytest.raises(ScenarioError, match="mode choice"):
        make_ledger(trips, equilibrium(by_mode, never, never))


def test_a_changed_row_opens_the_ledger() -> None:
    trips = np.full((N, N), 10.0)
    by_mode = {"car": 0.5 * trips, "transit": 0.2 * trips, "active": 0.3 * trips}
    never = np.zeros((N, N), dtype=bool)
    ledger = make_ledger(trips, equilibrium(by_mode, never, never))
    for row in range(2, len(ledger)):
        changed = list(ledger)
        changed[row] = replace(ledger[row], trips=ledger[row].trips + 1.0)
        with pytest.raises(ScenarioError):
            check_closed(changed)
    check_closed([LedgerRow("generated", "all", 0.0), LedgerRow("mode choice", "car", 0.0)])
