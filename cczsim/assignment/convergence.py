"""How near a flow is to equilibrium."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cczsim.columns import Array
from cczsim.errors import AssignmentError, FaultCollector
from cczsim.kernels.od_sum import sum_spent
from cczsim.network.road import RoadNetwork

_ROUNDING = 1e-8
"""What no rounding explains: a gap below its negative, or a share of the demand that is missing."""


class Gap(NamedTuple):
    """The measures of one flow.

    ``relative_gap`` = (TSTT - SPTT) / TSTT, all in the cost that path search minimised; it is
    negative only by rounding and is never hidden behind an absolute value.
    ``average_excess_cost`` = (TSTT - SPTT) / assigned demand, s.
    """

    tstt: float
    sptt: float
    relative_gap: float
    average_excess_cost: float


def stop_faults(relative_gap: float, max_iterations: int) -> FaultCollector:
    """Return what is wrong with a stopping rule."""
    faults = FaultCollector(AssignmentError)
    if not 0.0 <= relative_gap < 1.0:
        faults.add("relative_gap", f"{relative_gap:g}", "0 up to below 1")
    if max_iterations < 1:
        faults.add("max_iterations", f"{max_iterations}", "at least 1")
    return faults


def least_spent(demand: Array, od_cost: Array) -> Array:
    """Return what the trips from each origin cost at least costs, ``[origin], pce s/h``.

    Parameters
    ----------
    demand : array [origin, zone], pce/h
    od_cost : array [origin, zone], s
        May be inf where nobody goes.
    """
    spent = np.empty(len(demand))
    sum_spent(demand, od_cost, spent)
    return spent


def node_imbalance(road: RoadNetwork, centroids: Array, link_flow: Array, demand: Array) -> float:
    """Return the most that a node's flow misses: in and set out, less out and arrived.

    Parameters
    ----------
    road : RoadNetwork
    centroids : int array [zone]
        Rows of nodes.
    link_flow : array [link], pce/h
    demand : array [zone, zone], pce/h
        That the flow should carry.

    Returns
    -------
    float
        As a share of the demand; 0 where there is none.
    """
    total = float(demand.sum())
    if total <= 0.0:
        return 0.0
    missing = np.bincount(road.head, link_flow, road.n_nodes)
    missing -= np.bincount(road.tail, link_flow, road.n_nodes)
    missing += np.bincount(centroids, demand.sum(axis=1) - demand.sum(axis=0), road.n_nodes)
    return float(np.abs(missing).max()) / total


def check_flow(relative_gap: float, imbalance: float = 0.0) -> None:
    """Let no flow pass that does not carry its demand.

    Raises
    ------
    AssignmentError
        A gap below 0, or demand missing at some node, beyond rounding.
    """
    faults = FaultCollector(AssignmentError)
    hint = "this is a fault of the solver; please report it, with the scenario"
    if relative_gap < -_ROUNDING:
        faults.add("road flows", f"relative gap {relative_gap:.1e}", "0 or more", hint)
    if imbalance > _ROUNDING:
        found = f"{imbalance:.1e} of the demand missing at a node"
        faults.add("road flows", found, "flow that is conserved", hint)
    faults.raise_if_any()


def measure_gap(link_flow: Array, link_cost: Array, demand: Array, od_cost: Array) -> Gap:
    """Measure a flow.

    Parameters
    ----------
    link_flow : array [link], pce/h
    link_cost : array [link], s
        At ``link_flow``.
    demand : array [zone, zone], pce/h
        What was assigned: 0 on the diagonal and where no path leads.
    od_cost : array [zone, zone], s
        Least costs at ``link_cost``.
    """
    tstt = float((link_flow * link_cost).sum())
    sptt = float(least_spent(demand, od_cost).sum())
    total = float(demand.sum())
    return Gap(
        tstt,
        sptt,
        (tstt - sptt) / tstt if tstt > 0.0 else 0.0,
        (tstt - sptt) / total if total > 0.0 else 0.0,
    )
