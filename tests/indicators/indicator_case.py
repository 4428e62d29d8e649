"""Three zones on a line of streets, small enough to be reckoned by hand."""

from __future__ import annotations

import numpy as np
import shapely

from cczsim.assignment.result import (
    ModeEquilibrium,
    RoadAssignment,
    Status,
    TransitAssignment,
    TransitSkims,
    Unreachable,
)
from cczsim.columns import Array
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.transit import MODE_CODE, TransitNetwork
from cczsim.network.zones import TIERS, ZoneSystem

NONE = Unreachable(origin=[], destination=[], trips=[])
INF = float("inf")


def road(transit_class: str = "primary") -> RoadNetwork:
    """Centroids 0, 1, 2 at 113.0, 113.1, 113.2 E; a two-way street 3-4 and a one-way 4-5.

    Links: 3>4, 4>3 (1 km, 60 s, 1000 pce/h), 4>5 (2 km, 100 s, 500 pce/h), then connectors.
    """
    tail = [3, 4, 4, 0, 3, 1, 4, 5]
    head = [4, 3, 5, 3, 0, 4, 1, 2]
    connector = CLASS_CODE["connector"]
    lon = np.array([113.0, 113.1, 113.2, 113.0, 113.1, 113.2])
    return RoadNetwork(
        node_id=np.arange(6) + 1, node_lon=lon, node_lat=np.full(6, 28.0),
        link_id=np.arange(8) + 1, tail=tail, head=head,
        road_class=[CLASS_CODE[transit_class]] * 2 + [CLASS_CODE["secondary"]] + [connector] * 5,
        length=[1000.0, 1000.0, 2000.0] + [500.0] * 5,
        free_flow_time=[60.0, 60.0, 100.0] + [30.0] * 5,
        capacity=[1000.0, 1000.0, 500.0] + [9999.0] * 5,
        reverse_link=[1, 0, -1, 4, 3, 6, 5, -1],
        node_through=[False] * 3 + [True] * 3,
    )  # fmt: skip


def zones() -> ZoneSystem:
    """Central, central and circle; the airport is zone 2."""
    edge = np.array([112.95, 113.05, 113.14, 113.25])
    return ZoneSystem(
        zone_id=[1, 2, 3], centroid=[0, 1, 2], district=["甲", "甲", "乙"],
        tier=[TIERS.index("central")] * 2 + [TIERS.index("circle")],
        zone_lon=[113.0, 113.1, 113.2], zone_lat=[28.0] * 3,
        population=[1000.0, 3000.0, 2000.0], jobs=[100.0, 20.0, 3.0],
        hub=["", "", "airport"],
        polygon=shapely.box(edge[:-1], 27.9, edge[1:], 28.1),
    )  # fmt: skip


def transit() -> TransitNetwork:
    """A metro both ways over stops 0-1-2 (3 and 4 km, 5 min, 100 places), a bus 0-1."""
    return TransitNetwork(
        stop_id=[1, 2, 3], stop_name=["a", "b", "c"],
        stop_lon=[113.0, 113.1, 113.2], stop_lat=[28.0] * 3,
        line_id=["M>", "M<", "B>"], route=["M", "M", "B"],
        mode=[MODE_CODE["metro"]] * 2 + [MODE_CODE["bus"]],
        headway=[300.0, 300.0, 600.0], line_first=[0, 3, 6, 8],
        line_stop=[0, 1, 2, 2, 1, 0, 0, 1],
        run_time=[200.0, 250.0, 0.0, 250.0, 200.0, 0.0, 600.0, 0.0],
        run_length=[3000.0, 4000.0, 0.0, 4000.0, 3000.0, 0.0, 3500.0, 0.0],
        seats_and_standing=[100.0, 100.0, 0.0],
    )  # fmt: skip


def network() -> Network:
    return Network(NetworkInfo("line"), road(), zones(), transit())


def road_assignment(flow: Array | None = None) -> RoadAssignment:
    """Flows 600, 1200 and 300 on the streets; times 90, 120 and 100 s."""
    flow = np.array([600.0, 1200.0, 300.0, *[50.0] * 5]) if flow is None else flow
    time = np.array([90.0, 120.0, 100.0, *[30.0] * 5])
    return RoadAssignment(
        "bfw", Status.CONVERGED, flow, time, time, 1e-6, 0.1, 1.0, 1.0, 1.0, 3, (),
        100.0, 0.0, 0.0, NONE,
    )  # fmt: skip


def transit_assignment() -> TransitAssignment:
    """Loads 600 and 240 out, 120 and 60 back, 30 on the bus; skims in whole minutes."""
    total = 60.0 * np.array([[0.0, 20.0, 50.0], [20.0, 0.0, 30.0], [INF, INF, 0.0]])
    skims = TransitSkims(total, total, total, total, total, np.ones((3, 3)))
    return TransitAssignment(
        segment_flow=np.array([600.0, 240.0, 0.0, 120.0, 60.0, 0.0, 30.0, 0.0]),
        boardings=np.array([600.0, 40.0, 0.0, 120.0, 10.0, 0.0, 30.0, 0.0]),
        alightings=np.array([0.0, 400.0, 240.0, 0.0, 70.0, 60.0, 0.0, 30.0]),
        walk_flow=np.zeros(0), access_flow=np.zeros(0), egress_flow=np.zeros(0),
        skims=skims, total_demand=1.0, intrazonal_demand=0.0, unreachable_demand=0.0,
        unreachable=NONE,
    )  # fmt: skip


def equilibrium() -> ModeEquilibrium:
    car = np.array([[5.0, 30.0, 10.0], [20.0, 5.0, 10.0], [0.0, 0.0, 20.0]])
    ride = np.array([[0.0, 40.0, 20.0], [10.0, 0.0, 30.0], [0.0, 0.0, 0.0]])
    walk = np.diag([15.0, 45.0, 30.0])
    return ModeEquilibrium(
        road_assignment(), transit_assignment(), {"car": car, "transit": ride, "active": walk},
        np.zeros((3, 3)), car, 0.0,
    )  # fmt: skip
