"""Streets on the map: what is drawn with figures, in which colour and how wide."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper

from cczsim.columns import Array
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK
from cczsim.report import palette
from cczsim.report.hover import add_hover
from cczsim.report.streets import Streets, broken_line, line_ends, ragged_xy
from cczsim.report.text import Both, same, term, text
from cczsim.scenario.result import RunResult

MAX_STREETS: Final = 12_000
MIN_STREETS: Final = 3_000
_BUSY: Final = 300.0
_WIDEST: Final = 8.0
_HAIR: Final = 0.6
_LEAST_TOP: Final = 1000.0
_NOTICED: Final = 0.01


@dataclass(frozen=True)
class Legend:
    """A colour or a width, and what it stands for."""

    color: str
    label: Both
    width: float = 0.0


@dataclass(frozen=True)
class LinkTheme:
    """A way to colour and widen the streets."""

    key: str
    label: Both
    legend: tuple[Legend, ...]


@dataclass(frozen=True)
class Layer:
    """Something that a box on the page shows and hides."""

    key: str
    label: Both
    color: str
    shown: bool


def add_streets(
    plot: Any, streets: Streets, result: RunResult, base: RunResult | None
) -> tuple[list[str], tuple[LinkTheme, ...], list[Layer]]:
    """Draw the streets; return the names that the tooltips use, the themes and the layers."""
    road = result.network.road
    shown = _pick_streets(streets, result)
    is_new = streets.is_new & (base is not None)
    generated = road.class_source[streets.forward] == Source.GENERATED
    layers = {"streets": Layer("streets", text("layer.streets"), "#5aa88f", True)}
    thin = (
        ("local", "", ~shown & ~generated & ~is_new, palette.LOCAL_COLOR, 0.7, 1.0),
        ("generated", "", ~shown & generated & ~is_new, palette.GENERATED_COLOR, 0.7, 1.0),
        ("new", "", ~shown & is_new, palette.NEW_COLOR, 1.3, 1.0),
        ("new", "-halo", shown & is_new, palette.NEW_COLOR, 11.0, 0.3),
    )
    for key, part, rows, color, width, alpha in thin:
        if rows.any():
            x, y = broken_line(streets.lines[rows])
            plot.line(
                "x", "y", source=ColumnDataSource({"x": x, "y": y}), line_color=color,
                line_width=width, line_alpha=alpha, name=f"layer-{key}{part}",
                level="glyph" if key == "new" else "underlay",
            )  # fmt: skip
            layers[key] = Layer(key, text(f"layer.{key}"), color, True)
    rows = np.flatnonzero(shown)
    busiest = np.fmax(
        _of(result.equilibrium.road.link_flow, streets.forward[rows]),
        _of(result.equilibrium.road.link_flow, streets.backward[rows]),
    )
    rows = rows[np.argsort(busiest, kind="stable")]
    data, names, themes = _street_columns(streets, rows, result, base)
    mapper = LinearColorMapper(
        palette=list(palette.LINK_PALETTE), low=-0.5, high=len(palette.LINK_PALETTE) - 0.5
    )
    source = ColumnDataSource(data, name="streets")
    drawn = plot.multi_line(
        "xs", "ys", source=source, line_color={"field": "color", "transform": mapper},
        line_width="width", line_cap="round", line_join="round", name="layer-streets",
    )  # fmt: skip
    add_hover(plot, drawn, "streets", 6, "right")
    return names, themes, list(layers.values())


def _of(values: Array, links: Array) -> Array:
    """Return values of links, NaN where there is no link."""
    return np.where(links == NO_LINK, np.nan, values[links])


def _pick_streets(streets: Streets, result: RunResult) -> Array:
    """Return which streets are drawn with figures: main classes and busy ones, the busiest first.

    ``MAX_STREETS`` keeps the page light on networks of whole cities; the busiest of the others
    fill up to ``MIN_STREETS`` where there are few of them.
    """
    road, flow = result.network.road, result.equilibrium.road.link_flow
    busiest = np.fmax(_of(flow, streets.forward), _of(flow, streets.backward))
    main = road.road_class[streets.forward] < palette.MINOR_FROM
    wanted = main | (busiest >= _BUSY)
    count = min(max(int(wanted.sum()), MIN_STREETS), MAX_STREETS)
    rank = np.lexsort((-busiest, ~main, ~wanted))
    shown = np.zeros(len(wanted), dtype=bool)
    shown[rank[:count]] = True
    return shown


def _widths(flow: Array, unit: float) -> Array:
    return np.clip(_HAIR + flow / unit, _HAIR, _WIDEST).astype(np.float32)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, 50, … at or above a value."""
    power = 10.0 ** np.floor(np.log10(max(value, 1.0)))
    return float(power * next(step for step in (1, 2, 5, 10) if value <= step * power))


def _plain_columns(streets: Streets, rows: Array, result: RunResult) -> dict[str, Any]:
    """Return geometry and attributes of streets; names are left out."""
    road = result.network.road
    forward, lines = streets.forward[rows], streets.lines[rows]
    xs, ys = ragged_xy(lines)
    start, end = line_ends(lines)
    chord = end - start
    octant = np.rint(np.degrees(np.arctan2(chord[:, 1], chord[:, 0])) / 45.0).astype(int) % 8
    return {
        "xs": xs,
        "ys": ys,
        "octant": octant.astype(np.uint8),
        "class_code": road.road_class[forward].astype(np.uint8),
        "source_code": road.class_source[forward].astype(np.uint8),
        "lanes": road.lanes[forward].astype(np.float32),
        "metres": np.rint(road.length[forward]).astype(np.float32),
    }


def _load_columns(
    streets: Streets, rows: Array, result: RunResult, data: dict[str, Any]
) -> tuple[Array, LinkTheme]:
    """Add flows, loads and speeds of both directions; return the total flow."""
    road, flows = result.network.road, result.equilibrium.road
    busiest, load, total = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
    for suffix, links in (("1", streets.forward[rows]), ("2", streets.backward[rows])):
        flow = _of(flows.link_flow, links)
        share = flow / _of(road.capacity, links)
        kmh = 3.6 * _of(road.length, links) / np.maximum(_of(flows.link_time, links), 1e-9)
        data[f"flow{suffix}"] = np.rint(flow).astype(np.float32)
        data[f"load{suffix}"] = share.round(3).astype(np.float32)
        data[f"kmh{suffix}"] = kmh.round(1).astype(np.float32)
        busiest, load = np.fmax(busiest, flow), np.fmax(load, share)
        total += np.nan_to_num(flow)
    unit = _unit(busiest)
    bins = np.searchsorted(palette.LOAD_LIMITS, load, side="right")
    data["load_color"] = (palette.LOAD_CODE + bins).astype(np.uint8)
    data["load_width"] = _widths(busiest, unit)
    return total, LinkTheme("load", text("theme.load"), _load_legend(unit))


def _difference_columns(
    streets: Streets, rows: Array, base: RunResult, total: Array, data: dict[str, Any]
) -> LinkTheme:
    """Add the base's flows and how the two directions' total differs from them."""
    before = np.zeros(len(rows))
    for suffix, links in (("1", streets.old_forward[rows]), ("2", streets.old_backward[rows])):
        flow = _of(base.equilibrium.road.link_flow, links)
        data[f"old{suffix}"] = np.rint(flow).astype(np.float32)
        before += np.nan_to_num(flow)
    change = total - before
    quiet = np.abs(change) < _NOTICED * max(float(total.max(initial=0.0)), 1.0)
    color = np.where(change > 0, palette.MORE, palette.LESS)
    color = np.where(quiet, palette.ALIKE, color)
    color = np.where(streets.is_new[rows], palette.NEW, color)
    unit = _unit(np.abs(change))
    data["diff_color"] = color.astype(np.uint8)
    data["diff_width"] = _widths(np.where(quiet, 0.0, np.abs(change)), unit)
    return LinkTheme("diff", text("theme.diff"), _difference_legend(unit))


def _street_columns(
    streets: Streets, rows: Array, result: RunResult, base: RunResult | None
) -> tuple[dict[str, Any], list[str], tuple[LinkTheme, ...]]:
    road = result.network.road
    forward = streets.forward[rows]
    data = _plain_columns(streets, rows, result)
    names, name_code = np.unique(road.name[forward].astype(object), return_inverse=True)
    data["name_code"] = name_code.astype(np.int32)
    total, theme = _load_columns(streets, rows, result, data)
    themes = [theme]
    if base is not None:
        themes.append(_difference_columns(streets, rows, base, total, data))
    group = np.array(palette.GROUP_OF_CLASS)[road.road_class[forward]]
    data["class_color"] = (palette.CLASS_CODE_FIRST + group).astype(np.uint8)
    data["class_width"] = np.array([3.6, 3.0, 2.4, 1.6, 1.0], np.float32)[group]
    data["source_color"] = (palette.SOURCE_CODE + road.class_source[forward]).astype(np.uint8)
    data["source_width"] = np.full(len(rows), 1.6, np.float32)
    themes.append(LinkTheme("class", text("theme.class"), _code_legend("class")))
    themes.append(LinkTheme("source", text("theme.source"), _code_legend("source")))
    data["color"], data["width"] = data["load_color"], data["load_width"]
    return data, [str(name) for name in names], tuple(themes)


def _unit(flow: Array) -> float:
    """Return the flow of one pixel of width: a round figure fills the widest line."""
    top = float(np.percentile(flow, 99.5)) if len(flow) else 1.0
    return _round_up(max(top, _LEAST_TOP)) / (_WIDEST - _HAIR)


def _width_samples(unit: float, color: str, sign: str = "") -> tuple[Legend, ...]:
    top = unit * (_WIDEST - _HAIR)
    return tuple(
        Legend(color, same(f"{sign}{top * part:,.0f} pce/h"), _HAIR + top * part / unit)
        for part in (0.1, 0.5, 1.0)
    )


def _load_legend(unit: float) -> tuple[Legend, ...]:
    limits = palette.LOAD_LIMITS
    words = [
        f"< {limits[0]:.2f}",
        *(f"{a:.2f}–{b:.2f}" for a, b in pairwise(limits)),
        f"≥ {limits[-1]:.2f}",
    ]
    colors = palette.LINK_PALETTE[palette.LOAD_CODE :]
    return (
        *(Legend(c, same(f"v/c {w}")) for c, w in zip(colors, words, strict=False)),
        *_width_samples(unit, "#7b858d"),
    )


def _difference_legend(unit: float) -> tuple[Legend, ...]:
    codes = (
        (palette.LESS, "legend.less"),
        (palette.ALIKE, "legend.alike"),
        (palette.MORE, "legend.more"),
        (palette.NEW, "legend.new"),
    )
    return (
        *(Legend(palette.LINK_PALETTE[code], text(key)) for code, key in codes),
        *_width_samples(unit, "#7b858d", "±"),
    )


def _code_legend(kind: str) -> tuple[Legend, ...]:
    first, group, names = (
        (palette.CLASS_CODE_FIRST, "class_group", palette.CLASS_GROUPS)
        if kind == "class"
        else (palette.SOURCE_CODE, "source", palette.SOURCE_NAMES)
    )
    return tuple(
        Legend(palette.LINK_PALETTE[first + k], term(group, name)) for k, name in enumerate(names)
    )
