"""The map: streets, zones, rail and stations as a Bokeh plot that pans, zooms and explains.

Layers, from the ground up: green, zones, water, local streets (thin, without figures of their
own), connectors, streets with figures, new local streets, bus lines, rail lines, stations, names.
Texts of the tooltips are put together by the page's script from the columns, so that a change of
language reaches them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from bokeh.core.properties import value as constant
from bokeh.models import (
    ColumnDataSource,
    PanTool,
    Range1d,
    ResetTool,
    SaveTool,
    ScaleBar,
    WheelZoomTool,
)
from bokeh.plotting import figure

from cczsim.columns import Array
from cczsim.network.geometry import local_crs, project
from cczsim.network.road_class import ROAD_CLASSES
from cczsim.network.zones import TIERS, ZoneSystem
from cczsim.report import palette
from cczsim.report.backdrop_map import COLORS, add_areas, name_areas
from cczsim.report.embed import FONTS, INK, Wording
from cczsim.report.street_map import Layer, LinkTheme, add_streets
from cczsim.report.streets import Streets, make_streets
from cczsim.report.text import LANGUAGES, Both, same, term, text
from cczsim.report.transit_map import add_transit
from cczsim.report.zone_map import Theme, add_zones
from cczsim.scenario.result import RunResult

_ASPECT: Final = 1.7
_LEAST_PAD: Final = 1500.0


@dataclass(frozen=True)
class View:
    """A part of the region that the map can go to: ``box`` is west, south, east, north in m."""

    key: str
    label: Both
    box: list[float]
    district: bool = False


@dataclass(frozen=True)
class RegionMap:
    """The map with all that the page needs around it.

    Parameters
    ----------
    plot : bokeh figure
    script : dict
        What the page's script needs: words, views, themes.
    views : tuple of View
        Parts of the region that a button or the list of districts shows.
    """

    plot: Any
    script: dict[str, Any]
    themes: tuple[LinkTheme, ...]
    zone_themes: tuple[Theme, ...]
    layers: tuple[Layer, ...]
    views: tuple[View, ...]
    wording: Wording = field(default_factory=Wording)


def map_crs(result: RunResult) -> str:
    """Return the projection of a result's map, centred on its network."""
    road = result.network.road
    known = np.isfinite(road.node_lon) & np.isfinite(road.node_lat)
    lon, lat = road.node_lon[known], road.node_lat[known]
    return local_crs(float(lon.min() + lon.max()) / 2, float(lat.min() + lat.max()) / 2)


def _views(result: RunResult, streets: Streets, crs: str) -> tuple[View, ...]:
    """Return the parts of the region that the map can go to; it opens on the first."""
    bounds = shapely.total_bounds(streets.lines) if len(streets.lines) else np.array([0, 0, 1, 1])
    zones = result.network.zones
    if zones is None:
        return (View("all", text("area.all"), [float(v) for v in bounds]),)
    x, y = project(zones.zone_lon, zones.zone_lat, crs)
    own = [np.nanmin(x), np.nanmin(y), np.nanmax(x), np.nanmax(y)]
    bounds = np.concatenate([np.fmin(bounds[:2], own[:2]), np.fmax(bounds[2:], own[2:])])
    views = [View("all", text("area.all"), [float(v) for v in bounds])]
    known = np.isfinite(x) & np.isfinite(y)
    people = np.maximum(zones.population, 1.0)
    rows = np.flatnonzero((zones.tier == TIERS.index("central")) & known)
    if len(rows) >= 3:
        views.insert(0, View("central", term("area", "central"), _around(x, y, people, rows, 0.08)))
    names = zones.district.astype(object)
    for k, name in enumerate(dict.fromkeys(str(name) for name in names)):
        rows = np.flatnonzero((names == name) & known & zones.inside)
        if name and len(rows):
            box = _around(x, y, people, rows, 0.0)
            views.append(View(f"district-{k}", same(name), box, district=True))
    return tuple(views)


def _around(x: Array, y: Array, people: Array, rows: Array, left_out: float) -> list[float]:
    """Return west, south, east, north of where all but a share of the people of zones live."""
    edges = [_where_most_live(v[rows], people[rows], left_out) for v in (x, y)]
    pad = max(_LEAST_PAD, *(0.07 * (high - low) for low, high in edges))
    return [edges[0][0] - pad, edges[1][0] - pad, edges[0][1] + pad, edges[1][1] + pad]


def _where_most_live(place: Array, people: Array, left_out: float) -> tuple[float, float]:
    """Return the bounds along one axis; the share left out is parted among both ends."""
    order = np.argsort(place, kind="stable")
    share = np.cumsum(people[order]) / people.sum()
    ends = np.searchsorted(share, [left_out / 2, 1.0 - left_out / 2 - 1e-12])
    low, high = place[order][np.minimum(ends, len(order) - 1)]
    return float(low), float(high)


def _district_names(plot: Any, zones: ZoneSystem, crs: str) -> None:
    rows = np.flatnonzero(np.isfinite(zones.zone_lon))
    x, y = project(zones.zone_lon[rows], zones.zone_lat[rows], crs)
    weight = np.maximum(zones.population[rows], 1.0)
    names, code = np.unique(zones.district[rows].astype(object), return_inverse=True)
    total = np.bincount(code, weights=weight)
    source = ColumnDataSource(
        {
            "x": (np.bincount(code, weights=weight * x) / total).astype(np.float32),
            "y": (np.bincount(code, weights=weight * y) / total).astype(np.float32),
            "name": [str(name) for name in names],
        }
    )
    plot.text(
        "x", "y", text="name", source=source, text_font=constant(FONTS), text_font_size="13px",
        text_color=INK, text_align="center", text_baseline="middle", text_font_style="bold",
        background_fill_color="#ffffff", background_fill_alpha=0.65, padding=2, border_radius=3,
        name="layer-names",
    )  # fmt: skip


def region_map(result: RunResult, base: RunResult | None) -> RegionMap:
    """Return the map of a result, with differences to a base where there is one.

    Raises
    ------
    ColumnError
        The network has no coordinates.
    """
    crs = map_crs(result)
    streets = make_streets(result, base, crs)
    views = _views(result, streets, crs)
    west, south, east, north = views[0].box
    height = max(north - south, (east - west) / _ASPECT)
    x, y = (west + east) / 2, (south + north) / 2
    plot = figure(
        x_range=Range1d(x - height * _ASPECT / 2, x + height * _ASPECT / 2),
        y_range=Range1d(y - height / 2, y + height / 2),
        height=720, sizing_mode="stretch_width", tools="", toolbar_location="right",
        x_axis_location=None, y_axis_location=None, lod_threshold=None, name="map",
        background_fill_color="#fbfaf6", outline_line_color="#c9c4b8", min_border=0,
    )  # fmt: skip
    plot.grid.visible = False
    wheel = WheelZoomTool(zoom_on_axis=False)
    plot.add_tools(PanTool(), wheel, ResetTool(), SaveTool(filename=f"{result.name}-map"))
    plot.toolbar.active_scroll = wheel
    plot.toolbar.logo = None
    zones = result.network.zones
    zone_themes: tuple[Theme, ...] = ()
    ground, wording = result.network.backdrop, Wording()
    areas = [] if ground is None or not add_areas(plot, ground, "green", crs) else ["green"]
    if zones is not None:
        zone_themes = add_zones(plot, result, base, crs)
    if ground is not None and add_areas(plot, ground, "water", crs):  # above the zones' shades
        areas.insert(0, "water")
    names, themes, layers = add_streets(plot, streets, result, base)
    road = result.network.road
    connectors = np.flatnonzero(~road.is_street & (np.arange(road.n_links) > road.reverse_link))
    if len(connectors):
        px, py = project(road.node_lon, road.node_lat, crs)
        ends = {
            "x0": px[road.tail[connectors]], "y0": py[road.tail[connectors]],
            "x1": px[road.head[connectors]], "y1": py[road.head[connectors]],
        }  # fmt: skip
        plot.segment(
            "x0", "y0", "x1", "y1", line_color="#6b6f76", line_dash=[3, 3], line_width=0.8,
            source=ColumnDataSource({k: v.astype(np.float32) for k, v in ends.items()}),
            name="layer-connectors", visible=False,
        )  # fmt: skip
        layers.append(Layer("connectors", text("layer.connectors"), "#6b6f76", False))
    for key, color, shown in add_transit(plot, result, base, crs):
        layers.append(Layer(key, text(f"layer.{key}"), color, shown))
    layers += [Layer(kind, text(f"layer.{kind}"), COLORS[kind], True) for kind in areas]
    if ground is not None:
        name_areas(plot, ground, crs, wording)
    if zones is not None and any(zones.district):
        _district_names(plot, zones, crs)
        layers.append(Layer("names", text("layer.names"), INK, True))
    plot.add_layout(
        ScaleBar(
            range=plot.x_range, unit="m", location="bottom_left", background_fill_alpha=0.85,
            border_line_color=None, label_text_font=FONTS, label_text_color=INK,
            bar_line_color=INK,
        )
    )  # fmt: skip
    classes = [term("class", name) for name in ROAD_CLASSES]
    sources = [term("source", name) for name in palette.SOURCE_NAMES]
    words = ("tip.lanes", "tip.flow", "tip.base", "tip.new", "tip.source", "tip.unnamed")
    script = {
        "names": names,
        "words": {
            lang: {
                "classes": [label.get(lang) for label in classes],
                "sources": [label.get(lang) for label in sources],
                "tiers": [term("area", tier).get(lang) for tier in TIERS],
                **{key.split(".")[1]: text(key).get(lang) for key in words},
                **{
                    key: text(f"tip.{key}").get(lang)
                    for key in ("residents", "jobs", "boardings", "passengers", "lines", "load")
                },
            }
            for lang in LANGUAGES
        },
        "views": {view.key: [round(v) for v in view.box] for view in views},
        "compared": base is not None,
        "zoneThemes": {
            theme.key: {lang: theme.label.get(lang) for lang in LANGUAGES} | {"unit": theme.unit}
            for theme in zone_themes
        },
    }
    return RegionMap(
        plot, script, themes, zone_themes, tuple(layers), views, wording
    )  # fmt: skip
