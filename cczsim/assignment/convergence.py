"""How near a flow is to equilibrium."""

from __future__ import annotations

from typing import NamedTuple

from cczsim.columns import Array
from cczsim.errors import AssignmentError, FaultCollector


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


def spent_at_least(demand: Array, od_cost: Array) -> float:
    """Return what a demand costs at least costs, pce s/h; both ``[..., zone, zone]``."""
    goes = demand > 0.0
    return float((demand[goes] * od_cost[goes]).sum())


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
    sptt = spent_at_least(demand, od_cost)
    total = float(demand.sum())
    return Gap(
        tstt,
        sptt,
        (tstt - sptt) / tstt if tstt > 0.0 else 0.0,
        (tstt - sptt) / total if total > 0.0 else 0.0,
    )
