"""Read OpenStreetMap files with pyosmium: .osm.pbf, .osm, .osm.gz, .osm.bz2."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cczsim.errors import InputError
from cczsim.osm.extract import ExtractMaker, OsmExtract
from cczsim.osm.selection import NODE_KEYS, WAY_KEYS, take_relation, take_way

SUFFIXES: Final = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".pbf")
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
    import osmium

    maker = ExtractMaker()
    try:
        _read_objects(path, maker)
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise InputError.of(
            str(path),
            f"{path.stat().st_size:,} bytes that break off or are damaged inside ({error})",
            "a whole OpenStreetMap file",
            "fetch or copy it again and compare its size with the source's",
        ) from error
    if maker.n_objects == 0:
        raise InputError.of(
            str(path), "no road, track or stop",
            f"ways with one of the tags {', '.join(WAY_KEYS)}",
            "check that the extract covers the area and was not filtered",
        )  # fmt: skip
    extract = maker.extract()
    if bbox is not None:
        extract = clip(extract, bbox, str(path))
    missing = int((extract.node_rows(extract.way_ref) < 0).sum())
    if missing:
        extract.left_out.setdefault("way_ref", {})["node not in the extract"] = missing
    return extract


def _check_door(path: Path, bbox: Bbox | None) -> None:
    if not path.is_file():
        raise InputError.of(
            str(path), "a folder" if path.is_dir() else "no such file",
            f"a file ending in {', '.join(SUFFIXES[:4])}",
        )  # fmt: skip
    if not is_osm_file(path):
        raise InputError.of(
            str(path), f"the ending {''.join(path.suffixes)!r}",
            f"one of {', '.join(SUFFIXES[:4])}", "rename the file if it is one of these",
        )  # fmt: skip
    if path.stat().st_size == 0:
        raise InputError.of(str(path), "an empty file", "an OpenStreetMap file", "fetch it again")
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

    # All ways and relations come to Python, so that those left out can be counted; of the nodes,
    # nearly all of the file, only those with a tag of interest do. The places of the others are
    # looked up when the ways are known. An IdFilter in a second pass reads the same, but its
    # dense set takes 0.9 GB and 2 s for the ids of any recent extract.
    places = osmium.index.create_map("sparse_mem_array")
    processor = (
        osmium.FileProcessor(str(path))
        .with_locations(places)
        .with_filter(osmium.filter.KeyFilter(*NODE_KEYS).enable_for(osmium.osm.NODE))
    )
    stops: list[int] = []
    for item in processor:
        kind = item.type_str()
        if kind == "n":
            if item.location.valid():
                maker.add_node(item.id, item.lon, item.lat, [(t.k, t.v) for t in item.tags])
            else:
                maker.leave_out("node", "no valid location")
        elif kind == "w":
            take_way(maker, item.id, [n.ref for n in item.nodes], dict(item.tags))
        elif kind == "r":
            members = ((_MEMBER_KIND[m.type], m.ref, m.role) for m in item.members)
            stops += take_relation(maker, item.id, members, dict(item.tags))
    wanted = sorted({*maker.refs, *stops})
    for node_id in wanted:
        if node_id < 0:
            continue
        try:
            place = places.get(node_id)
        except KeyError:
            continue  # counted by the caller
        maker.add_node(node_id, place.lon, place.lat)
    if wanted and wanted[0] < 0:
        _read_new_nodes(path, maker, set(wanted))


def _read_new_nodes(path: Path, maker: ExtractMaker, wanted: set[int]) -> None:
    # Editors give new nodes negative ids, which the location table cannot hold.
    import osmium

    for node in osmium.FileProcessor(str(path), osmium.osm.NODE):
        if node.id in wanted and node.location.valid():
            maker.add_node(node.id, node.lon, node.lat)


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
