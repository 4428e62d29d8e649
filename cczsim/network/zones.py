"""Zones: where trips begin and end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array, Columns, column
from cczsim.errors import ColumnError

TIERS = ("central", "circle", "cluster", "outside", "none")
TIER_NAME_ZH = {
    "central": "中心区",
    "circle": "都市圈",
    "cluster": "城市群",
    "outside": "外围",
    "none": "未分层",
}


@dataclass(frozen=True, eq=False)
class ZoneSystem(Columns):
    """Zones with people and jobs; ``centroid`` is the zone's node in the road network.

    Raises
    ------
    ColumnError
        A column breaks its rule; ids or centroids stand twice.
    """

    zone_id: Array = column("zone", "int64", "", "outside id of the zone, unique")
    centroid: Array = column(
        "zone", "int32", "", "node of the road network where trips begin", low=0
    )
    zone_name: Array = column("zone", "text", "", "name of the zone", default="")
    district: Array = column("zone", "text", "", "district that the zone lies in", default="")
    tier: Array = column(
        "zone", "int8", "", "index into TIERS", low=0, high=len(TIERS) - 1,
        default=TIERS.index("none"),
    )  # fmt: skip
    zone_lon: Array = column(
        "zone", "float64", "deg", "longitude of the centroid, WGS-84", nan_allowed=True,
        default=np.nan,
    )  # fmt: skip
    zone_lat: Array = column(
        "zone", "float64", "deg", "latitude of the centroid, WGS-84", nan_allowed=True,
        default=np.nan,
    )  # fmt: skip
    population: Array = column("zone", "float64", "", "residents", low=0.0, default=0.0)
    jobs: Array = column("zone", "float64", "", "jobs", low=0.0, default=0.0)
    schools: Array = column("zone", "float64", "", "schools", low=0.0, default=0.0)
    hospitals: Array = column(
        "zone", "float64", "", "hospitals and other places of health care", low=0.0, default=0.0
    )
    area: Array = column("zone", "float64", "m2", "area of the zone", low=0.0, default=0.0)
    built_up_area: Array = column(
        "zone", "float64", "m2", "built-up area within the zone", low=0.0, default=0.0
    )
    hub: Array = column("zone", "text", "", "airport, rail, logistics or nothing", default="")
    trip_share: Array = column(
        "zone", "float64", "", "share of the trips of residents and to jobs that is modelled: 1 "
        "inside, less at a gate, of whose trips only those across the cordon are",
        low=0.0, high=1.0, default=1.0,
    )  # fmt: skip
    walk_radius: Array = column(
        "zone", "float64", "m", "how far residents live around the place that they walk to stops "
        "from; 0 at the centroid", low=0.0, default=0.0,
    )  # fmt: skip
    polygon: Array | None = column(
        "zone", "object", "", "shapely polygon of the zone, WGS-84, or None", default=None
    )
    built_up: Array | None = column(
        "zone", "object", "", "shapely polygon of the zone's built-up part, or None", default=None
    )

    def check(self) -> None:
        """Check that ids and centroids are unique."""
        for name in ("zone_id", "centroid"):
            values = getattr(self, name)
            if len(np.unique(values)) != len(values):
                unique, counts = np.unique(values, return_counts=True)
                raise ColumnError.of(
                    f"ZoneSystem.{name}",
                    f"{unique[counts > 1][:5]} more than once",
                    "unique values",
                )

    @property
    def n_zones(self) -> int:
        """Number of zones."""
        return len(self.zone_id)

    @property
    def inside(self) -> Array:
        """Whether a zone lies inside the cordon, ``[zone]``; the others are gates."""
        return np.asarray(self.trip_share == 1.0)
