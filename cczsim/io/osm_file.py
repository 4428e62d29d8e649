"""Read OpenStreetMap files with pyosmium: .osm.pbf, .osm, .osm.gz, .osm.bz2."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import InputError
from cczsim.osm.extract import ExtractMaker, OsmExtract

SUFFIXES: Final = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".pbf")
WAY_KEYS: Final = ("highway", "railway", "public_transport")
NODE_KEYS: Final = ("highway", "barrier", "railway", "public_transport", "station")
RELATION_TYPES: Final = (
    "restriction", "route", "route_master", "public_transport", "multipolygon",
)  # fmt: skip
_MEMBER_KIND: Final = {"n": "node", "w": "way", "r": "relation"}

Bbox = tuple[float, float, float, float]


def is_osm_file(path: Path) -> bool:
    """Return whether a path has one of the endings of OpenStreetMap files."""
    return path.name.lower().endswith(SUFFIXES)


def read_osm(path: str | Path, bbox: Bbox | None = None) -> OsmExtract:
    """Read the ways and stops that networks are made of, with all their tags.

    Kept are ways with one of :data:`WAY_KEYS` and the nodes they go through, nodes with one of
    :data:`NODE_KEYS`, and relations whose type is a turn restriction, a route or a group of
    stops, or a multipolygon with one of :data:`WAY_KEYS`. What is not kept is counted in
    ``OsmExtract.left_out``. Ways may name nodes that the file lacks; the count stands there
    too, under ``way_ref``.

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
    maker = ExtractMaker()
    try:
        _read_objects(path, maker)
    except (RuntimeError, ValueError) as error:
        raise InputError.of(
            str(path),
            f"{path.stat().st_size:,} bytes that end or break off inside ({error})",
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
    for item in processor:
        kind = item.type_str()
        if kind == "n":
            if item.location.valid():
                maker.add_node(item.id, item.lon, item.lat, [(t.k, t.v) for t in item.tags])
            else:
                maker.leave_out("node", "no valid location")
        elif kind == "w":
            tags = item.tags
            if any(key in tags for key in WAY_KEYS):
                maker.add_way(item.id, [n.ref for n in item.nodes], {t.k: t.v for t in tags})
            else:
                maker.leave_out("way", f"none of the tags {', '.join(WAY_KEYS)}")
        elif kind == "r":
            _take_relation(item, maker)
    for node_id in sorted(set(maker.refs)):
        try:
            place = places.get(node_id)
        except KeyError:
            continue  # counted by the caller
        maker.add_node(node_id, place.lon, place.lat)


def _take_relation(item: Any, maker: ExtractMaker) -> None:
    tags = {t.k: t.v for t in item.tags}
    form = tags.get("type", "")
    family = form.split(":")[0]
    if family not in RELATION_TYPES:
        maker.leave_out("relation", f"type={form}")
    elif family == "multipolygon" and not any(key in tags for key in WAY_KEYS):
        maker.leave_out("relation", "multipolygon of no road, track or stop")
    else:
        members = [(_MEMBER_KIND[m.type], m.ref, m.role) for m in item.members]
        maker.add_relation(item.id, members, tags)


def clip(extract: OsmExtract, bbox: Bbox, where: str) -> OsmExtract:
    """Return the part of an extract inside a box.

    Nodes outside are taken away and ways without a node inside with them; a way that leaves
    the box keeps its references, so that the builder ends it at the last node inside.

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
            f"a box that meets {lon.min():.3f},{lat.min():.3f},{lon.max():.3f},{lat.max():.3f}",
            "the order is west, south, east, north",
        )  # fmt: skip
    rows = extract.node_rows(extract.way_ref)
    ref_inside = (rows >= 0) & inside[rows]
    way_of_ref = np.repeat(np.arange(extract.n_ways), np.diff(extract.way_ref_first))
    way_inside = np.bincount(way_of_ref, ref_inside, minlength=extract.n_ways) > 0
    left_out = {kind: dict(counts) for kind, counts in extract.left_out.items()}
    left_out.setdefault("way", {})["outside the box"] = int((~way_inside).sum())
    left_out.setdefault("node", {})["outside the box"] = int((~inside).sum())
    node_first, node_tags = _pick(extract.node_tag_first, inside)
    ref_first, refs = _pick(extract.way_ref_first, way_inside)
    way_first, way_tags = _pick(extract.way_tag_first, way_inside)
    return extract.replace(
        node_id=extract.node_id[inside], node_lon=lon[inside], node_lat=lat[inside],
        node_tag_first=node_first, node_tag_key=extract.node_tag_key[node_tags],
        node_tag_value=extract.node_tag_value[node_tags],
        way_id=extract.way_id[way_inside], way_ref_first=ref_first,
        way_ref=extract.way_ref[refs], way_tag_first=way_first,
        way_tag_key=extract.way_tag_key[way_tags],
        way_tag_value=extract.way_tag_value[way_tags], left_out=left_out,
    )  # fmt: skip


def _pick(first: Array, keep: Array) -> tuple[Array, Array]:
    counts = np.diff(first)
    offsets = np.concatenate([[0], np.cumsum(counts[keep])]).astype(np.int64)
    return offsets, np.flatnonzero(np.repeat(keep, counts))
