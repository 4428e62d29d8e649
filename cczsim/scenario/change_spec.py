"""What a scenario may change, key by key: each change says what it expects to find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from cczsim.indicators.conventions import CONVENTIONS
from cczsim.network.provenance import Source
from cczsim.network.road_class import ROAD_CLASSES
from cczsim.network.transit import MODES
from cczsim.network.zones import TIERS
from cczsim.scenario.condition import Condition
from cczsim.scenario.keys import REQUIRED, key

STREET_CLASSES: Final = tuple(name for name in ROAD_CLASSES if name != "connector")
SOURCES: Final = tuple(source.name.lower() for source in Source)
Said = Iterator[tuple[str, str, str, str]]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What every change may say."""

    kind: str = key("text", "what kind of change this is", default=REQUIRED)
    id_: str | None = key("text", "name that requires and conflicts refer to")
    note: str | None = key("text", "why, or where it is written; shown in the report")
    cost: float | None = key("quantity", "what it costs to build", dimension="money", low=0.0)
    requires: tuple[str, ...] = key(
        "texts", "ids of changes that must stand in the same scenario, before this one",
        default=[],
    )  # fmt: skip
    conflicts: tuple[str, ...] = key(
        "texts", "ids of changes that must not stand in the same scenario", default=[]
    )


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Which links: all the given conditions hold together."""

    name: tuple[str, ...] | None = key(
        "texts", "name of the street, exactly or with * and ?; or a list of names"
    )
    class_: tuple[str, ...] | None = key("choices", "class of the link", choices=STREET_CLASSES)
    tier: tuple[str, ...] | None = key(
        "choices", "tier of the zone that the middle of the link lies in or is nearest to",
        choices=TIERS,
    )  # fmt: skip
    district: tuple[str, ...] | None = key(
        "texts", "district of the zone that the middle of the link lies in or is nearest to"
    )
    way_id: tuple[float, ...] | None = key("numbers", "ids of OpenStreetMap ways")
    link_id: tuple[float, ...] | None = key("numbers", "ids of links")
    bbox: tuple[float, ...] | None = key("numbers", "west, south, east, north, in degrees")
    within: tuple[tuple[float, float], ...] | None = key(
        "line", "polygon that the middle of the link lies in"
    )
    structure: tuple[str, ...] | None = key(
        "choices", "structure of the link", choices=("ground", "bridge", "tunnel")
    )
    source: tuple[str, ...] | None = key("choices", "where the link comes from", choices=SOURCES)

    def faults(self) -> Said:
        """Check that something is asked for, and the shape of areas."""
        if all(value is None for value in vars(self).values()):
            yield "", "no condition", "a name, class, tier, district, …", ""
        if self.bbox is not None and (
            len(self.bbox) != 4 or self.bbox[0] >= self.bbox[2] or self.bbox[1] >= self.bbox[3]
        ):
            yield "bbox", f"{list(self.bbox)}", "[west, south, east, north]", ""
        if self.within is not None and len(self.within) < 3:
            yield "within", f"{len(self.within)} points", "three points or more", ""


@dataclass(frozen=True, kw_only=True)
class LinkExpectation:
    """What the selected links must be like before the change."""

    links: Condition | None = key("condition", "number of directed links found", dimension="count")
    km: Condition | None = key(
        "condition", "length of the directed links found", dimension="length"
    )
    lanes: Condition | None = key(
        "condition", "lanes of every link, one direction", dimension="count"
    )
    speed: Condition | None = key("condition", "speed of every link", dimension="speed")
    capacity: Condition | None = key("condition", "capacity of every link", dimension="flow")
    toll: Condition | None = key("condition", "toll of every link", dimension="money")
    class_: tuple[str, ...] | None = key(
        "choices", "classes that the links may have", choices=STREET_CLASSES
    )


@dataclass(frozen=True, kw_only=True)
class LinkValues:
    """What the selected links become."""

    lanes: float | None = key("number", "lanes in one direction", above=0.0, high=20.0)
    speed: float | None = key(
        "quantity", "free-flow speed", dimension="speed", above=0.0, high=70.0
    )
    capacity: float | None = key(
        "quantity", "capacity of one direction", dimension="flow", above=0.0
    )
    class_: str | None = key("choice", "class", choices=STREET_CLASSES)
    toll: float | None = key("quantity", "toll for a car", dimension="money", low=0.0)

    def faults(self) -> Said:
        """Check that something is set."""
        if all(value is None for value in vars(self).values()):
            yield "", "nothing to set", "lanes, speed, capacity, class or toll", ""


@dataclass(frozen=True, kw_only=True)
class NewStreet:
    """A street that is added, with both ends joined to what is there."""

    line: tuple[tuple[float, float], ...] = key("line", "where it runs, WGS-84", default=REQUIRED)
    class_: str = key("choice", "class", choices=STREET_CLASSES, default=REQUIRED)
    name: str = key("text", "name", default="")
    lanes: float = key("number", "lanes in one direction", default=REQUIRED, above=0.0, high=20.0)
    speed: float = key(
        "quantity", "free-flow speed", dimension="speed", default=REQUIRED, above=0.0, high=70.0
    )
    capacity: float | None = key(
        "quantity", "capacity of one direction; by class and lanes if left out",
        dimension="flow", above=0.0,
    )  # fmt: skip
    oneway: bool = key("boolean", "only in the direction of the line", default=False)
    structure: str = key(
        "choice", "structure; a bridge or tunnel joins at its ends only",
        choices=("ground", "bridge", "tunnel"), default="ground",
    )  # fmt: skip
    toll: float = key(
        "quantity", "toll for a car", dimension="money_per_length", low=0.0, default="0 CNY/km"
    )


@dataclass(frozen=True, kw_only=True)
class Links(Change):
    """Change, close or add links."""

    select: Selector | None = key("table", "which links", table=Selector)
    expect: LinkExpectation | None = key("table", "what must hold before", table=LinkExpectation)
    set_: LinkValues | None = key("table", "what the links become", table=LinkValues)
    close: bool = key("boolean", "take the links out of the network", default=False)
    add: tuple[NewStreet, ...] = key("tables", "new streets", table=NewStreet, default=[])

    def faults(self) -> Said:
        """Check that the change does one thing to what it selects."""
        if self.select is None and not self.add:
            yield "", "neither select nor add", "links to change, or streets to add", ""
        if self.select is not None and self.set_ is None and not self.close:
            yield "", "select without set", "set = { … } or close = true", ""
        if self.close and self.set_ is not None:
            yield "close", "close and set", "one of them", ""
        if self.select is None and (self.set_ is not None or self.close or self.expect is not None):
            yield "", "set, close or expect without select", "select = { … }", ""


@dataclass(frozen=True, kw_only=True)
class DensityExpectation:
    """What the area must be like before streets are added."""

    density: Condition | None = key(
        "condition", "road density of the area by the convention", dimension="density"
    )


@dataclass(frozen=True, kw_only=True)
class StreetKind:
    """What the added streets are."""

    class_: str = key(
        "choice", "class", choices=STREET_CLASSES, default="tertiary",
        source="支路, the local street that the Chinese urban standard counts",
    )  # fmt: skip
    lanes: float = key(
        "number", "lanes in one direction", default=1.0, above=0.0, high=20.0, source="assumed"
    )
    speed: float = key(
        "quantity", "free-flow speed", dimension="speed", default="30 km/h", above=0.0, high=70.0,
        source="CJJ 37, design speed of a local street, from memory of the code",
    )  # fmt: skip
    capacity: float | None = key(
        "quantity", "capacity of one direction; by class and lanes if left out",
        dimension="flow", above=0.0,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RoadDensity(Change):
    """Add local streets until an area has a road density."""

    area: str = key("text", "a tier, a district, or all", default=REQUIRED)
    target: float = key(
        "quantity", "density to reach", dimension="density", default=REQUIRED, above=0.0, high=100.0
    )
    convention: str = key(
        "choice",
        "how length and area are counted",
        choices=tuple(CONVENTIONS),
        default="cn-urban",
    )
    expect: DensityExpectation | None = key(
        "table", "what must hold before", table=DensityExpectation
    )
    street: StreetKind = key("table", "what the added streets are", table=StreetKind, default={})
    cost_per_km: float | None = key(
        "quantity", "what a kilometre of street costs", dimension="money_per_length", low=0.0
    )


@dataclass(frozen=True, kw_only=True)
class LineStop:
    """A stop of a line that is written in the scenario."""

    stop: str = key("text", "name of the stop", default=REQUIRED)
    lon: float = key("number", "longitude, WGS-84", default=REQUIRED, low=-180.0, high=180.0)
    lat: float = key("number", "latitude, WGS-84", default=REQUIRED, low=-90.0, high=90.0)


@dataclass(frozen=True, kw_only=True)
class NewLine:
    """Lines that are added, both directions."""

    file: str | None = key("path", "CSV of line, seq, stop_id, stop_name, lon, lat")
    stops: tuple[LineStop, ...] = key(
        "tables", "the stops in order, instead of a file", table=LineStop, default=[]
    )
    line: str | None = key("text", "id of the line, where the file names none")
    mode: str | None = key("choice", "mode, where the file names none", choices=MODES)
    headway: float | None = key(
        "quantity", "time between vehicles", dimension="time", above=0.0, high=86400.0
    )
    speed: float | None = key(
        "quantity", "commercial speed, dwell included", dimension="speed", above=0.0, high=140.0
    )
    capacity: float | None = key("number", "passengers a vehicle or train can hold", above=0.0)
    color: str | None = key("text", "colour on maps, #rrggbb")
    rows: Any = field(default=None, metadata={"loaded": "the file's rows, put in by io"})

    def faults(self) -> Said:
        """Check that there are stops from one place."""
        if (self.file is None) == (not self.stops):
            yield "", "both file and stops" if self.stops else "neither file nor stops", "one", ""
        if self.stops and len(self.stops) < 2:
            yield "stops", "1 stop", "two stops or more", ""
        if self.stops and self.line is None:
            yield "line", "nothing", "the id of the line", ""
        if self.stops and self.mode is None:
            yield "mode", "nothing", "one of " + ", ".join(MODES), ""


@dataclass(frozen=True, kw_only=True)
class LineExpectation:
    """What the selected lines must be like before the change."""

    lines: Condition | None = key("condition", "number of directed lines found", dimension="count")
    headway: Condition | None = key("condition", "headway of every line", dimension="time")
    stops: Condition | None = key("condition", "stops of every line", dimension="count")


@dataclass(frozen=True, kw_only=True)
class LineValues:
    """What the selected lines become."""

    headway: float | None = key(
        "quantity", "time between vehicles", dimension="time", above=0.0, high=86400.0
    )
    run_time_factor: float | None = key(
        "number", "factor on the time between stops", above=0.0, high=10.0
    )
    capacity: float | None = key("number", "passengers a vehicle or train can hold", above=0.0)

    def faults(self) -> Said:
        """Check that something is set."""
        if all(value is None for value in vars(self).values()):
            yield "", "nothing to set", "headway, run_time_factor or capacity", ""


@dataclass(frozen=True, kw_only=True)
class TransitLine(Change):
    """Add, take out or change lines."""

    add: NewLine | None = key("table", "lines to add", table=NewLine)
    remove: tuple[str, ...] | None = key("texts", "lines to take out, by id or with * and ?")
    line: tuple[str, ...] | None = key("texts", "lines to change, by id or with * and ?")
    expect: LineExpectation | None = key("table", "what must hold before", table=LineExpectation)
    set_: LineValues | None = key("table", "what the lines become", table=LineValues)

    def faults(self) -> Said:
        """Check that the change does one thing."""
        done = [self.add is not None, self.remove is not None, self.line is not None]
        if sum(done) != 1:
            yield "", f"{sum(done)} of add, remove and line", "one of them", ""
        if (self.line is None) != (self.set_ is None):
            yield "", "line or set alone", 'line = "…" together with set = { … }', ""
        if self.add is not None and self.expect is not None:
            yield "expect", "expect with add", "expect only with remove or line", ""


@dataclass(frozen=True, kw_only=True)
class GrowthExpectation:
    """What must hold before the growth."""

    population: Condition | None = key(
        "condition", "residents of the area before", dimension="count"
    )
    jobs: Condition | None = key("condition", "jobs in the area before", dimension="count")


@dataclass(frozen=True, kw_only=True)
class Growth(Change):
    """Change population and jobs by area."""

    population: dict[str, float] | None = key(
        "by_area", "growth of residents", dimension="share", above=-1.0, high=10.0
    )
    jobs: dict[str, float] | None = key(
        "by_area", "growth of jobs", dimension="share", above=-1.0, high=10.0
    )
    expect: GrowthExpectation | None = key(
        "table", "what must hold before, over all areas named", table=GrowthExpectation
    )

    def faults(self) -> Said:
        """Check that something grows."""
        if self.population is None and self.jobs is None:
            yield "", "neither population nor jobs", "one of them, or both", ""


CHANGES: Final[dict[str, type[Change]]] = {
    "road_density": RoadDensity,
    "links": Links,
    "transit_line": TransitLine,
    "growth": Growth,
}
