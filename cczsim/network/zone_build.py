"""Zone polygons: nearest-point cells within outlines, H3 hexagons; areas on the ellipsoid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cczsim.columns import Array
from cczsim.errors import NetworkError
from cczsim.network.geometry import local_crs, project, unproject


def polygon_areas(polygons: Sequence[Any] | Array) -> Array:
    """Return areas on the WGS-84 ellipsoid, ``[polygon], m2``; 0 where there is none.

    Rings are turned first: geodesic areas are signed, so that parts or holes drawn the wrong way
    round would add up to less or more than the polygon.
    """
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    return np.array(
        [0.0 if p is None else geod.geometry_area_perimeter(_oriented(p))[0] for p in polygons],
        dtype=np.float64,
    )


def _oriented(polygon: Any) -> Any:
    import shapely

    return shapely.orient_polygons(polygon)


def voronoi_cells(
    lon: Array, lat: Array, group: Sequence[str], outlines: Mapping[str, Any]
) -> list[Any]:
    """Return for each point what of its group's outline is nearest to it.

    Parameters
    ----------
    lon, lat : array [zone], deg
    group : sequence of str [zone]
        Key of the outline that the point belongs to; a point may lie outside of it.
    outlines : mapping of str to shapely polygon, WGS-84

    Returns
    -------
    list [zone] of shapely polygons, or None where the outline is not known

    Raises
    ------
    NetworkError
        Two points of one group are the same.
    """
    import shapely

    out: list[Any] = [None] * len(lon)
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    for key in dict.fromkeys(group):
        if key not in outlines:
            continue
        rows = np.flatnonzero(np.array([g == key for g in group]))
        outline = outlines[key]
        if not shapely.is_valid(outline):
            outline = shapely.make_valid(outline, method="structure")
        if len(rows) == 1:
            out[int(rows[0])] = _oriented(outline)
            continue
        crs = local_crs(float(lon[rows].mean()), float(lat[rows].mean()))
        xy = np.column_stack(project(lon[rows], lat[rows], crs))
        if len(np.unique(xy.round(1), axis=0)) < len(rows):
            raise NetworkError.of(f"zones of {key}", "two points at one place", "points apart")
        flat = shapely.transform(
            outline, lambda p, crs=crs: np.column_stack(project(p[:, 0], p[:, 1], crs))
        )
        cells = shapely.get_parts(
            shapely.voronoi_polygons(shapely.multipoints(xy), extend_to=flat.buffer(1000.0))
        )
        tree = shapely.STRtree(cells)
        own, cell = tree.query(shapely.points(xy), predicate="intersects")
        for k, row in enumerate(rows):
            part = shapely.intersection(cells[cell[own == k][0]], flat)
            if part.is_empty:
                continue
            if shapely.get_type_id(part) == 7:
                areal = [g for g in shapely.get_parts(part) if shapely.get_dimensions(g) == 2]
                part = shapely.union_all(areal)
            out[int(row)] = _oriented(
                shapely.transform(
                    part, lambda p, crs=crs: np.column_stack(unproject(p[:, 0], p[:, 1], crs))
                )
            )
    return out


def hexagons(outline: Any, resolution: int) -> tuple[list[str], list[Any]]:
    """Return the H3 cells whose centres lie in an outline, by id, with their polygons (WGS-84)."""
    import h3
    import shapely

    cells: set[str] = set()
    for part in shapely.get_parts(outline):
        cells |= set(h3.geo_to_cells(part, resolution))
    ids = sorted(cells)
    return ids, hexagon_polygons(ids)


def hexagon_polygons(ids: Sequence[str]) -> list[Any]:
    """Return the polygons of H3 cells, WGS-84.

    Raises
    ------
    NetworkError
        An id is none of H3.
    """
    import h3
    import shapely

    wrong = [i for i in ids if not h3.is_valid_cell(i)]
    if wrong:
        raise NetworkError.of("zones", f"{', '.join(wrong[:5])}, no H3 cells", "H3 cell ids")
    return [
        _oriented(shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(i)])) for i in ids
    ]


def share_inside(polygons: Sequence[Any], parts: Sequence[Any]) -> tuple[list[Any], Array]:
    """Return what of the parts lies in each polygon, and its area, ``[polygon], m2``."""
    import shapely

    tree = shapely.STRtree(list(parts))
    out: list[Any] = []
    for polygon in polygons:
        if polygon is None:
            out.append(None)
            continue
        near = np.sort(tree.query(polygon, predicate="intersects"))
        inside = shapely.union_all([shapely.intersection(polygon, parts[k]) for k in near.tolist()])
        areal = [g for g in shapely.get_parts(inside) if shapely.get_dimensions(g) == 2]
        out.append(_oriented(shapely.union_all(areal)) if areal else None)
    return out, polygon_areas(out)
