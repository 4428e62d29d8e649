"""Read OpenStreetMap files: .osm.pbf, .osm, .osm.gz, .osm.bz2, and Overpass JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cczsim.errors import ColumnError, InputError
from cczsim.io.overpass_json import read_overpass_file
from cczsim.io.xml_guard import refuse_long_elements
from cczsim.osm.extract import ExtractMaker, OsmExtract
from cczsim.osm.selection import NODE_KEYS, WAY_KEYS, take_relation, take_way

SUFFIXES: Final = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".json", ".pbf")
_MEMBER_KIND: Final = {"n": "node", "w": "way", "r": "relation"}

Bbox = tuple[float, float, float, float]


def is_osm_file(path: Path) -> bool:
    """Return whether a path has one of the endings of OpenStreetMap files."""
    return path.name.lower().endswith(SUFFIXES)


def read_osm(path: str | Path, bbox: Bbox | None = None) -> OsmExtract:
    """Read the ways and stops that networks are made of, with all their tags.

    Kept are ways with one of :data:`WAY_KEYS`, ferries, and the nodes they go through, nodes with
    one of :data:`NODE_KEYS` or on a route, and relations whose type is a turn restriction, a route
    or a group of stops, or a multipolygon with one of :data:`WAY_KEYS`. What is not kept is
    counted in ``OsmExtract.left_out``. Ways may name nodes that the file lacks; the count stands
    there too, under ``way_ref``.

    Parameters
    ----------
    path : path
    bbox : west, south, east, north in degrees, optional
        Nodes outside are not taken, so that ways end at the last node inside. Ways without a
        node inside are left out.

    Raises
    ------
    InputError
        The file is missing, empty, truncated, damaged, or no OpenStreetMap file; or the box
        is none.
    """
    path = Path(path)
    _check_door(path, bbox)
    if path.name.lower().endswith(".json"):
        extract = read_overpass_file(path)
    else:
        extract = _read_columns(path) or _read_with_osmium(path)
    if not extract.n_nodes and not extract.n_ways and not extract.n_relations:
        raise InputError.of(
            str(path), "no road, track or stop",
            f"ways with one of the tags {', '.join(WAY_KEYS)}",
            "check that the extract covers the area and was not filtered",
        )  # fmt: skip
    if bbox is not None:
        extract = clip(extract, bbox, str(path))
    missing = int((extract.node_rows(extract.way_ref) < 0).sum())
    if missing:
        extract.left_out.setdefault("way_ref", {})["node not in the extract"] = missing
    return extract


def _read_columns(path: Path) -> OsmExtract | None:
    """Return the extract of a .osm.pbf file, None where pyosmium is to read it.

    pyosmium reads every variant, and says what is wrong with a damaged file; but it makes a Python
    object of each way and tag, which takes five times as long.
    """
    if not path.name.lower().endswith(".pbf"):
        return None
    from cczsim.io.osm_pbf import read_pbf
    from cczsim.io.pbf_blocks import StrangeError

    try:
        return read_pbf(path)
    except StrangeError:
        return None


def _read_with_osmium(path: Path) -> OsmExtract:
    """Return the extract of a file of any form."""
    from osmium import InvalidLocationError as BadPlaceError

    maker = ExtractMaker()
    try:
        _read_objects(path, maker)
        return maker.extract()
    except (RuntimeError, ValueError, KeyError, ColumnError, BadPlaceError) as error:
        if "entities" in str(error):
            raise InputError.of(
                str(path),
                "an XML document type with entities",
                "OpenStreetMap XML, which has none",
                "a file that defines entities is no export of map data: do not trust it",
            ) from error
        raise InputError.of(
            str(path),
            f"{path.stat().st_size:,} bytes that break off or are damaged inside ({error})",
            "a whole OpenStreetMap file",
            "fetch or copy it again and compare its size with the source's",
        ) from error


def _check_door(path: Path, bbox: Bbox | None) -> None:
    if not path.is_file():
        raise InputError.of(
            str(path), "a folder" if path.is_dir() else "no such file",
            f"a file ending in {', '.join(SUFFIXES[:5])}",
        )  # fmt: skip
    if not is_osm_file(path):
        raise InputError.of(
            str(path), f"the ending {''.join(path.suffixes)!r}",
            f"one of {', '.join(SUFFIXES[:5])}", "rename the file if it is one of these",
        )  # fmt: skip
    if path.stat().st_size == 0:
        raise InputError.of(str(path), "an empty file", "an OpenStreetMap file", "fetch it again")
    refuse_long_elements(path)
    if bbox is not None:
        check_bbox(bbox, str(path))


def check_bbox(bbox: Bbox, where: str) -> None:
    """Raise InputError unless the box is west, south, east, north in degrees."""
    west, south, east, north = bbox
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError.of(
            f"{where}: bbox", str(list(bbox)),
            "west, south, east, north in degrees, west < east and south < north",
        )  # fmt: skip


def _read_objects(path: Path, maker: ExtractMaker) -> None:
    import osmium

    # Where the file is no .osm.pbf it is small enough for all of its nodes to come to Python, so
    # that an id that stands twice is seen.
    places: dict[int, tuple[float, float]] = {}
    stops: list[int] = []
    for item in osmium.FileProcessor(str(path)):
        kind = item.type_str()
        if kind == "n":
            if not item.location.valid():
                maker.leave_out("node", "no valid location")
                continue
            place = (item.lon, item.lat)
            if item.id in places:
                maker.leave_out("node", "id twice")
            elif any(key in item.tags for key in NODE_KEYS):
                maker.add_node(item.id, *place, [(t.k, t.v) for t in item.tags])
            places.setdefault(item.id, place)
        elif kind == "w":
            take_way(maker, item.id, [n.ref for n in item.nodes], dict(item.tags))
        elif kind == "r":
            members = ((_MEMBER_KIND[m.type], m.ref, m.role) for m in item.members)
            stops += take_relation(maker, item.id, members, dict(item.tags))
    for node_id in sorted({*maker.refs, *stops}):
        if node_id in places:  # those that are not are counted by the caller
            maker.add_node(node_id, *places[node_id])


def clip(extract: OsmExtract, bbox: Bbox, where: str) -> OsmExtract:
    """Return the part of an extract inside a box.

    Raises
    ------
    InputError
        Nothing is inside.
    """
    west, south, east, north = bbox
    lon, lat = extract.node_lon, extract.node_lat
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    if not inside.any():
        raise InputError.of(
            f"{where}: bbox", f"no node inside {list(bbox)}",
            f"a box that meets {lon.min():.3f},{lat.min():.3f},{lon.max():.3f},{lat.max():.3f}"
            if len(lon) else "an extract with nodes",
            "the order is west, south, east, north",
        )  # fmt: skip
    return extract.inside(inside, "outside the box")
