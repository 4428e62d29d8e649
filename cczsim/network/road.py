"""The road network: directed links and nodes as frozen columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array, Columns, column
from cczsim.errors import ColumnError, Fault
from cczsim.network.provenance import Source
from cczsim.network.road_class import CONNECTOR, ROAD_CLASSES

NO_LINK = -1
DELAY_FUNCTIONS = ("bpr", "conical", "akcelik", "davidson")
CONTROLS = (
    "not known", "priority", "nothing mapped", "roundabout", "give way", "stop", "signals",
)  # fmt: skip
ATTRIBUTES = ("oneway", "lanes", "speed", "capacity", "geometry")


@dataclass(frozen=True, eq=False)
class RoadNetwork(Columns):
    """Directed road links between nodes.

    A two-way street is two links that name each other in ``reverse_link``. Zone centroids and
    their connectors are ordinary nodes and links of class ``connector``; a node with
    ``node_through`` false may begin and end paths but not be passed. Links are in any order;
    the order is kept in every output.

    Raises
    ------
    ColumnError
        A column breaks its rule, or two columns disagree; names rows.
    """

    node_id: Array = column("node", "int64", "", "outside id of the node, unique")
    node_lon: Array = column(
        "node", "float64", "deg", "longitude, WGS-84; NaN if not known", nan_allowed=True
    )
    node_lat: Array = column(
        "node", "float64", "deg", "latitude, WGS-84; NaN if not known", nan_allowed=True
    )

    link_id: Array = column("link", "int64", "", "outside id of the link, unique")
    tail: Array = column("link", "int32", "", "node where the link begins", index_of="node")
    head: Array = column("link", "int32", "", "node where the link ends", index_of="node")
    road_class: Array = column(
        "link", "int8", "", "index into ROAD_CLASSES", low=0, high=len(ROAD_CLASSES) - 1
    )
    length: Array = column("link", "float64", "m", "length along the geometry", low=0.0)
    free_flow_time: Array = column("link", "float64", "s", "time at zero flow", low=0.0)
    capacity: Array = column(
        "link", "float64", "pce/h", "practical capacity of the volume-delay function", above=0.0
    )

    node_through: Array = column(
        "node", "bool", "", "whether paths may pass through the node", default=True
    )
    alpha: Array = column(
        "link", "float64", "", "BPR: relative delay at capacity", low=0.0, default=0.15
    )
    beta: Array = column("link", "float64", "", "BPR: power", low=0.0, default=4.0)
    delay_function: Array = column(
        "link", "int8", "",
        "0 BPR, 1 conical, 2 Akçelik, 3 Davidson; what alpha and beta mean hangs on it; 4 more at "
        "marginal costs",
        low=0, high=7, default=0,
    )  # fmt: skip
    background: Array = column(
        "link", "float64", "pce/h", "flow on the link beside what is assigned", low=0.0,
        default=0.0,
    )  # fmt: skip
    lanes: Array = column(
        "link", "float32", "", "lanes in the direction of the link; 0 if not known", low=0.0,
        default=0.0,
    )  # fmt: skip
    speed: Array = column(
        "link", "float64", "m/s", "free-flow speed; 0 if not known", low=0.0, default=0.0
    )
    toll: Array = column(
        "link", "float64", "CNY", "toll for a passenger car (TNTP: the file's own unit)",
        default=0.0,
    )  # fmt: skip
    reverse_link: Array = column(
        "link", "int32", "", "the link of the other direction of the same carriageway, or -1",
        low=-1, index_of="link", default=NO_LINK,
    )  # fmt: skip
    dual_carriageway: Array = column(
        "link", "bool", "", "one of two one-way carriageways of one road", default=False
    )
    structure: Array = column(
        "link", "int8", "", "0 at grade, 1 bridge, 2 tunnel", low=0, high=2, default=0
    )
    control: Array = column(
        "link", "int8", "", "what stands at the downstream end, index into CONTROLS", low=0,
        high=len(CONTROLS) - 1, default=0,
    )  # fmt: skip
    way_id: Array = column(
        "link", "int64", "", "OSM way (negative: made by cczsim; 0: none)", default=0
    )
    name: Array = column("link", "text", "", "name of the street", default="")
    class_source: Array = column(
        "link", "int8", "", "provenance of the class and of the link itself", low=0,
        high=max(Source), default=int(Source.USER),
    )  # fmt: skip
    oneway_source: Array = column(
        "link", "int8", "", "provenance of the direction", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip
    lanes_source: Array = column(
        "link", "int8", "", "provenance of the lanes", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip
    speed_source: Array = column(
        "link", "int8", "", "provenance of the speed", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip
    capacity_source: Array = column(
        "link", "int8", "", "provenance of the capacity", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip
    control_source: Array = column(
        "link", "int8", "", "provenance of the control", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip
    geometry_source: Array = column(
        "link", "int8", "", "provenance of the geometry", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip
    shape_first: Array | None = column(
        "link+1", "int64", "", "offset of the link's first shape point", default=None
    )
    shape_lon: Array | None = column(
        "shape_point", "float64", "deg", "longitude of a shape point, WGS-84", default=None
    )
    shape_lat: Array | None = column(
        "shape_point", "float64", "deg", "latitude of a shape point, WGS-84", default=None
    )

    def check(self) -> None:
        """Check ids for uniqueness, reverse links for being mutual, shapes for two points."""
        faults: list[Fault] = []
        for name in ("node_id", "link_id"):
            values = getattr(self, name)
            unique, counts = np.unique(values, return_counts=True)
            if (counts > 1).any():
                twice = unique[counts > 1]
                faults.append(Fault(f"RoadNetwork.{name}", f"{twice[:5]} more than once", "unique"))
        back = np.flatnonzero(self.reverse_link != NO_LINK)
        other = self.reverse_link[back]
        wrong = (
            (self.reverse_link[other] != back)
            | (self.tail[other] != self.head[back])
            | (self.head[other] != self.tail[back])
        )
        if wrong.any():
            rows = back[wrong][:5]
            faults.append(
                Fault("RoadNetwork.reverse_link", f"rows {rows} without a mate", "mutual pairs")
            )
        if self.shape_first is not None and self.shape_lon is not None:
            if self.shape_first[-1] != len(self.shape_lon) or self.shape_first[0] != 0:
                faults.append(
                    Fault("RoadNetwork.shape_first", f"end {self.shape_first[-1]}",
                          f"0 … {len(self.shape_lon)}")
                )  # fmt: skip
            elif (np.diff(self.shape_first) < 2).any():
                rows = np.flatnonzero(np.diff(self.shape_first) < 2)[:5]
                faults.append(
                    Fault(
                        "RoadNetwork.shape_first", f"links {rows} with under 2 points", "2 or more"
                    )
                )
        if faults:
            raise ColumnError(faults)

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_id)

    @property
    def n_links(self) -> int:
        """Number of directed links."""
        return len(self.link_id)

    @property
    def is_street(self) -> Array:
        """Whether a link is a road rather than a connector, ``[link]``."""
        return np.asarray(self.road_class != CONNECTOR)

    def shapes(self) -> tuple[Array, Array, Array]:
        """Return ``first [link + 1], lon [point], lat [point]``; straight lines without shapes.

        Raises
        ------
        ColumnError
            The nodes have no coordinates.
        """
        if self.shape_first is not None and self.shape_lon is not None:
            assert self.shape_lat is not None
            return self.shape_first, self.shape_lon, self.shape_lat
        if not np.isfinite(self.node_lon).all():
            raise ColumnError.of("RoadNetwork.node_lon", "nodes without coordinates", "coordinates")
        ends = np.stack([self.tail, self.head], axis=1).ravel()
        first = np.arange(0, 2 * self.n_links + 1, 2, dtype=np.int64)
        return first, self.node_lon[ends], self.node_lat[ends]
