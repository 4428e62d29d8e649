"""Recipes: what a network is built from, as TOML; every fault at once with file and line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cczsim.errors import InputError
from cczsim.io.fare_tables import fare_settings
from cczsim.io.gtfs_calendar import FeedSource, read_window
from cczsim.io.recipe_reader import FLAG, NUMBER, NUMBERS, TEXT, TEXTS, WHOLE, TableReader
from cczsim.io.toml_file import parse_toml
from cczsim.io.toml_lines import key_lines
from cczsim.network.transit import MODES
from cczsim.osm.class_table import TABLES
from cczsim.osm.route_tags import PERIODS

_COMMON: Final = {
    "cczsim": WHOLE, "kind": TEXT, "name": TEXT, "title": TEXT, "date": TEXT, "crs": TEXT,
    "class_table": TEXT, "attribution": TEXTS, "notes": TEXTS, "title_zh": TEXT,
    "notes_zh": TEXTS,
}  # fmt: skip
_SOURCE: Final = {
    "file": TEXT, "place": TEXT, "bbox": NUMBERS, "overpass_url": TEXT, "keep": TEXT,
    "railway": FLAG, "u_turns": TEXT, "turn_delays": TEXT,
}  # fmt: skip
_ZONES: Final = {
    "kind": TEXT, "file": TEXT, "resolution": WHOLE, "districts": TEXT, "id": TEXT,
    "name": TEXT, "population": TEXT, "jobs": TEXT, "schools": TEXT, "hospitals": TEXT,
    "district": TEXT, "tier": TEXT,
    "jobs_per_resident": NUMBER, "per_zone": WHOLE, "reach_km": NUMBER, "min_people": NUMBER,
    "empty_as_zero": FLAG,
}  # fmt: skip
_LINES: Final = {
    "file": TEXT, "mode": TEXT, "crs": TEXT, "line": TEXT, "seq": TEXT, "stop_id": TEXT,
    "stop_name": TEXT, "lon": TEXT, "lat": TEXT, "color": TEXT, "only": TEXTS,
    "headway_min": NUMBER, "speed_kmh": NUMBER, "capacity": NUMBER,
}  # fmt: skip
_ROUTES: Final = {
    "modes": TEXTS, "period": TEXT, "headways": TEXT, "default_headway_min": "a table",
}  # fmt: skip
_GTFS: Final = {"file": TEXT, "date": TEXT, "from": TEXT, "to": TEXT, "fare_rate": NUMBER}
_TABLES: Final = dict.fromkeys(
    ("districts", "district_outlines", "zones", "built_up", "water", "roads", "interchanges",
     "lines", "line_stops"), TEXT,
)  # fmt: skip
_STREETS: Final = {
    "class": TEXT, "lanes": NUMBER, "speed_kmh": NUMBER, "capacity": NUMBER,
    "main_class": TEXT, "main_speed_kmh": NUMBER, "main_capacity": NUMBER,
    "main_from_m": NUMBER, "min_block_m2": NUMBER, "min_width_m": NUMBER,
}  # fmt: skip
_BUS: Final = {
    "classes": TEXTS, "headway_min": NUMBER, "stop_spacing_m": NUMBER, "speed_kmh": NUMBER,
    "capacity": NUMBER, "min_length_km": NUMBER,
}  # fmt: skip
_SECTIONS: Final = {
    "source": _SOURCE, "zones": _ZONES, "tables": _TABLES, "streets": _STREETS,
}  # fmt: skip
KINDS: Final = ("sketch", "osm", "tntp", "gmns")
ZONE_KINDS: Final = ("h3", "h3_table", "polygons", "csv")
U_TURNS: Final = ("anywhere", "dead-ends")
TURN_DELAYS: Final = ("none", "keep-right", "keep-left")
CRS_NAMES: Final = ("wgs84", "gcj02", "bd09", "cgcs2000")


@dataclass(frozen=True)
class Recipe:
    """What a network is built from; paths are absolute, variables expanded."""

    path: Path
    kind: str
    name: str
    title: str = ""
    date: str = ""
    crs: str = "wgs84"
    class_table: str | Path = "cn-cjj37"
    attribution: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    title_zh: str = ""
    notes_zh: tuple[str, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)
    zones: Mapping[str, Any] | None = None
    tables: Mapping[str, Path] = field(default_factory=dict)
    streets: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[Mapping[str, Any], ...] = ()
    gtfs: tuple[FeedSource, ...] = ()
    fares: Mapping[str, Any] | None = None
    osm_routes: Mapping[str, Any] | None = None
    corridor_bus: Mapping[str, Any] | None = None

    def inputs(self) -> list[Path]:
        """Return the recipe and every file that it names."""
        files = [self.path, *self.tables.values()]
        files += [self.class_table] if isinstance(self.class_table, Path) else []
        tables = (self.source, self.zones, self.osm_routes, self.fares, *self.lines)
        for part in (table or {} for table in tables):
            keys = ("file", "districts", "headways", "zones", "prices")
            files += [part[k] for k in keys if isinstance(part.get(k), Path)]
        for feed, *_ in self.gtfs:
            files += sorted(f for f in feed.iterdir() if f.is_file()) if feed.is_dir() else [feed]
        return files


def recipe_path(path: Path) -> Path:
    """Return the recipe of a folder, or the path itself."""
    return path / "recipe.toml" if path.is_dir() else path


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe.

    Raises
    ------
    InputError
        With every fault: unknown keys, wrong types, files that do not exist, variables not set.
    """
    path = recipe_path(Path(path)).resolve()
    data, text = parse_toml(path, "a recipe in TOML")
    reader = TableReader(path, key_lines(text))
    known = {**_COMMON, **dict.fromkeys(("source", "zones", "tables", "streets", "transit"), "")}
    top = reader.table(
        {k: v for k, v in data.items() if k not in _SECTIONS and k != "transit"},
        {k: v for k, v in known.items() if v} | dict.fromkeys(_SECTIONS, "a table"),
    )
    sections: dict[str, Any] = {
        name: reader.table(data[name], schema, name) if name in data else None
        for name, schema in _SECTIONS.items()
    }
    transit = data.get("transit", {})
    lines, feeds, routes, bus = _transit(reader, transit)
    fares = None
    if isinstance(transit, dict) and "fares" in transit:
        fares = fare_settings(reader, transit["fares"])
    kind = top.get("kind", "")
    if kind not in KINDS:
        found = repr(kind) if "kind" in top else "no kind"
        reader.faults.add(reader.where("kind"), found, f"one of {', '.join(KINDS)}")
    if top.get("cczsim", 1) != 1:
        reader.faults.add(reader.where("cczsim"), repr(top["cczsim"]), "1")
    for at, part in ((("source",), sections["source"]), (("zones",), sections["zones"])):
        for key in ("file", "districts"):
            if part and key in part:
                part[key] = reader.file(part[key], *at, key)
    for number, line in enumerate(lines):
        if "file" in line:
            line["file"] = reader.file(line["file"], "transit", "lines", number, "file")
        else:
            reader.faults.add(reader.where("transit", "lines", number), "no file", "a file")
    tables = {
        name: reader.file(text, "tables", name) for name, text in (sections["tables"] or {}).items()
    }
    if kind == "sketch":
        for name in _TABLES:
            if name not in tables:
                reader.faults.add(reader.where("tables"), f"no {name}", f"tables.{name}, a file")
    elif kind in KINDS:
        source = sections["source"] or {}
        if not ({"file", "place", "bbox"} if kind == "osm" else {"file"}) & set(source):
            reader.faults.add(reader.where("source"), "no source", "source.file")
        if "bbox" in source and len(source["bbox"]) != 4:
            reader.faults.add(
                reader.where("source", "bbox"), repr(source["bbox"]), "west, south, east, north"
            )
    if (sections["source"] or {}).get("keep", "all") not in ("all", "largest"):
        reader.faults.add(
            reader.where("source", "keep"), repr(sections["source"]["keep"]), "all or largest"
        )
    if routes is not None and kind != "osm":
        reader.faults.add(
            reader.where("transit", "osm_routes"), f"a recipe of kind {kind!r}", 'kind = "osm"'
        )
    for key, values in (("u_turns", U_TURNS), ("turn_delays", TURN_DELAYS)):
        value = (sections["source"] or {}).get(key, values[0])
        if value not in values:
            reader.faults.add(reader.where("source", key), repr(value), " or ".join(values))
    crs = top.get("crs", "wgs84").lower()
    if crs not in CRS_NAMES and not re.fullmatch(r"epsg:\d+", crs):
        reader.faults.add(
            reader.where("crs"), repr(crs), f"one of {', '.join(CRS_NAMES)} or EPSG:…"
        )
    table: str | Path = top.get("class_table", "cn-cjj37")
    if str(table).endswith(".csv"):
        table = reader.file(str(table), "class_table")
    elif table not in TABLES:
        reader.faults.add(
            reader.where("class_table"), repr(table),
            f"one of {', '.join(TABLES)}, or a file ending in .csv",
        )  # fmt: skip
    if sections["zones"] is not None:
        _check_zones(reader, sections["zones"])
    reader.faults.raise_if_any()
    return Recipe(
        path=path,
        kind=kind,
        name=top.get("name", path.parent.name),
        title=top.get("title", ""),
        date=top.get("date", ""),
        crs=crs,
        class_table=table,
        attribution=tuple(top.get("attribution", ())),
        notes=tuple(top.get("notes", ())),
        title_zh=top.get("title_zh", ""),
        notes_zh=tuple(top.get("notes_zh", ())),
        source=sections["source"] or {},
        zones=sections["zones"],
        tables=tables,
        streets=sections["streets"] or {},
        lines=tuple(lines),
        gtfs=tuple(feeds),
        fares=fares,
        osm_routes=routes,
        corridor_bus=bus,
    )


def _check_zones(reader: TableReader, zones: Mapping[str, Any]) -> None:
    kind = zones.get("kind")
    if kind not in ZONE_KINDS:
        reader.faults.add(
            reader.where("zones", "kind"),
            "no kind" if kind is None else repr(kind),
            f"one of {', '.join(ZONE_KINDS)}",
        )
        return
    for key in ("resolution", "districts") if kind == "h3" else ("file",):
        if key not in zones:
            reader.faults.add(reader.where("zones"), f"no {key}", f"zones.{key} for {kind} zones")
    if zones.get("resolution", 0) > 15:
        reader.faults.add(
            reader.where("zones", "resolution"), str(zones["resolution"]), "0 to 15, H3's own"
        )
    if zones.get("per_zone", 1) < 1:
        reader.faults.add(reader.where("zones", "per_zone"), "0", "1 connector or more")


def _transit(
    reader: TableReader, data: Any
) -> tuple[list[dict[str, Any]], list[FeedSource], dict[str, Any] | None, dict[str, Any] | None]:
    known = ("lines", "gtfs", "osm_routes", "corridor_bus", "fares")
    part = data if isinstance(data, dict) else reader.table(data, dict.fromkeys(known, ""))
    for key in part:
        if key not in known:
            reader.faults.add(
                reader.where("transit", key), f"the unknown key {key!r}", f"one of {known}"
            )
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, schema in (("lines", _LINES), ("gtfs", _GTFS)):
        given = part.get(name, [])
        if not isinstance(given, list):
            reader.faults.add(reader.where("transit", name), repr(given), f"[[transit.{name}]]")
            given = []
        rows[name] = [reader.table(r, schema, "transit", name, k) for k, r in enumerate(given)]
    feeds = [_feed(reader, row, number) for number, row in enumerate(rows["gtfs"])]
    bus = part.get("corridor_bus")
    return (
        rows["lines"],
        [feed for feed in feeds if feed is not None],
        _routes(reader, part["osm_routes"]) if "osm_routes" in part else None,
        None if bus is None else reader.table(bus, _BUS, "transit", "corridor_bus"),
    )


def _routes(reader: TableReader, data: Any) -> dict[str, Any]:
    """Return the keys of ``[transit.osm_routes]`` that fit."""
    at = ("transit", "osm_routes")
    given = reader.table(data, _ROUTES, *at)
    if "headways" in given:
        given["headways"] = reader.file(given["headways"], *at, "headways")
    if given.get("period", "peak") not in PERIODS:
        reader.faults.add(
            reader.where(*at, "period"), repr(given["period"]), f"one of {', '.join(PERIODS)}"
        )
    for mode in given.get("modes", []):
        if mode not in MODES:
            reader.faults.add(reader.where(*at, "modes"), repr(mode), f"among {', '.join(MODES)}")
    if "default_headway_min" in given:
        minutes = dict.fromkeys(MODES, NUMBER)
        own = reader.table(given["default_headway_min"], minutes, *at, "default_headway_min")
        for mode, value in own.items():
            if not 0.5 <= value <= 1440:
                reader.faults.add(
                    reader.where(*at, "default_headway_min", mode), str(value),
                    "0.5 to 1440 minutes",
                )  # fmt: skip
        given["default_headway_min"] = own
    return given


def _feed(reader: TableReader, row: Mapping[str, Any], number: int) -> FeedSource | None:
    """Return the file and the window of one ``[[transit.gtfs]]``; None where one is wrong."""
    at = ("transit", "gtfs", number)
    missing = [key for key in ("file", "date") if key not in row]
    for key in missing:
        reader.faults.add(reader.where(*at), f"no {key}", f"transit.gtfs.{key}")
    path = reader.file(row["file"], *at, "file") if "file" in row else None
    rate = row.get("fare_rate")
    if rate is not None and rate <= 0.0:
        reader.faults.add(reader.where(*at, "fare_rate"), str(rate), "money, above 0")
    if missing or path is None:
        return None
    places = (reader.where(*at, "date"), reader.where(*at, "from"), reader.where(*at, "to"))
    try:
        window = read_window(row["date"], row.get("from", "07:00"), row.get("to", "09:00"), places)
    except InputError as error:
        reader.faults.extend(error.faults)
        return None
    return FeedSource(path, window, rate)
