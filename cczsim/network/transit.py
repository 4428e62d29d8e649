"""The transit network: stops, lines, segments, walks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array, Columns, column
from cczsim.errors import ColumnError
from cczsim.network.provenance import Source

MODES = ("metro", "rail", "maglev", "light_rail", "tram", "monorail", "bus", "ferry")
MODE_CODE = {name: code for code, name in enumerate(MODES)}


@dataclass(frozen=True, eq=False)
class TransitNetwork(Columns):
    """Lines over stops, with walks between stops and from and to zones.

    A row of dimension ``line`` is one direction of a service; the rows that share ``route`` are
    the directions and variants of one line in a passenger's eyes. The stops of line ``k`` are
    ``line_stop[line_first[k]:line_first[k + 1]]``; ``run_time`` of an entry is the time to the
    next entry of the same line and 0 at its last.

    Raises
    ------
    ColumnError
        A column breaks its rule, or a line has fewer than two stops.
    """

    stop_id: Array = column("stop", "int64", "", "outside id of the stop, unique")
    stop_name: Array = column("stop", "text", "", "name of the stop")
    stop_lon: Array = column("stop", "float64", "deg", "longitude, WGS-84")
    stop_lat: Array = column("stop", "float64", "deg", "latitude, WGS-84")

    line_id: Array = column("line", "text", "", "id of the directed line, unique")
    route: Array = column("line", "text", "", "line in a passenger's eyes")
    mode: Array = column("line", "int8", "", "index into MODES", low=0, high=len(MODES) - 1)
    headway: Array = column("line", "float64", "s", "time between vehicles", above=0.0)
    line_first: Array = column("line+1", "int32", "", "offset of the line's first entry")

    line_stop: Array = column("line_stop", "int32", "", "stop of the entry", index_of="stop")
    run_time: Array = column(
        "line_stop", "float64", "s", "time to the line's next stop, dwell included", low=0.0
    )
    run_length: Array = column(
        "line_stop", "float64", "m", "distance to the line's next stop", low=0.0
    )

    seats_and_standing: Array = column(
        "line", "float64", "", "passengers a vehicle or train can hold; 0 if not known", low=0.0,
        default=0.0,
    )  # fmt: skip
    fare_zone: Array = column(
        "stop", "text", "", "fare zone of the stop, empty if none", default=""
    )
    fare_system: Array = column(
        "line", "text", "", "whose tickets the line takes; empty: the scenario's own fares",
        default="",
    )  # fmt: skip
    fare_route: Array = column(
        "line", "text", "", "what rules of tickets call the line", default=""
    )
    headway_source: Array = column(
        "line", "int8", "", "provenance of the headway", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip
    run_time_source: Array = column(
        "line", "int8", "", "provenance of the run times", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip
    color: Array = column("line", "text", "", "colour for maps, #rrggbb", default="#3366aa")
    walk_from: Array = column(
        "walk", "int32", "", "stop where a transfer begins", index_of="stop", default=0
    )
    walk_to: Array = column(
        "walk", "int32", "", "stop where a transfer ends", index_of="stop", default=0
    )
    walk_time: Array = column("walk", "float64", "s", "time of the transfer", low=0.0, default=0.0)

    access_zone: Array = column("access", "int32", "", "zone (row of ZoneSystem)", low=0, default=0)
    access_stop: Array = column(
        "access", "int32", "", "stop reached from the zone and back", index_of="stop", default=0
    )
    access_time: Array = column(
        "access", "float64", "s", "time between centroid and stop", low=0.0, default=0.0
    )

    shape_first: Array | None = column(
        "line_stop+1", "int64", "", "offset of the shape of the entry's run; 0 points if straight",
        default=None,
    )  # fmt: skip
    shape_lon: Array | None = column("shape_point", "float64", "deg", "longitude", default=None)
    shape_lat: Array | None = column("shape_point", "float64", "deg", "latitude", default=None)

    ticket_system: Array = column(
        "ticket", "text", "", "fare_system of the lines that take the ticket", default=""
    )
    ticket_price: Array = column("ticket", "float64", "money", "price", low=0.0, default=0.0)
    ticket_transfers: Array = column(
        "ticket", "int32", "", "changes that it allows; -1 for any number", low=-1, default=-1
    )
    ticket_zones: Array = column(
        "ticket", "int32", "", "fare zones that its rides may touch; 0 for any", low=0, default=0
    )
    rule_ticket: Array = column(
        "ticket_rule", "int32", "", "ticket that the rule is of", index_of="ticket", default=0
    )
    rule_route: Array = column(
        "ticket_rule", "text", "", "fare_route it holds on; empty for all", default=""
    )
    rule_from: Array = column(
        "ticket_rule", "text", "", "fare zone where the first ride begins; empty for all",
        default="",
    )  # fmt: skip
    rule_to: Array = column(
        "ticket_rule", "text", "", "fare zone where the last ride ends; empty for all", default=""
    )
    rule_contains: Array = column(
        "ticket_rule", "text", "", "one of the fare zones that rides touch, which are those of the "
        "ticket's rules and no others; empty for any", default="",
    )  # fmt: skip

    track_mode: Array = column(
        "track", "int8", "", "index into MODES", low=0, high=len(MODES) - 1, default=0
    )
    track_way_id: Array = column("track", "int64", "", "OSM way of the track", default=0)
    track_length: Array = column("track", "float64", "m", "length", low=0.0, default=0.0)
    track_first: Array | None = column(
        "track+1", "int64", "", "offset of the track's first shape point", default=None
    )
    track_lon: Array | None = column("track_point", "float64", "deg", "longitude", default=None)
    track_lat: Array | None = column("track_point", "float64", "deg", "latitude", default=None)

    def check(self) -> None:
        """Check offsets, unique ids and that each line has two stops."""
        first = self.line_first
        if first[0] != 0 or first[-1] != len(self.line_stop):
            raise ColumnError.of(
                "TransitNetwork.line_first", f"{first[0]} … {first[-1]}",
                f"0 … {len(self.line_stop)}",
            )  # fmt: skip
        short = np.flatnonzero(np.diff(first) < 2)
        if len(short):
            raise ColumnError.of(
                "TransitNetwork.line_first", f"lines {self.line_id[short[:5]]} with under 2 stops",
                "at least 2 stops a line",
            )  # fmt: skip
        if len(np.unique(self.stop_id)) != len(self.stop_id):
            raise ColumnError.of("TransitNetwork.stop_id", "an id twice", "unique ids")

    @property
    def n_stops(self) -> int:
        """Number of stops."""
        return len(self.stop_id)

    @property
    def n_lines(self) -> int:
        """Number of directed lines."""
        return len(self.line_id)
