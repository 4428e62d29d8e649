"""Zones on the map: outlines, and their figures as shades."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import shapely
from bokeh.models import ColumnDataSource, LinearColorMapper

from cczsim.columns import Array
from cczsim.network.geometry import project
from cczsim.report.figures import number
from cczsim.report.hover import add_hover
from cczsim.report.palette import ZONE_COLORS
from cczsim.report.text import Both, known, same, term
from cczsim.scenario.result import RunResult

_TOLERANCE: Final = 40.0


@dataclass(frozen=True)
class Theme:
    """A figure that the zones can be shaded by.

    Parameters
    ----------
    limits : tuple of str
        What each shade stands for, from the lightest.
    """

    key: str
    label: Both
    unit: str
    limits: tuple[str, ...]


def _zone_values(result: RunResult, base: RunResult | None) -> dict[str, tuple[Array, str]]:
    """Return the figures by zone, with unit; times (``airport_…``) are given in minutes."""
    zones = result.network.zones
    assert zones is not None
    square_km = np.where(zones.area > 0, zones.area / 1e6, np.nan)
    out: dict[str, tuple[Array, str]] = {}
    for key, values in result.zone_access.items():
        out[key] = _shown(key, values)
        old = base.zone_access.get(key) if base is not None else None
        if old is not None and old.shape == values.shape and key == "density":
            out["density_change"] = (values - old, "km/km²")
    out["people_km2"] = (zones.population / square_km, "1/km²")
    out["jobs_km2"] = (zones.jobs / square_km, "1/km²")
    return out


def _shown(key: str, values: Array) -> tuple[Array, str]:
    values = np.where(np.isfinite(values), values, np.nan)
    if "density" in key:
        return values, "km/km²"
    if key == "surplus_resident":
        return values, "CNY/h"
    if key.startswith(("jobs", "schools", "hospitals")):
        return values, ""
    return values, "min"


def _bins(values: Array) -> tuple[Array, tuple[str, ...]]:
    """Return the shade of each zone, by quantile, and what the shades stand for."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.full(len(values), np.nan, np.float32), ()
    n = len(ZONE_COLORS)
    cuts = np.unique(np.quantile(finite, np.linspace(0, 1, n + 1)[1:-1]))
    cuts = cuts[(cuts > finite.min()) & (cuts <= finite.max())]
    code = np.searchsorted(cuts, values, side="right").astype(np.float32)
    code[~np.isfinite(values)] = np.nan
    edges = [number(v) for v in (finite.min(), *cuts, finite.max())]
    words = tuple(f"{a} … {b}" for a, b in pairwise(edges))
    return code, words


def _parts(polygons: Array, crs: str) -> tuple[Array, list[list[int]], list[list[int]]]:
    """Return the outer rings of the zones' polygons: zone of each ring, xs, ys."""
    rows = np.flatnonzero([p is not None and not p.is_empty for p in polygons])
    shapes = np.array([polygons[row] for row in rows], dtype=object)
    moved = shapely.transform(shapes, lambda xy: np.stack(project(xy[:, 0], xy[:, 1], crs), axis=1))
    parts, owner = shapely.get_parts(
        shapely.coverage_simplify(moved, _TOLERANCE), return_index=True
    )
    rings = shapely.get_exterior_ring(parts)
    xs, ys = [], []
    for ring in rings:
        xy = np.rint(shapely.get_coordinates(ring)).astype(np.int64)
        xs.append(xy[:, 0].tolist())
        ys.append(xy[:, 1].tolist())
    return rows[owner], xs, ys


def add_zones(plot: Any, result: RunResult, base: RunResult | None, crs: str) -> tuple[Theme, ...]:
    """Draw the zones that have a polygon, unshaded; return what they can be shaded by."""
    zones = result.network.zones
    assert zones is not None
    if zones.polygon is None or not any(p is not None for p in zones.polygon):
        return ()
    zone, xs, ys = _parts(zones.polygon, crs)
    data: dict[str, Any] = {
        "xs": xs,
        "ys": ys,
        "t0": [str(name) for name in zones.zone_name[zone]],
        "district": [str(name) for name in zones.district[zone]],
        "tier": zones.tier[zone].astype(np.uint8),
        "residents": zones.population[zone].astype(np.float32),
        "jobs": zones.jobs[zone].astype(np.float32),
        "shade": np.zeros(len(zone), np.float32),
    }
    themes = []
    for key, (values, unit) in _zone_values(result, base).items():
        if not np.isfinite(values).any():
            continue
        code, limits = _bins(values)
        data[f"{key}_value"] = values[zone].astype(np.float32)
        data[f"{key}_shade"] = code[zone]
        label = term("zone_theme", key) if known(f"zone_theme.{key}") else _access_label(key)
        themes.append(Theme(key, label, unit, limits))
    mapper = LinearColorMapper(
        palette=list(ZONE_COLORS), low=-0.5, high=len(ZONE_COLORS) - 0.5, nan_color="#ffffff00"
    )
    drawn = plot.patches(
        "xs", "ys", source=ColumnDataSource(data, name="zones"),
        fill_color={"field": "shade", "transform": mapper}, fill_alpha=0.0,
        line_color="#c2bcad", line_width=0.8, name="layer-zones", level="image",
    )  # fmt: skip
    add_hover(plot, drawn, "zones", 5, "left")
    if any(zones.district):
        _outline(plot, zones.polygon, zones.district, crs)
    return tuple(themes)


def _access_label(key: str) -> Both:
    """Return ``jobs_45_transit`` or ``airport_car`` in words."""
    what, *rest = key.split("_")
    if not known(f"zone_theme.{what}"):
        return same(key)
    label = term("zone_theme", what)
    return label.join(*(same(f"{r} min") if r.isdigit() else term("mode", r) for r in rest))


def _outline(plot: Any, polygons: Array, district: Array, crs: str) -> None:
    """Draw the outlines of districts, made from their zones."""
    rows = np.flatnonzero([p is not None and not p.is_empty for p in polygons])
    names = district[rows].astype(object)
    xs: list[list[int]] = []
    ys: list[list[int]] = []
    for name in sorted(set(names)):
        own = [polygons[row] for row in rows[names == name]]
        whole = shapely.union_all([shapely.make_valid(p) for p in own])
        for part in shapely.get_parts(shapely.simplify(whole, 5e-4)):
            xy = shapely.get_coordinates(shapely.get_exterior_ring(part))
            x, y = project(xy[:, 0], xy[:, 1], crs)
            xs.append(np.rint(x).astype(np.int64).tolist())
            ys.append(np.rint(y).astype(np.int64).tolist())
    plot.multi_line(
        xs, ys, line_color="#9d9583", line_width=1.6, name="layer-districts", level="underlay"
    )
