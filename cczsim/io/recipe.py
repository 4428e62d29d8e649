"""Recipes: what a network is built from, as TOML; every fault at once with file and line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from cczsim.errors import FaultCollector, InputError
from cczsim.io.toml_lines import key_lines
from cczsim.osm.class_table import TABLES

_TEXT, _NUMBER, _WHOLE, _FLAG, _TEXTS, _NUMBERS = (
    "text", "a number", "a whole number", "true or false", "a list of texts", "a list of numbers",
)  # fmt: skip
_COMMON: Final = {
    "cczsim": _WHOLE, "kind": _TEXT, "name": _TEXT, "title": _TEXT, "date": _TEXT, "crs": _TEXT,
    "class_table": _TEXT, "attribution": _TEXTS, "notes": _TEXTS, "title_zh": _TEXT,
    "notes_zh": _TEXTS,
}  # fmt: skip
_SOURCE: Final = {
    "file": _TEXT, "place": _TEXT, "bbox": _NUMBERS, "overpass_url": _TEXT, "keep": _TEXT,
    "railway": _FLAG,
}  # fmt: skip
_ZONES: Final = {
    "kind": _TEXT, "file": _TEXT, "resolution": _WHOLE, "districts": _TEXT, "id": _TEXT,
    "name": _TEXT, "population": _TEXT, "jobs": _TEXT, "district": _TEXT, "tier": _TEXT,
    "jobs_per_resident": _NUMBER, "per_zone": _WHOLE, "reach_km": _NUMBER, "min_people": _NUMBER,
    "empty_as_zero": _FLAG,
}  # fmt: skip
_LINES: Final = {
    "file": _TEXT, "mode": _TEXT, "crs": _TEXT, "line": _TEXT, "seq": _TEXT, "stop_id": _TEXT,
    "stop_name": _TEXT, "lon": _TEXT, "lat": _TEXT, "color": _TEXT, "only": _TEXTS,
    "headway_min": _NUMBER, "speed_kmh": _NUMBER, "capacity": _NUMBER,
}  # fmt: skip
_TABLES: Final = dict.fromkeys(
    ("districts", "district_outlines", "zones", "built_up", "water", "roads", "interchanges",
     "lines", "line_stops"), _TEXT,
)  # fmt: skip
_STREETS: Final = {
    "class": _TEXT, "lanes": _NUMBER, "speed_kmh": _NUMBER, "capacity": _NUMBER,
    "main_class": _TEXT, "main_speed_kmh": _NUMBER, "main_capacity": _NUMBER,
    "main_from_m": _NUMBER, "min_block_m2": _NUMBER, "min_width_m": _NUMBER,
}  # fmt: skip
_BUS: Final = {
    "classes": _TEXTS, "headway_min": _NUMBER, "stop_spacing_m": _NUMBER, "speed_kmh": _NUMBER,
    "capacity": _NUMBER, "min_length_km": _NUMBER,
}  # fmt: skip
_SECTIONS: Final = {
    "source": _SOURCE, "zones": _ZONES, "tables": _TABLES, "streets": _STREETS,
}  # fmt: skip
KINDS: Final = ("sketch", "osm", "tntp", "gmns")
ZONE_KINDS: Final = ("h3", "h3_table", "polygons", "csv")
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
    corridor_bus: Mapping[str, Any] | None = None

    def inputs(self) -> list[Path]:
        """Return the recipe and every file that it names."""
        files = [self.path, *self.tables.values()]
        files += [self.class_table] if isinstance(self.class_table, Path) else []
        for part in (self.source, self.zones or {}, *self.lines):
            files += [part[k] for k in ("file", "districts") if isinstance(part.get(k), Path)]
        return files


class _Reader:
    def __init__(self, path: Path, lines: Mapping[tuple[str | int, ...], int]) -> None:
        self.path = path
        self.lines = lines
        self.faults = FaultCollector(InputError)

    def where(self, *key: str | int) -> str:
        name = ".".join(str(k) for k in key)
        return f"{self.path}:{self.lines.get(key, 1)}: {name}"

    def table(self, data: Any, schema: Mapping[str, str], *at: str | int) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.faults.add(self.where(*at), repr(data), "a table")
            return {}
        out = {}
        for key, value in data.items():
            if key not in schema:
                near = get_close_matches(key, schema, 1, 0.5)
                self.faults.add(
                    self.where(*at, key), f"the unknown key {key!r}",
                    f"one of {', '.join(schema)}", f"did you mean {near[0]!r}?" if near else "",
                )  # fmt: skip
            elif not _fits(value, schema[key]):
                self.faults.add(self.where(*at, key), repr(value), schema[key])
            else:
                out[key] = value
        return out

    def file(self, text: str, *at: str | int) -> Path:
        def known(match: re.Match[str]) -> str:
            value = os.environ.get(match[1])
            if value is None:
                self.faults.add(
                    self.where(*at), f"${{{match[1]}}}, which is not set",
                    f"the environment variable {match[1]}",
                    f"set {match[1]} to the folder of the data",
                )  # fmt: skip
                return match[0]
            return value

        path = self.path.parent / re.sub(r"\$\{(\w+)\}", known, text)
        if "${" not in str(path) and not path.exists():
            self.faults.add(self.where(*at), f"{path}, which does not exist", "a file")
        return path


def _fits(value: Any, kind: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "text":
            return isinstance(value, str) and bool(value)
        case "a number":
            return number and value >= 0
        case "a whole number":
            return isinstance(value, int) and not isinstance(value, bool) and value >= 0
        case "true or false":
            return isinstance(value, bool)
        case "a list of texts":
            return isinstance(value, list) and all(isinstance(v, str) for v in value)
        case _:
            return isinstance(value, list) and all(isinstance(v, int | float) for v in value)


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
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError.of(str(path), str(error), "a recipe in TOML") from error
    reader = _Reader(path, key_lines(text))
    known = {**_COMMON, **dict.fromkeys(("source", "zones", "tables", "streets", "transit"), "")}
    top = reader.table(
        {k: v for k, v in data.items() if k not in _SECTIONS and k != "transit"},
        {k: v for k, v in known.items() if v} | dict.fromkeys(_SECTIONS, "a table"),
    )
    sections: dict[str, Any] = {
        name: reader.table(data[name], schema, name) if name in data else None
        for name, schema in _SECTIONS.items()
    }
    lines, bus = _transit(reader, data.get("transit", {}))
    kind = top.get("kind", "")
    if kind not in KINDS:
        reader.faults.add(reader.where("kind"), repr(kind), f"one of {', '.join(KINDS)}")
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
        corridor_bus=bus,
    )


def _check_zones(reader: _Reader, zones: Mapping[str, Any]) -> None:
    kind = zones.get("kind")
    if kind not in ZONE_KINDS:
        reader.faults.add(
            reader.where("zones", "kind"), repr(kind), f"one of {', '.join(ZONE_KINDS)}"
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


def _transit(reader: _Reader, data: Any) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    part = (
        reader.table(data, {"lines": "", "corridor_bus": ""}, "transit")
        if not isinstance(data, dict)
        else data
    )
    for key in part:
        if key not in ("lines", "corridor_bus"):
            reader.faults.add(
                reader.where("transit", key), f"the unknown key {key!r}", "lines or corridor_bus"
            )
    rows = part.get("lines", [])
    if not isinstance(rows, list):
        reader.faults.add(reader.where("transit", "lines"), repr(rows), "[[transit.lines]]")
        rows = []
    lines = [reader.table(r, _LINES, "transit", "lines", k) for k, r in enumerate(rows)]
    bus = part.get("corridor_bus")
    return lines, None if bus is None else reader.table(bus, _BUS, "transit", "corridor_bus")
