"""What a road of a class has where its tags do not say: lanes, speed, capacity, delay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.columns import Array, Columns, column
from cczsim.errors import OsmError
from cczsim.network.road_class import ROAD_CLASSES


@dataclass(frozen=True, eq=False)
class ClassTable(Columns):
    """Defaults by road class; every value that is taken from it is marked ``Source.DEFAULT``.

    ``capacity = lanes x lane_capacity x green_ratio``: the capacity of a lane before signals
    times the share of time that signals let it flow (1 where there are none).
    """

    class_name: Array = column("class", "text", "", "name in ROAD_CLASSES")
    lanes: Array = column("class", "float32", "", "lanes in each direction", above=0.0)
    speed: Array = column("class", "float64", "m/s", "free-flow speed", above=0.0)
    lane_capacity: Array = column(
        "class", "float64", "pce/h", "capacity of a lane before the green ratio", above=0.0
    )
    green_ratio: Array = column("class", "float64", "", "share of green time", above=0.0, high=1.0)
    alpha: Array = column("class", "float64", "", "BPR: relative delay at capacity", low=0.0)
    beta: Array = column("class", "float64", "", "BPR: power", low=0.0)

    name: str = ""
    source: str = ""

    def check(self) -> None:
        """Check that each class stands once."""
        names = [str(name) for name in self.class_name]
        if sorted(names) != sorted(ROAD_CLASSES):
            missing = [name for name in ROAD_CLASSES if name not in names]
            other = sorted({name for name in names if name not in ROAD_CLASSES})
            twice = sorted({name for name in names if names.count(name) > 1})
            raise OsmError.of(
                f"class table {self.name!r}",
                f"missing {missing}, unknown {other}, twice {twice}",
                "each road class once",
                "copy a built-in table and change its values",
            )

    def in_class_order(self) -> ClassTable:
        """Return the table with its rows in the order of ``ROAD_CLASSES``."""
        place = {str(name): row for row, name in enumerate(self.class_name)}
        rows = [place[name] for name in ROAD_CLASSES]
        return self.replace(**{name: getattr(self, name)[rows] for name in self.specs()})


Row = tuple[float, float, float, float]


def _table(name: str, source: str, rows: Mapping[str, Row]) -> ClassTable:
    values = np.array([rows.get(class_name, rows["other"]) for class_name in ROAD_CLASSES])
    return ClassTable(
        class_name=np.array(ROAD_CLASSES),
        lanes=values[:, 0],
        speed=values[:, 1] / 3.6,
        lane_capacity=values[:, 2],
        green_ratio=values[:, 3],
        # The Bureau of Public Roads' own parameters (Traffic Assignment Manual, 1964) for every
        # class: no calibration for Chinese streets was found, and a table may say otherwise.
        alpha=np.full(len(values), 0.15),
        beta=np.full(len(values), 4.0),
        name=name,
        source=source,
    )


# Lanes each way, km/h, pcu/h a lane, green ratio. Capacities follow CJJ 37's design values for
# the design speed of the row: expressways 100/80/60 km/h 2000/1750/1400, other roads
# 60/50/40/30/20 km/h 1400/1350/1300/1300/1100. Lanes, green ratios and which speed stands for
# which class are assumptions.
CN_CJJ37: Final = _table(
    "cn-cjj37",
    "design values a lane of the Chinese urban road code CJJ 37, from memory of the code; lanes, "
    "green ratios and the speed of a class are assumptions",
    {
        "motorway": (2, 100, 2000, 1.0),
        "motorway_link": (1, 40, 1300, 1.0),
        "trunk": (3, 80, 1750, 1.0),
        "trunk_link": (1, 40, 1300, 1.0),
        "primary": (3, 60, 1400, 0.5),
        "primary_link": (1, 40, 1300, 0.5),
        "secondary": (2, 50, 1350, 0.45),
        "secondary_link": (1, 40, 1300, 0.45),
        "tertiary": (1, 40, 1300, 0.45),
        "tertiary_link": (1, 30, 1300, 0.45),
        "unclassified": (1, 40, 1300, 0.4),
        "residential": (1, 30, 1300, 0.4),
        "living_street": (1, 20, 1100, 0.4),
        "road": (1, 40, 1300, 0.4),
        "service": (1, 20, 1100, 0.4),
        "track": (1, 20, 1100, 0.4),
        "busway": (1, 40, 1300, 0.5),
        "connector": (99, 30, 99999, 1.0),
        "other": (1, 20, 1100, 0.4),
    },
)

# Round figures of planning practice (HCM-like saturation flows of 1,900 pcu/h a lane with green
# ratios by class); no single source.
GENERIC: Final = _table(
    "generic",
    "round figures of planning practice, no single source; assumptions",
    {
        "motorway": (2, 110, 2000, 1.0),
        "motorway_link": (1, 50, 1600, 1.0),
        "trunk": (2, 90, 1800, 0.8),
        "trunk_link": (1, 50, 1500, 0.8),
        "primary": (2, 60, 1800, 0.5),
        "primary_link": (1, 40, 1600, 0.5),
        "secondary": (1, 50, 1800, 0.45),
        "secondary_link": (1, 40, 1600, 0.45),
        "tertiary": (1, 45, 1700, 0.45),
        "tertiary_link": (1, 40, 1600, 0.45),
        "unclassified": (1, 40, 1500, 0.4),
        "residential": (1, 30, 1400, 0.4),
        "living_street": (1, 15, 1000, 0.4),
        "road": (1, 40, 1500, 0.4),
        "service": (1, 15, 1000, 0.4),
        "track": (1, 15, 800, 0.4),
        "busway": (1, 40, 1500, 0.5),
        "connector": (99, 30, 99999, 1.0),
        "other": (1, 20, 1000, 0.4),
    },
)

TABLES: Final = {table.name: table for table in (CN_CJJ37, GENERIC)}
