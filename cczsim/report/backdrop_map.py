"""Water and green at the bottom of the map, with their names."""

from __future__ import annotations

import itertools
import math
from typing import Any, Final

import numpy as np
import shapely
from bokeh.core.properties import value as constant
from bokeh.models import ColumnDataSource

from cczsim.columns import Array
from cczsim.network.backdrop import KINDS, Backdrop
from cczsim.network.geometry import project
from cczsim.report.embed import FONTS, Wording
from cczsim.report.text import Both

COLORS: Final = {"green": "#d5e5c8", "water": "#a9cbe0"}
_INKS: Final = {"green": "#4c6b3c", "water": "#2b6288"}
_TOLERANCE: Final = 25.0
_LABEL_EVERY: Final = 22_000.0
_LARGE: Final = 12_000.0


def add_areas(plot: Any, backdrop: Backdrop, kind: str, crs: str) -> bool:
    """Draw the areas of one kind; return whether there are any."""
    rows = np.flatnonzero(backdrop.kind == kind)
    if not len(rows):
        return False
    parts = shapely.get_parts(shapely.simplify(_moved(backdrop.polygon[rows], crs), _TOLERANCE))
    rings = [shapely.get_rings(part) for part in parts]
    points = [[_whole(ring) for ring in own] for own in rings]
    data = {
        axis: [[[ring[:, k].tolist() for ring in own]] for own in points]
        for k, axis in enumerate(("xs", "ys"))
    }
    plot.multi_polygons(
        "xs", "ys", source=ColumnDataSource(data), fill_color=COLORS[kind], line_color=None,
        name=f"layer-{kind}", level="image",
    )  # fmt: skip
    return True


def name_areas(plot: Any, backdrop: Backdrop, crs: str, wording: Wording) -> None:
    """Write the names of the areas: a long river bears its name every 22 km.

    Names of small areas stand apart, as the page's script shows them on near views only.
    """
    size = np.array([_extent(polygon) for polygon in _moved(backdrop.polygon, crs)])
    for kind, large in itertools.product(KINDS, (True, False)):
        x, y, names = [], [], []
        for row in np.flatnonzero((backdrop.kind == kind) & ((size >= _LARGE) == large)):
            chinese = str(backdrop.area_name[row])
            name = Both(str(backdrop.area_name_en[row]) or chinese, chinese)
            for point in _label_points(_moved(backdrop.polygon[[row]], crs)[0]) if name else ():
                x.append(round(point[0]))
                y.append(round(point[1]))
                names.append(name)
        if not names:
            continue
        source = ColumnDataSource({"x": x, "y": y}, name=f"names-{kind}-{large}")
        wording.set_column(source, "name", names)
        plot.text(
            "x", "y", text="name", source=source, text_font=constant(FONTS), text_font_size="11px",
            text_font_style="italic", text_color=_INKS[kind], text_align="center",
            text_baseline="middle", name=f"layer-{kind}-names" + ("" if large else "-near"),
        )  # fmt: skip


def _extent(polygon: Any) -> float:
    west, south, east, north = polygon.bounds
    return float(max(east - west, north - south))


def _moved(polygons: Array, crs: str) -> Array:
    return np.asarray(
        shapely.transform(polygons, lambda xy: np.stack(project(xy[:, 0], xy[:, 1], crs), axis=1))
    )


def _whole(ring: Any) -> Array:
    """Return the points of a ring in whole metres, without the last, which is the first."""
    return np.asarray(np.rint(shapely.get_coordinates(ring)[:-1]), dtype=np.int64)


def _label_points(polygon: Any) -> list[tuple[float, float]]:
    """Return points inside a polygon, one for each band of it across its longer side."""
    west, south, east, north = polygon.bounds
    upright = north - south > east - west
    low, high = (south, north) if upright else (west, east)
    bands = max(1, math.ceil((high - low) / _LABEL_EVERY))
    cuts = np.linspace(low, high, bands + 1)
    points = []
    for a, b in itertools.pairwise(cuts):
        box = shapely.box(west, a, east, b) if upright else shapely.box(a, south, b, north)
        parts = shapely.get_parts(shapely.intersection(polygon, box))
        parts = parts[shapely.area(parts) > 0.0]
        if len(parts):
            inner = shapely.point_on_surface(parts[np.argmax(shapely.area(parts))])
            points.append((float(inner.x), float(inner.y)))
    return points
