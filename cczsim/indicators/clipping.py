"""Lengths of lines inside polygons, exactly, with boundaries shared out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array


@dataclass(frozen=True)
class Clipped:
    """How much of which line lies in which area.

    Parameters
    ----------
    area, line : int array [pair]
    share : array [pair]
        Part of the line's length inside the area; a stretch on the area's boundary counts half.
    """

    area: Array
    line: Array
    share: Array


def clip_shares(lines: Array, areas: Array) -> Clipped:
    """Measure planar lines against planar polygons.

    A stretch that runs along a polygon's boundary counts half: the street serves both sides.

    Parameters
    ----------
    lines : array [line] of shapely lines
    areas : array [area] of shapely polygons
    """
    import shapely

    shapely.prepare(areas)
    line, area = shapely.STRtree(areas).query(lines, predicate="intersects")
    order = np.lexsort((line, area))
    line, area = line[order], area[order]
    whole = shapely.length(lines[line])
    inside = shapely.contains_properly(areas[area], lines[line])
    share = inside.astype(np.float64)
    rest = np.flatnonzero(~inside)
    if len(rest):
        polygons, pieces = areas[area[rest]], lines[line[rest]]
        within = shapely.length(shapely.intersection(pieces, polygons))
        along = shapely.length(shapely.intersection(pieces, shapely.boundary(polygons)))
        length = np.where(whole[rest] > 0.0, whole[rest], 1.0)
        share[rest] = (within - 0.5 * along) / length
    kept = share > 0.0
    return Clipped(area[kept], line[kept], share[kept])
