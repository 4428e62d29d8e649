"""Trucks between logistics hubs, industry and gates: where they begin and end, and how many."""

from __future__ import annotations

import numpy as np

from cczsim.columns import Array
from cczsim.demand.distribution import Distribution, deterrence, gravity
from cczsim.demand.params import DemandParams
from cczsim.errors import DemandError
from cczsim.network.zones import ZoneSystem

LOGISTICS = "logistics"


def truck_ends(zones: ZoneSystem, params: DemandParams) -> Array:
    """Return the trucks that begin, and that end, in each zone, ``[zone], vehicles/h``.

    By jobs: those of a logistics hub weigh ``truck_hub_weight`` times as much as others, and so do
    those of a gate ``truck_gate_weight`` times, of the share that is modelled of its trips.
    """
    weight = np.where(zones.hub == LOGISTICS, params.truck_hub_weight, 1.0)
    weight = np.where(zones.inside, weight, params.truck_gate_weight * zones.trip_share)
    return np.asarray(params.truck_rate * zones.jobs * weight)


def truck_trips(zones: ZoneSystem, cost: Array, params: DemandParams) -> Distribution | None:
    """Return trucks from zone to zone by doubly constrained gravity, ``[zone, zone], vehicles/h``.

    None begins and ends in one zone.

    Parameters
    ----------
    cost : array [zone, zone], s
        Of a truck's way; inf where there is none.

    Returns
    -------
    Distribution
        None where no truck is modelled.

    Raises
    ------
    DemandError
        More than half of all trucks are of one zone, or no zone can reach another.
    """
    ends = truck_ends(zones, params)
    if not ends.sum() > 0.0:
        return None
    most = int(np.argmax(ends))
    if 2.0 * ends[most] > ends.sum():
        raise DemandError.of(
            "trucks", f"{ends[most]:.4g} of {ends.sum():.4g} trucks an hour at zone "
            f"{zones.zone_id[most]}", "at most half of them, since none stays in its zone",
            "lower demand.truck_hub_weight or demand.truck_gate_weight",
        )  # fmt: skip
    pull = deterrence(cost, params.truck_decay, 0.0)
    np.fill_diagonal(pull, 0.0)
    return gravity(ends, ends, pull)
