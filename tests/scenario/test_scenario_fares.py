"""Tickets in the choice of modes: what they cost is felt, paid and counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cczsim.assignment.equilibrium import mode_equilibrium
from cczsim.assignment.transit_params import TransitParams
from cczsim.demand.params import DemandParams
from cczsim.indicators.appraisal import (
    appraisal_indicators,
    revenue_indicators,
    situation,
)
from tests.scenario.grid_case import ridden_grid
from tests.scenario.test_scenario_nested import APART, TIGHT, everywhere, with_bus

DEMAND = DemandParams()
FREE = replace(DEMAND, transit_fare=0.0)


def with_tickets(network, price, transfers=0):
    """Return the network with a flat ticket on all lines, without fares by distance."""
    transit = network.transit
    return network.replace(transit=transit.replace(
        fare_system=np.full(transit.n_lines, "t"), ticket_system=np.array(["t"]),
        ticket_price=np.array([price]), ticket_transfers=np.array([transfers]),
        ticket_zones=np.zeros(1),
    ))  # fmt: skip


def solved(network, demand, **more):
    return mode_equilibrium(network, everywhere(network), demand, params=TIGHT, **more)


def revenue(network, found, demand, params=None):
    rows = revenue_indicators(network, found, demand, params or TransitParams())
    return {tuple(i.by.items()): i.value for i in rows if i.key == "fare_revenue"}


def test_a_ticket_for_each_ride_is_the_fare_of_a_boarding():
    """On one line there is one ride, so that both ways to say it agree."""
    network = ridden_grid()
    no_distance = TransitParams(metro_fare=0.0)
    plain = solved(network, replace(DEMAND, transit_fare=3.0), transit=no_distance)
    ticket = solved(with_tickets(network, 3.0), DEMAND)
    for mode in ("car", "transit", "active"):
        np.testing.assert_allclose(ticket.trips[mode], plain.trips[mode], rtol=1e-9, atol=1e-12)
    told = revenue(with_tickets(network, 3.0), ticket, DEMAND)
    assert list(told) == [(("area", "all"),)]
    riders = plain.transit.boardings.sum()
    assert next(iter(told.values())) == pytest.approx(3.0 * riders)


@pytest.mark.parametrize(
    "params",
    [
        TransitParams(),
        TransitParams(bus_times="all"),
        TransitParams(crowding="comfort", crowded_lines="all"),
        TransitParams(crowding="capacity", crowded_lines="all", bus_times="all"),
    ],
)
def test_dearer_tickets_send_riders_elsewhere_and_cost_them(params):
    network = with_bus()
    dear, cheap = with_tickets(network, 40.0), with_tickets(network, 1.0)
    a, b = solved(cheap, FREE, transit=params), solved(dear, FREE, transit=params)
    total = sum(a.trips.values())
    np.testing.assert_allclose(sum(b.trips.values()), total, rtol=1e-9, atol=1e-9)
    assert b.trips["transit"].sum() < 0.8 * a.trips["transit"].sum()
    assert b.trips["car"].sum() > a.trips["car"].sum()
    paid = next(iter(revenue(dear, b, FREE, params).values()))
    assert paid == pytest.approx(float((b.transit.skims.fare(0.0) * b.trips["transit"]).sum()))
    assert paid > 0.0
    none = {m: np.zeros((9, 9)) for m in a.trips}
    before, after = (situation(n, f, none, FREE) for n, f in ((cheap, a), (dear, b)))
    rows = appraisal_indicators(network, before, after, FREE)
    gain = next(i.value for i in rows if i.key == "surplus" and i.by["by"] == "logsum")
    assert gain < 0.0


def test_who_takes_the_bus_alone_pays_for_its_own_way():
    network = with_tickets(with_bus(), 2.0)
    found = solved(network, APART)
    rides = {"rail": found.transit.skims, "bus": found.buses}
    paid = sum(
        float((found.parts[name] * skims.fare(APART.transit_fare)).sum())
        for name, skims in rides.items()
    )
    assert next(iter(revenue(network, found, APART).values())) == pytest.approx(paid)
    assert found.buses.tickets is not None
